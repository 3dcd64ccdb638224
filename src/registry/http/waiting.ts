import { type Clock, isParcomoloError, type ParcomoloError } from '../../base/index.ts'

export type Waiting = {
  /** Told why there is still no answer: at the first failure, then at most every 10 s. */
  readonly onWaiting?: ((error: ParcomoloError) => void) | undefined
  /** Ends the waiting, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  readonly clock: Clock
}

const pauseMs = 1000
const saidEveryMs = 10_000

/** Probes until the registry answers. Rejects at once with an error that waiting does not cure. */
export const untilAnswered = async (
  probe: () => Promise<void>,
  { onWaiting, signal, clock }: Waiting
): Promise<void> => {
  let nextSaidAtMs = -Infinity
  for (;;) {
    const error = await errorOf(probe)
    signal?.throwIfAborted()
    if (error === undefined) return
    if (!isParcomoloError(error) || !error.retryable) throw error
    if (clock.now() >= nextSaidAtMs) {
      nextSaidAtMs = clock.now() + saidEveryMs
      onWaiting?.(error)
    }
    await pause(clock, signal)
  }
}

const errorOf = async (probe: () => Promise<void>): Promise<Error | undefined> => {
  try {
    await probe()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const pause = async (clock: Clock, signal: AbortSignal | undefined): Promise<void> => {
  signal?.throwIfAborted()
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.at(clock.now() + pauseMs, resolve)
  signal?.addEventListener('abort', () => resolve(), { once: true })
  await promise
  cancel()
  signal?.throwIfAborted()
}
