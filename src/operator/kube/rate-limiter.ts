import type { Clock } from '../../base/index.ts'

/** So many at once, and then one each `refillMs`. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #size: number
  readonly #refillMs: number
  /** When the bucket will be (or was) full; each token taken moves it on. */
  #fullAt: number

  constructor(clock: Clock, size: number, refillMs: number) {
    this.#clock = clock
    this.#size = size
    this.#refillMs = refillMs
    this.#fullAt = clock.now()
  }

  /** Takes a token, if need be one that is not there yet, and gives the time until it is. */
  reserve(): number {
    const now = this.#clock.now()
    this.#fullAt = Math.max(this.#fullAt, now) + this.#refillMs
    return Math.max(0, this.#fullAt - now - this.#size * this.#refillMs)
  }

  /** Takes a token if there is one. */
  take(): boolean {
    if (Math.max(this.#fullAt, this.#clock.now()) + this.#refillMs - this.#clock.now() > this.#size * this.#refillMs)
      return false
    this.reserve()
    return true
  }
}

export type RateLimits = {
  readonly firstMs: number
  readonly capMs: number
  /** For all keys together. */
  readonly burst: number
  readonly perSecond: number
}

export const rateLimits: RateLimits = { firstMs: 200, capMs: 60_000, burst: 100, perSecond: 10 }

/** When a key that has failed comes again: doubling for the key by itself, and never too many of all keys at once. */
export class RateLimiter {
  readonly #limits: RateLimits
  readonly #failureCounts = new Map<string, number>()
  readonly #bucket: TokenBucket

  constructor(clock: Clock, limits: RateLimits = rateLimits) {
    this.#limits = limits
    this.#bucket = new TokenBucket(clock, limits.burst, 1000 / limits.perSecond)
  }

  delayMs(key: string): number {
    const failures = this.#failureCounts.get(key) ?? 0
    this.#failureCounts.set(key, failures + 1)
    const { firstMs, capMs } = this.#limits
    return Math.max(Math.min(capMs, firstMs * 2 ** Math.min(failures, 30)), this.#bucket.reserve())
  }

  forget(key: string): void {
    this.#failureCounts.delete(key)
  }
}
