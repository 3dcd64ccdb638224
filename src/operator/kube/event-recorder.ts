import { type Clock, sha256Hex } from '../../base/index.ts'
import { isNotFound } from './api-error.ts'
import { TokenBucket } from './rate-limiter.ts'
import { apiVersionOf, eventKind, type KubeObject, microTime, type ResourceKind } from './resource.ts'

/** Something that has happened to an object: said when it happens, not each time that it is looked at. */
export type Occurrence = {
  readonly kind: ResourceKind
  readonly object: KubeObject
  readonly type: 'Normal' | 'Warning'
  /** One word in CamelCase: `Published`. */
  readonly reason: string
  /** What was done, one word in CamelCase: `Publish`. */
  readonly action: string
  readonly note: string
}

/** Where Events go: the API. */
export type EventStore = {
  createEvent(event: object): Promise<unknown>
  patchEvent(name: string, patch: object): Promise<unknown>
}

export type EventRecorderDeps = {
  readonly events: EventStore
  readonly clock: Clock
  /** The controller's name and that of this process, as they stand in each Event. */
  readonly controller: string
  readonly instance: string
  readonly onError: (error: unknown) => void
}

type Series = { name: string; count: number; seenAt: number; cancel: (() => void) | undefined }

/** The same again within this time is counted in the Event that there is. */
const seriesMs = 360_000
/** A count is written at most so often. */
const countEveryMs = 10_000
/** As client-go: of one object 25 Events at once, then one in five minutes. */
const burst = 25
const refillMs = 300_000
const seriesMax = 1_000
const noteBytesMax = 1_024

/**
 * Tells people of what happens, by Events (events.k8s.io/v1). Nothing waits for it and nothing depends on it: an Event
 * that cannot be written is reported and left out.
 */
export class EventRecorder {
  readonly stats = { recordedCount: 0, droppedCount: 0 }
  readonly #deps: EventRecorderDeps
  readonly #series = new Map<string, Series>()
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #underWay = new Set<Promise<void>>()

  constructor(deps: EventRecorderDeps) {
    this.#deps = deps
  }

  record(occurrence: Occurrence): void {
    const { uid } = occurrence.object.metadata
    const key = [uid, occurrence.type, occurrence.reason, occurrence.note].join(' ')
    const now = this.#deps.clock.now()
    const series = this.#series.get(key)
    if (series !== undefined && now - series.seenAt < seriesMs) return this.#countOn(key, series)
    if (!this.#bucketOf(uid).take()) {
      this.stats.droppedCount++
      return
    }
    series?.cancel?.()
    const name = `${occurrence.object.metadata.name}.${sha256Hex(`${key} ${this.#deps.instance} ${now}`).slice(0, 16)}`
    this.#series.delete(key)
    this.#series.set(key, { name, count: 1, seenAt: now, cancel: undefined })
    this.#dropOldest()
    this.#send(() => this.#deps.events.createEvent(this.#eventOf(occurrence, name, now)))
  }

  /** Writes what is still to be counted, and resolves when all is written. */
  async stop(): Promise<void> {
    for (const [key, series] of this.#series) if (series.cancel !== undefined) this.#writeCount(key, series)
    await Promise.all(this.#underWay)
  }

  #countOn(key: string, series: Series): void {
    const { clock } = this.#deps
    series.count++
    series.seenAt = clock.now()
    series.cancel ??= clock.at(clock.now() + countEveryMs, () => this.#writeCount(key, series))
  }

  #writeCount(key: string, series: Series): void {
    series.cancel?.()
    series.cancel = undefined
    const patch = { series: { count: series.count, lastObservedTime: microTime(series.seenAt) } }
    this.#send(async () => {
      try {
        await this.#deps.events.patchEvent(series.name, patch)
      } catch (error) {
        // It has expired on the server: the next one of its kind begins a new Event.
        if (!isNotFound(error)) throw error
        if (this.#series.get(key) === series) this.#series.delete(key)
      }
    })
  }

  #send(write: () => Promise<unknown>): void {
    const sent = write().then(
      () => void this.stats.recordedCount++,
      (error: unknown) => {
        this.stats.droppedCount++
        this.#deps.onError(error)
      }
    )
    this.#underWay.add(sent)
    void sent.then(() => this.#underWay.delete(sent))
  }

  #eventOf({ kind, object, note, ...said }: Occurrence, name: string, now: number): object {
    const { metadata } = object
    const regarding = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...identityOf(metadata) }
    return {
      ...{ apiVersion: apiVersionOf(eventKind), kind: eventKind.kind, ...said },
      metadata: { name, namespace: metadata.namespace },
      eventTime: microTime(now),
      reportingController: this.#deps.controller,
      reportingInstance: this.#deps.instance,
      regarding,
      note: cutToBytes(note, noteBytesMax)
    }
  }

  #bucketOf(uid: string): TokenBucket {
    const bucket = this.#buckets.get(uid) ?? new TokenBucket(this.#deps.clock, burst, refillMs)
    this.#buckets.delete(uid)
    this.#buckets.set(uid, bucket)
    return bucket
  }

  #dropOldest(): void {
    for (const [key, series] of this.#series) {
      if (this.#series.size <= seriesMax) break
      series.cancel?.()
      this.#series.delete(key)
    }
    for (const uid of this.#buckets.keys()) if (this.#buckets.size > seriesMax) this.#buckets.delete(uid)
  }
}

const identityOf = ({ name, namespace, uid, resourceVersion }: KubeObject['metadata']) => ({
  ...{ name, namespace, uid, resourceVersion }
})

/** At most so many bytes of UTF-8, cut between characters. */
export const cutToBytes = (text: string, bytesMax: number): string => {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= bytesMax) return text
  const cut = new TextDecoder().decode(bytes.subarray(0, bytesMax - 3)).replace(/\uFFFD+$/, '')
  return `${cut}…`
}
