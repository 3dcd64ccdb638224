import { type Contracts } from '../../contract/index.ts'
import { type Definition } from '../definition/index.ts'
import { createFindings, type Finding, parseYaml, type SourceFile } from '../source/index.ts'
import { buildDefinition } from './build.ts'
import { readDraft } from './read.ts'
import { revisionOf } from './revision.ts'

/** A definition, and what is allowed in it but hardly meant. */
export type LoadedDefinition = Definition & { readonly warnings: readonly Finding[] }

/**
 * Reads a saga from its YAML, against the contracts of all participants. `isPublished`: it was taken before, maybe by a
 * release that had fewer rules, and instances may run on it. Throws PARCOMOLO_SAGA_INVALID with everything
 * that is wrong with the file: `details.errors` has the first 20 in the order of the file, each with its place.
 */
export const loadSaga = (
  file: SourceFile,
  contracts: Contracts,
  { isPublished = false }: { readonly isPublished?: boolean } = {}
): LoadedDefinition => {
  const findings = createFindings(file, isPublished)
  const document = parseYaml(file, findings)
  const draft = document && readDraft({ text: file.text, document, findings, aliasCount: 0 })
  const loaded = draft && { draft, built: buildDefinition(draft, contracts, findings) }
  findings.throwIfAny()
  const { draft: form, built } = loaded!
  return { ...built.definition, revision: revisionOf(form, built), warnings: findings.warnings() }
}
