import { isParcomoloError } from '../base/index.ts'

/** What a script that calls the command line can tell apart. */
export const exitCode = {
  done: 0,
  /** It was refused, or could not be done. */
  failed: 1,
  /** The command line or the environment is wrong. */
  usage: 2,
  /** A defect of Parcomolo (EX_SOFTWARE of sysexits.h). */
  defect: 70
} as const

export const exitCodeOf = (error: unknown): number => {
  if (!isParcomoloError(error)) return exitCode.defect
  return error.code === 'PARCOMOLO_CLI_USAGE' || error.code === 'PARCOMOLO_CONFIG_INVALID'
    ? exitCode.usage
    : exitCode.failed
}
