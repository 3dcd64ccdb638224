import { type Clock } from '../../base/index.ts'
import { isConflict, isNotFound } from './api-error.ts'
import { RateLimiter } from './rate-limiter.ts'
import { WorkQueue } from './work-queue.ts'

/**
 * How a key came out: nothing more to do; once more after a while; or a `terminal` error, which to try again is no use
 * until something changes.
 */
export type Result = { readonly requeueAfterMs?: number; readonly terminal?: unknown }

export type ControllerDeps = {
  readonly name: string
  /**
   * Brings the state of one key nearer to what is asked for. It looks at what is there now, not at what has happened.
   * What it throws is reported, and the key comes again, later each time. The signal ends it.
   */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Result>
  /** All keys that there are, for the resync. */
  readonly keys: () => Iterable<string>
  readonly clock: Clock
  readonly random: () => number
  readonly onError: (error: unknown, key: string) => void
  /** How many keys are reconciled at once. */
  readonly workers: number
}

const resyncMs = 600_000
const outcomes = ['done', 'requeued', 'terminal', 'failed'] as const
/** Upper bounds of the histogram of times, in seconds. */
export const timeBuckets = [0.005, 0.02, 0.1, 0.5, 1, 5, 30] as const

export type ControllerStats = {
  readonly results: Record<(typeof outcomes)[number], number>
  /** How many reconciles took at most as long as the bucket of the same place says. */
  readonly bucketCounts: number[]
  secondsTotal: number
}

/**
 * Workers that reconcile the keys of a queue, each key by one worker at a time.
 *
 * C1. A key that was enqueued is reconciled once more after that, whatever happens, until the controller is stopped.
 * C2. Every key comes at least once in each `resyncMs` (and a tenth), so what no event has told of is found.
 */
export class Controller {
  readonly stats: ControllerStats
  readonly #deps: ControllerDeps
  readonly #queue: WorkQueue
  readonly #stop = new AbortController()
  #workers: Promise<unknown> = Promise.resolve()
  #cancelResync: (() => void) | undefined

  constructor(deps: ControllerDeps) {
    this.#deps = deps
    this.#queue = new WorkQueue(deps.clock, new RateLimiter(deps.clock))
    this.stats = {
      results: { done: 0, requeued: 0, terminal: 0, failed: 0 },
      bucketCounts: timeBuckets.map(() => 0),
      secondsTotal: 0
    }
  }

  get name(): string {
    return this.#deps.name
  }

  get depth(): number {
    return this.#queue.depth
  }

  get addCount(): number {
    return this.#queue.addCount
  }

  enqueue(key: string): void {
    this.#queue.add(key)
  }

  /** Begins with all keys. */
  start(): void {
    for (const key of this.#deps.keys()) this.enqueue(key)
    this.#workers = Promise.all(Array.from({ length: this.#deps.workers }, () => this.#work()))
    this.#resyncLater()
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#cancelResync?.()
    this.#queue.shutDown()
    await this.#workers
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      await this.#reconcile(key)
      this.#queue.done(key)
    }
  }

  async #reconcile(key: string): Promise<void> {
    const startedAt = this.#deps.clock.now()
    try {
      this.#settle(key, await this.#deps.reconcile(key, this.#stop.signal))
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.stats.results.failed++
      // Somebody has changed or deleted it meanwhile: the next look sees that, and nobody needs to hear of it.
      if (!isConflict(error) && !isNotFound(error)) this.#deps.onError(error, key)
      this.#queue.addRateLimited(key)
    } finally {
      this.#count((this.#deps.clock.now() - startedAt) / 1000)
    }
  }

  #settle(key: string, { requeueAfterMs, terminal }: Result): void {
    this.#queue.forget(key)
    if (terminal !== undefined) {
      this.stats.results.terminal++
      this.#deps.onError(terminal, key)
    } else this.stats.results[requeueAfterMs === undefined ? 'done' : 'requeued']++
    if (requeueAfterMs !== undefined) this.#queue.addAfter(key, requeueAfterMs)
  }

  #count(seconds: number): void {
    this.stats.secondsTotal += seconds
    for (const [at, bound] of timeBuckets.entries()) if (seconds <= bound) this.stats.bucketCounts[at]!++
  }

  #resyncLater(): void {
    const { clock, keys, random } = this.#deps
    this.#cancelResync = clock.at(clock.now() + resyncMs, () => {
      // Spread out, so that many keys do not come all at once.
      for (const key of keys()) this.#queue.addAfter(key, random() * (resyncMs / 10))
      this.#resyncLater()
    })
  }
}
