import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import { type Contract, contractSet, readContract } from '../contract/index.ts'
import { type Finding, findingText } from '../saga/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { isParticipant, loadFrom, neighboursOf, participantsBeside, readText, type TextFile } from './read-files.ts'

export const verify: Command = {
  name: 'verify',
  takes: 'FILE…',
  summary: 'check sagas against --participants FOLDER (the one beside the file), or participants by themselves',
  arguments: { min: 1, max: Number.POSITIVE_INFINITY },
  options: { participants: { type: 'string' } },
  run: async ({ arguments: paths, options, terminal }) => {
    let code: number = exitCode.done
    for (const path of paths) {
      const { lines, isValid } = await verdictOn(path, options['participants'] as string | undefined)
      for (const line of lines) terminal.out(line)
      if (!isValid) code = exitCode.failed
    }
    return code
  }
}

type Verdict = { readonly lines: readonly string[]; readonly isValid: boolean }

const verdictOn = async (path: string, folder: string | undefined): Promise<Verdict> => {
  const file = await readText(path)
  try {
    if (isParticipant(file)) {
      const contract = readContract(file)
      const { participant, operations } = contract
      checkBeside(file, contract, await neighboursOf(file, folder))
      return { lines: [`${path}: participant '${participant}' is valid: ${operations.size} operations`], isValid: true }
    }
    const { name, revision, steps, warnings } = await loadFrom(file, folder ?? participantsBeside(path))
    const said = `${path}: saga '${name}' is valid: ${steps.length} steps, revision ${revision}`
    return { lines: [...warnings.map((warning) => `${findingText(warning)} (warning)`), said], isValid: true }
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID')) return { lines: [error.message], isValid: false }
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_CONFLICT')) return { lines: conflictLines(error), isValid: false }
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return { lines: findings(path, error), isValid: false }
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
