import { isParcomoloError, type ParcomoloError } from '../base/index.ts'
import { readContract } from '../contract/index.ts'
import { type Finding, findingText } from '../saga/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { loadFrom, participantsBeside, readText } from './read-files.ts'

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

const verdictOn = async (path: string, participants = participantsBeside(path)): Promise<Verdict> => {
  const file = await readText(path)
  try {
    if (/^kind:\s*Participant\s*$/m.test(file.text)) {
      const { participant, operations } = readContract(file)
      return { lines: [`${path}: participant '${participant}' is valid: ${operations.size} operations`], isValid: true }
    }
    const { name, revision, steps, warnings } = await loadFrom(file, participants)
    const said = `${path}: saga '${name}' is valid: ${steps.length} steps, revision ${revision}`
    return { lines: [...warnings.map((warning) => `${findingText(warning)} (warning)`), said], isValid: true }
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID')) return { lines: [error.message], isValid: false }
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return { lines: findings(path, error), isValid: false }
    throw error
  }
}

const findings = (path: string, { details }: ParcomoloError): string[] => {
  const { errors, errorCount } = details as { errors: readonly Finding[]; errorCount: number }
  const more = errorCount - errors.length
  return [...errors.map(findingText), ...(more > 0 ? [`${path}: and ${more} more`] : [])]
}
