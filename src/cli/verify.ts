import { resolve } from 'node:path'
import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import { type Contract, contractSet, readContract } from '../contract/index.ts'
import { type Finding, findingText, keysText, namedTwice } from '../saga/index.ts'
import { type Call, type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { isParticipant, loadFrom, neighboursOf, participantsBeside, readText, type TextFile } from './read-files.ts'

export const verify: Command = {
  name: 'verify',
  takes: 'FILE…',
  summary: 'check sagas against --participants FOLDER (the one beside the file), or participants by themselves',
  arguments: { min: 1, max: Number.POSITIVE_INFINITY },
  options: { participants: { type: 'string' } },
  run: async ({ arguments: paths, options, terminal, program: { reserved } }) => {
    const verdicts: Verdict[] = []
    try {
      for (const path of new Map(paths.map((given) => [resolve(given), given])).values())
        verdicts.push(await verdictOn(path, options['participants'] as string | undefined, reserved))
    } finally {
      for (const line of together(verdicts).flatMap(({ lines }) => lines)) terminal.out(line)
    }
    return together(verdicts).every(({ name }) => name !== undefined) ? exitCode.done : exitCode.failed
  }
}

type Reserved = Call['program']['reserved']

/** On one file; without a name where it is not valid. */
type Verdict = {
  readonly path: string
  readonly kind: 'saga' | 'participant'
  readonly lines: readonly string[]
  readonly name?: string
}

/** Each may be valid by itself, and yet be refused beside the others. */
const together = (verdicts: readonly Verdict[]): readonly Verdict[] => {
  const refused = new Map([...twice(verdicts, 'saga'), ...twice(verdicts, 'participant')])
  return verdicts.map((verdict) => {
    const { path, kind } = verdict
    const error = refused.get(path)
    return error === undefined ? verdict : { path, kind, lines: [`${path}: ${error.message}`] }
  })
}

const twice = (verdicts: readonly Verdict[], what: Verdict['kind']): Map<string, ParcomoloError> =>
  namedTwice(
    what,
    verdicts.flatMap(({ path, kind, name }) => (kind === what && name !== undefined ? [{ path, name }] : []))
  )

const verdictOn = async (path: string, folder: string | undefined, reserved: Reserved): Promise<Verdict> => {
  try {
    const file = await readText(path)
    if (isParticipant(file)) {
      const contract = readContract(file, reserved)
      const { participant, operations } = contract
      checkBeside(file, contract, await neighboursOf(file, reserved, folder))
      const said = `${path}: participant '${participant}' is valid: ${operations.size} operations`
      return { path, kind: 'participant', name: participant, lines: [said] }
    }
    const definition = await loadFrom(file, folder ?? participantsBeside(path), reserved)
    const { name, revision, steps, warnings } = definition
    const said = `${path}: saga '${name}' is valid: ${steps.length} steps, revision ${revision}`
    return {
      path,
      kind: 'saga',
      name,
      lines: [
        ...warnings.map((warning) => `${findingText(warning)} (warning)`),
        said,
        `${path}: saga '${name}' has ${keysText(definition)}`
      ]
    }
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID') || isParcomoloError(error, 'PARCOMOLO_FILE_ENCODING'))
      return { path, kind: 'participant', lines: [error.message] }
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_CONFLICT'))
      return { path, kind: 'participant', lines: conflictLines(error) }
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return { path, kind: 'saga', lines: findings(path, error) }
    throw error
  }
}

const conflictLines = ({ code, message }: ParcomoloError): string[] =>
  message.split('\n').map((line) => `${line} (${code})`)

/** One at a time, so that what two others have in common is not told of this one. */
const checkBeside = ({ path }: TextFile, contract: Contract, others: readonly Contract[]): void => {
  for (const other of others) {
    try {
      contractSet([other, contract])
    } catch (error) {
      if (!isParcomoloError(error)) throw error
      throw new ParcomoloError(error.code, `${path}: ${error.message}`, { cause: error })
    }
  }
}

const findings = (path: string, { details }: ParcomoloError): string[] => {
  const { errors, errorCount } = details as { errors: readonly Finding[]; errorCount: number }
  const more = errorCount - errors.length
  return [...errors.map(findingText), ...(more > 0 ? [`${path}: and ${more} more`] : [])]
}
