import type { Clock } from '../../base/index.ts'
import type { RateLimiter } from './rate-limiter.ts'

/**
 * Keys that wait for work, as client-go's queue has them.
 *
 * Q1. A key is in the hands of at most one worker; whoever adds it meanwhile has it done once more, after that.
 * Q2. However often a key is added before its turn, it is done once.
 * Q3. What was to come later comes at once where the key is added at once, or earlier where an earlier time is given.
 */
export class WorkQueue {
  readonly #clock: Clock
  readonly #limiter: RateLimiter
  readonly #ready: string[] = []
  /** In the queue, or to be put there when its worker is done. */
  readonly #dirty = new Set<string>()
  readonly #processing = new Set<string>()
  readonly #later = new Map<string, { at: number; cancel: () => void }>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  #isShutDown = false
  #addCount = 0

  constructor(clock: Clock, limiter: RateLimiter) {
    this.#clock = clock
    this.#limiter = limiter
  }

  /** Keys that wait for a worker now. */
  get depth(): number {
    return this.#ready.length
  }

  get addCount(): number {
    return this.#addCount
  }

  add(key: string): void {
    if (this.#isShutDown) return
    this.#forgetLater(key)
    if (this.#dirty.has(key)) return
    this.#addCount++
    this.#dirty.add(key)
    if (!this.#processing.has(key)) this.#offer(key)
  }

  addAfter(key: string, ms: number): void {
    if (ms <= 0) return this.add(key)
    const at = this.#clock.now() + ms
    const known = this.#later.get(key)
    if (this.#isShutDown || (known !== undefined && known.at <= at)) return
    known?.cancel()
    this.#later.set(key, { at, cancel: this.#clock.at(at, () => this.add(key)) })
  }

  /** Later and later, the more often it is called for the key without `forget`. */
  addRateLimited(key: string): void {
    this.addAfter(key, this.#limiter.delayMs(key))
  }

  forget(key: string): void {
    this.#limiter.forget(key)
  }

  /** The next key, which is the caller's until it calls `done`; undefined once the queue is shut down. */
  take(): Promise<string | undefined> {
    if (this.#isShutDown) return Promise.resolve(undefined)
    const key = this.#ready.shift()
    if (key !== undefined) return Promise.resolve(this.#handOut(key))
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  done(key: string): void {
    this.#processing.delete(key)
    if (this.#dirty.has(key) && !this.#isShutDown) this.#offer(key)
  }

  /** What waits is dropped, and whoever waits for work is sent away. */
  shutDown(): void {
    this.#isShutDown = true
    for (const { cancel } of this.#later.values()) cancel()
    this.#later.clear()
    this.#ready.length = 0
    for (const send of this.#takers.splice(0)) send(undefined)
  }

  #offer(key: string): void {
    const send = this.#takers.shift()
    if (send === undefined) this.#ready.push(key)
    else send(this.#handOut(key))
  }

  #handOut(key: string): string {
    this.#dirty.delete(key)
    this.#processing.add(key)
    return key
  }

  #forgetLater(key: string): void {
    this.#later.get(key)?.cancel()
    this.#later.delete(key)
  }
}
