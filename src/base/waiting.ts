import type { Clock } from './clock.ts'
import { isParcomoloError, type ParcomoloError } from './errors.ts'

export type Insistence = {
  readonly clock: Clock
  /** Ends the waiting, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Told why there is still nothing: at the first failure, then at most every 10 s. */
  readonly onWaiting?: ((error: ParcomoloError) => void) | undefined
}

const pauseMs = 1_000
const saidEveryMs = 10_000

/** Tries until it is done, a second apart. Rejects at once with an error that waiting does not cure. */
export const insist = async <T>(work: () => Promise<T>, { clock, signal, onWaiting }: Insistence): Promise<T> => {
  for (let nextSaidAt = -Infinity; ; await pause(clock, signal)) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (!isParcomoloError(error) || !error.retryable) throw error
      if (clock.now() < nextSaidAt) continue
      nextSaidAt = clock.now() + saidEveryMs
      onWaiting?.(error)
    }
  }
}

/** What is done within this time; rejects with what `late` gives when it is over, whatever comes of the work then. */
export const inTime = async <T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> => {
  const over = Promise.withResolvers<never>()
  const cancel = clock.at(clock.now() + ms, () => over.reject(late()))
  try {
    return await Promise.race([work, over.promise])
  } finally {
    cancel()
  }
}

const pause = async (clock: Clock, signal: AbortSignal | undefined): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.at(clock.now() + pauseMs, resolve)
  const end = (): void => resolve()
  signal?.addEventListener('abort', end, { once: true })
  await promise
  signal?.removeEventListener('abort', end)
  cancel()
}
