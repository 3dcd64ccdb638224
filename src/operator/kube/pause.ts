import type { Clock } from '../../base/index.ts'

/** Resolves when the time has passed, or at once when the signal ends it. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> => {
  if (signal.aborted || ms <= 0) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.at(clock.now() + ms, end)
    signal.addEventListener('abort', end)
  })
}

export type Deadline = { readonly signal: AbortSignal; cancel(): void }

/** A signal that ends what takes longer than `ms`, or when `parent` does. Cancel it, or its alarm stays until then. */
export const deadline = (clock: Clock, ms: number, parent: AbortSignal | undefined): Deadline => {
  const controller = new AbortController()
  const end = (): void => controller.abort(parent?.aborted === true ? parent.reason : tooLate(ms))
  if (parent?.aborted === true) end()
  const cancelAlarm = clock.at(clock.now() + ms, end)
  parent?.addEventListener('abort', end)
  return {
    signal: controller.signal,
    cancel: () => {
      cancelAlarm()
      parent?.removeEventListener('abort', end)
    }
  }
}

const tooLate = (ms: number): Error => new TooLate(`it has taken longer than ${ms} ms`)

/** Why a signal has ended something: not because nobody needs it any more. */
export class TooLate extends Error {
  override readonly name = 'TooLate'
}

/** A signal that ends what says nothing for `ms`, or when `parent` does. */
export class Silence {
  readonly #clock: Clock
  readonly #ms: number
  readonly #parent: AbortSignal
  readonly #controller = new AbortController()
  #cancelAlarm: () => void
  readonly #follow = (): void => this.#controller.abort(this.#parent.reason)

  constructor(clock: Clock, ms: number, parent: AbortSignal) {
    this.#clock = clock
    this.#ms = ms
    this.#parent = parent
    this.#cancelAlarm = this.#alarm()
    if (parent.aborted) this.#follow()
    parent.addEventListener('abort', this.#follow)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something was said: the time begins anew. */
  broken(): void {
    this.#cancelAlarm()
    this.#cancelAlarm = this.#alarm()
  }

  /** Nobody listens any more; ends what may still be under way. */
  end(): void {
    this.#cancelAlarm()
    this.#parent.removeEventListener('abort', this.#follow)
    this.#controller.abort()
  }

  #alarm(): () => void {
    return this.#clock.at(this.#clock.now() + this.#ms, () =>
      this.#controller.abort(new TooLate(`nothing has come for ${this.#ms} ms`))
    )
  }
}

/** Waiting times that double with each failure in a row; the first failure waits for nothing. */
export class Backoff {
  readonly #firstMs: number
  readonly #capMs: number
  readonly #random: () => number
  #failureCount = 0

  constructor(firstMs: number, capMs: number, random: () => number) {
    this.#firstMs = firstMs
    this.#capMs = capMs
    this.#random = random
  }

  /** With jitter, so that many who failed together do not come back together. */
  next(): number {
    const doublings = this.#failureCount++ - 1
    if (doublings < 0) return 0
    const ms = Math.min(this.#capMs, this.#firstMs * 2 ** Math.min(doublings, 30))
    return ms * (0.5 + this.#random() / 2)
  }

  reset(): void {
    this.#failureCount = 0
  }
}
