import { type Clock, isParcomoloError } from '../base/index.ts'

/** A pause before something that has failed is tried again. */
const pauseMs = 200

type Attempt = () => Promise<unknown> | undefined

/** Tries again what a passing fault has hit, until it works or is stopped. */
export class Patience {
  readonly #clock: Clock
  readonly #onHeldUp: (error: unknown) => void
  /** Each ends a pause that is under way. */
  readonly #pauses = new Set<() => void>()
  #stopped = false

  /** `onHeldUp` hears of a fault once, however often the same call fails; with undefined, that the call has worked. */
  constructor(clock: Clock, onHeldUp: (error: unknown) => void = () => undefined) {
    this.#clock = clock
    this.#onHeldUp = onHeldUp
  }

  /**
   * True when it has worked, false when it was stopped before; undefined where there is nothing to wait for. Rejects
   * with an error that no repetition mends.
   */
  until(attempt: Attempt): Promise<boolean> | undefined {
    const first = attempt()
    return first === undefined ? undefined : this.#insist(first, attempt)
  }

  stop(): void {
    this.#stopped = true
    for (const end of this.#pauses) end()
  }

  async #insist(first: Promise<unknown>, again: Attempt): Promise<boolean> {
    let isHeldUp = false
    for (let attempt: ReturnType<Attempt> = first; ; attempt = again()) {
      try {
        await attempt
        if (isHeldUp) this.#onHeldUp(undefined)
        return true
      } catch (error) {
        if (!isParcomoloError(error) || !error.retryable) throw error
        if (!isHeldUp) this.#onHeldUp(error)
        isHeldUp = true
      }
      await this.#pause()
      if (this.#stopped) return false
    }
  }

  #pause(): Promise<void> | undefined {
    if (this.#stopped) return undefined
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#pauses.delete(end)
        resolve()
      }
      const cancel = this.#clock.at(this.#clock.now() + pauseMs, end)
      this.#pauses.add(end)
    })
  }
}
