import type { Clock } from '../../base/index.ts'
import type { Page } from './api.ts'
import { isGone } from './api-error.ts'
import type { WatchFrame } from './frames.ts'
import { type Change, ObjectCopy } from './object-copy.ts'
import { Backoff, pause, Silence } from './pause.ts'
import type { KubeObject } from './resource.ts'

/** Where the objects of one kind come from: the API. */
export type Source<T> = {
  list(page: { limit: number; next?: string | undefined; signal: AbortSignal }): Promise<Page<T>>
  watch(from: {
    resourceVersion: string
    timeoutSeconds: number
    signal: AbortSignal
  }): Promise<AsyncIterable<WatchFrame<T>>>
}

export type ReflectorDeps<T> = {
  readonly source: Source<T>
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly onChange: (change: Change<T>) => void
  /** A list or a watch has failed and is tried again, or `onChange` has thrown. */
  readonly onError: (error: unknown) => void
}

export type ReflectorStats = {
  objectCount: number
  listCount: number
  watchCount: number
  failureCount: number
  /** When the loop last came on, also by a failure: one that stands still for minutes is broken. */
  movedAt: number
}

const pageSize = 500
const relistMs = 600_000
/** A bookmark comes about every minute: a watch that says nothing for so long leads nowhere any more. */
const silenceMsMax = 150_000
/** A watch that lasted so long was a good one: what ends it then is no failure in a row. */
const healthyMs = 10_000

/**
 * A copy of all objects of one kind, kept true by a list and the watch that follows it.
 *
 * R1. Whatever a watch misses (cut, 410, silence) the next watch or list brings: nothing but `stop` ends the loop.
 * R2. An object never goes back to an older version, whether it comes by list, watch or `learn`.
 * R3. `onChange` hears of each change once, after the copy has it; what it throws stops nothing.
 */
export class Reflector<T extends KubeObject> {
  readonly stats: ReflectorStats
  readonly #deps: ReflectorDeps<T>
  readonly #copy: ObjectCopy<T>
  readonly #stop = new AbortController()
  readonly #synced = Promise.withResolvers<void>()
  readonly #backoff: Backoff
  #hasSynced = false
  #resourceVersion = ''
  #running: Promise<void> = Promise.resolve()

  constructor(deps: ReflectorDeps<T>) {
    this.#deps = deps
    this.#copy = new ObjectCopy((change) => this.#tell(change))
    this.#backoff = new Backoff(800, 10_000, deps.random)
    this.stats = { objectCount: 0, listCount: 0, watchCount: 0, failureCount: 0, movedAt: deps.clock.now() }
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Resolves when all objects are here for the first time. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get hasSynced(): boolean {
    return this.#hasSynced
  }

  get(name: string): T | undefined {
    return this.#copy.get(name)
  }

  all(): readonly T[] {
    return this.#copy.all()
  }

  /** Takes what a write has answered, so that the own write is seen before the watch brings it. */
  learn(object: T): void {
    this.#copy.learn(object)
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if ((await this.#outcomeOf(() => this.#list())) === 'done') await this.#follow()
    }
  }

  /** One watch after the other, until it is time to list again or the server has forgotten where the last one ended. */
  async #follow(): Promise<void> {
    const { clock, random } = this.#deps
    const relistAt = clock.now() + relistMs * (0.9 + random() * 0.2)
    while (!this.#stop.signal.aborted && clock.now() < relistAt) {
      if ((await this.#outcomeOf(() => this.#watch(relistAt))) === 'gone') return
    }
  }

  /** After a failure, once the time to wait has passed. */
  async #outcomeOf(work: () => Promise<void>): Promise<'done' | 'gone' | 'failed'> {
    try {
      await work()
      return 'done'
    } catch (error) {
      if (this.#stop.signal.aborted) return 'failed'
      this.stats.failureCount++
      this.#deps.onError(error)
      await pause(this.#deps.clock, this.#backoff.next(), this.#stop.signal)
      return isGone(error) ? 'gone' : 'failed'
    } finally {
      this.stats.movedAt = this.#deps.clock.now()
    }
  }

  async #list(): Promise<void> {
    const found = new Map<string, T>()
    const { signal } = this.#stop
    for (let next: string | undefined, isFirst = true; isFirst || next !== undefined; isFirst = false) {
      const page = await this.#deps.source.list({ limit: pageSize, next, signal })
      for (const item of page.items) found.set(item.metadata.name, item)
      this.#resourceVersion = page.resourceVersion
      next = page.next
    }
    this.stats.listCount++
    this.#copy.replace(found)
    this.#hasSynced = true
    this.#synced.resolve()
  }

  async #watch(endAt: number): Promise<void> {
    const { clock, random, source } = this.#deps
    const startedAt = clock.now()
    const seconds = Math.min(240 + random() * 240, (endAt - startedAt) / 1000)
    const silence = new Silence(clock, silenceMsMax, this.#stop.signal)
    let frameCount = 0
    try {
      const frames = await source.watch({
        resourceVersion: this.#resourceVersion,
        timeoutSeconds: Math.max(1, Math.round(seconds)),
        signal: silence.signal
      })
      this.stats.watchCount++
      silence.broken()
      for await (const frame of frames) {
        frameCount++
        silence.broken()
        this.#take(frame)
      }
    } finally {
      silence.end()
      if (clock.now() - startedAt >= healthyMs) this.#backoff.reset()
    }
    if (frameCount === 0 && clock.now() - startedAt < 1000) await this.#tooShort()
  }

  /** Whoever ends every watch at once would be asked without end. */
  #tooShort(): Promise<void> {
    this.stats.failureCount++
    return pause(this.#deps.clock, this.#backoff.next(), this.#stop.signal)
  }

  #take({ type, object }: WatchFrame<T>): void {
    this.#resourceVersion = object.metadata.resourceVersion
    this.stats.movedAt = this.#deps.clock.now()
    if (type === 'BOOKMARK') return
    if (type === 'DELETED') this.#copy.remove(object.metadata.name)
    else this.#copy.put(object)
  }

  #tell(change: Change<T>): void {
    this.stats.objectCount = this.#copy.size
    try {
      this.#deps.onChange(change)
    } catch (error) {
      this.#deps.onError(error)
    }
  }
}
