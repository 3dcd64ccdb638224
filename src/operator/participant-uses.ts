import type { Contracts, LookUp } from '../contract/index.ts'
import type { Json, SagaResource } from './crd/index.ts'

export type Use = { readonly saga: string; readonly names: readonly string[] }

/** The keys of a saga that name a command or an event; `true` is how YAML 1.1 reads `on`. */
const commandKeys = new Set(['command'])
const eventKeys = new Set(['on', 'true', 'until', 'emit'])

/** What sagas use of a participant: commands, and events that start, cancel or end something. */
export const usesOf = (
  participant: string,
  sagas: readonly Pick<SagaResource, 'metadata' | 'spec'>[],
  contracts: Contracts
): readonly Use[] =>
  sagas.flatMap(({ metadata, spec }) => {
    const names = [...namesIn(spec)]
      .filter(
        ([name, kind]) => ownerOf(kind === 'command' ? contracts.command(name) : contracts.event(name)) === participant
      )
      .map(([name]) => name)
    return names.length === 0 ? [] : [{ saga: metadata.name, names: [...new Set(names)].sort() }]
  })

const ownerOf = (found: LookUp<{ readonly contract: { readonly participant: string } }>): string | undefined =>
  'found' in found ? found.found.contract.participant : undefined

type Name = readonly [name: string, kind: 'command' | 'event']

function* namesIn(value: Json): Generator<Name> {
  if (value === null || typeof value !== 'object') return
  for (const [key, part] of Object.entries(value)) {
    // What stands in it are expressions, under the names of fields.
    if (key === 'with') continue
    if (typeof part === 'string' && commandKeys.has(key)) yield [part, 'command']
    else if (typeof part === 'string' && eventKeys.has(key)) yield [part, 'event']
    else yield* namesIn(part as Json)
  }
}
