/**
 * Runs something that makes very many errors only to tell of them, without where in the code each was made: that alone
 * takes most of the time.
 */
export const withoutStacks = <T>(run: () => T): T => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
