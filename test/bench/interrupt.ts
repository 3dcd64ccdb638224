export class Interrupted extends Error {}

/** Rejects on Ctrl-C and its like, so that what was started is stopped and what was written is removed. */
const interrupted = (): Promise<never> =>
  new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => reject(new Interrupted(signal)))
    }
  })

let interrupt: Promise<never> | undefined

/** Runs it with resources of its own, which end with it or with an interrupt. */
export const untilInterrupted = async <T>(run: (resources: AsyncDisposableStack) => Promise<T>): Promise<T> => {
  interrupt ??= interrupted()
  await using resources = new AsyncDisposableStack()
  return await Promise.race([run(resources), interrupt])
}

/** What was being measured has lost its server by then, and need not be waited for. */
export const sayInterrupted = (error: unknown): never => {
  if (!(error instanceof Interrupted)) throw error
  console.error(`stopped by ${error.message}`)
  process.exit(130)
}
