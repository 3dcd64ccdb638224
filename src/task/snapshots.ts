import { ParcomoloError } from '../base/index.ts'
import type { JournalWriter, Log, LogRecord, StoredRecord, TopicPartition } from '../log/index.ts'
import { bytesMost, partBytesMax } from './batch.ts'
import type { Component } from './component.ts'
import type { Encoded } from './cell.ts'
import type { Entities } from './entities.ts'
import { header } from './headers.ts'
import type { LanePositions } from './lanes.ts'

/** Two compacted topics per component, partitioned as its journal. */
export const snapshotTopic = (component: string): string => `${component}-snapshots`
export const archiveTopic = (component: string): string => `${component}-archive`

/** What a snapshot stands for besides entities. */
export type Marker = {
  readonly offset: number
  readonly positions: Record<string, number>
  readonly forwarded: number
  /**
   * Of events below `forwarded` those whose commands are not in their inboxes all the same; absent where there are
   * none, and in those of earlier releases.
   */
  readonly behind?: readonly number[]
  /** Absent where nothing was put off, and in those of earlier releases. */
  readonly lanes?: LanePositions
  /** The task's time when it was taken; absent in those of earlier releases. */
  readonly at?: number
}

/** The marker's key; the entities' keys have this before them, so that none can be taken for it. */
export const markerKey = 'marker'
const fenceKey = 'fence'
export const entityPrefix = 'entity:'
/**
 * Entities taken between two rounds of the task, and written as one batch: at most so many, and until `bytesAim` is
 * reached. A batch waits for a sync of the log, so a smaller one would not keep up with a busy task; a larger one would
 * hold its rounds up for more than a few ms.
 */
const entitiesPerSliceMax = 1000

/**
 * Does something between two rounds of the task, when memory equals the journal, whose next offset it is given; nothing
 * else runs meanwhile.
 * Resolves with undefined, without doing it, when the task stops.
 */
export type AtBoundary = <T>(work: (journalEnd: number) => T) => Promise<T | undefined>

/** The keys that are still to be written: those from here on. */
type Rest = { readonly keys: readonly string[]; readonly from: number }

/** `next`: where among the keys the next slice begins. */
type Slice = {
  readonly journalEnd: number
  readonly live: LogRecord[]
  readonly ended: LogRecord[]
  readonly next: number
}

export type SnapshotsDeps<S> = {
  readonly log: Log
  readonly component: Component<S>
  readonly journal: TopicPartition
  readonly entities: Entities<S>
  readonly bytesAim: number
  /** An entity is too large to be in a snapshot; told once. */
  readonly onTooLarge: (key: string, error: ParcomoloError) => void
}

/**
 * Snapshots of one task. They are a cache: without them the journal is read from its start.
 *
 * N1. What is written stands for a durable prefix of the journal: each entity for the events below its own version, the
 *     marker for all below its offset.
 * N2. The marker of a round is written after all entities that had changed before its offset. So recovery is: entities,
 *     then the journal from the marker on, where an entity passes over the events below its version.
 *     So while an entity is too large to be written, there is no new marker: a start reads on from the last.
 * N3. What has ended goes to the archive, leaves the snapshots, and then memory. The archive is only ever asked for
 *     single keys, so neither start-up nor memory grows with what has ended.
 * N4. Entities may sleep (E4) where no snapshot is under way: what is not to be written next is among the snapshots.
 */
export class Snapshots<S> {
  readonly #deps: SnapshotsDeps<S>
  #snapshots: JournalWriter | undefined
  #archive: JournalWriter | undefined
  /** Entities that have a record among the snapshots, to be deleted there once they have ended. */
  readonly #written = new Set<string>()
  /** Entities that were too large when their turn came last. */
  readonly #tooLarge = new Set<string>()
  #archiveIsEmpty = true

  constructor(deps: SnapshotsDeps<S>) {
    this.#deps = deps
  }

  /** Claims both partitions: what an older owner writes there after this is refused; what it wrote before is read. */
  async claim(): Promise<void> {
    const { partition } = this.#deps.journal
    this.#snapshots = await this.#deps.log.claim({ topic: snapshotTopic(this.#deps.component.name), partition })
    this.#archive = await this.#deps.log.claim({ topic: archiveTopic(this.#deps.component.name), partition })
    await this.#snapshots.append([record(fenceKey, null, {})])
    this.#archiveIsEmpty = (await this.#archive.append([record(fenceKey, null, {})])) === 0
  }

  /** Restores what is there; undefined where there is no whole snapshot. */
  async load(): Promise<Marker | undefined> {
    const { log } = this.#deps
    let marker: Marker | undefined
    for await (const records of log.read(this.#snapshots!, 0, await log.end(this.#snapshots!))) {
      for (const record of records) {
        if (record.key === fenceKey) continue
        if (record.value === null) this.#forget(record.key.slice(entityPrefix.length))
        else if (record.key === markerKey) marker = markerFrom(record.value)
        else this.#restore(record)
      }
      this.#deps.entities.sleep()
    }
    return marker
  }

  /**
   * Brings those among these keys into memory that are archived or sleep, and resolves with the keys that it has looked
   * up; undefined, without a promise, where there is none to bring.
   */
  fetch(keys: () => readonly string[]): Promise<readonly string[]> | undefined {
    if (this.#archiveIsEmpty && this.#deps.entities.sleepingCount === 0) return undefined
    const missing = [...new Set(keys())].filter((key) => !this.#deps.entities.has(key))
    return missing.length === 0 ? undefined : this.#fetch(missing)
  }

  /**
   * Writes what has changed since the last time, ended entities to the archive. False where that is not whole: the task
   * stopped before all was written, or an entity is too large.
   */
  async write(atBoundary: AtBoundary, marker: () => Marker): Promise<boolean> {
    const begun = await atBoundary(() => ({ marker: marker(), keys: this.#takeDirty() }))
    if (begun === undefined || !(await this.#writeAll(begun.keys, atBoundary))) return false
    await atBoundary(() => this.#deps.entities.sleep())
    if (this.#tooLarge.size > 0) return false
    await this.#deps.log.durable(this.#deps.journal, begun.marker.offset)
    await this.#snapshots!.append([record(markerKey, Buffer.from(JSON.stringify(begun.marker)), {})])
    return true
  }

  /**
   * Writes of what has changed only what has ended since, to the archive, so that it leaves memory; the next snapshot
   * has the rest, and the marker.
   */
  async archive(atBoundary: AtBoundary): Promise<void> {
    const keys = await atBoundary(() => this.#takeEnded())
    if (keys !== undefined) await this.#writeAll(keys, atBoundary)
  }

  /** False where the task stopped before all was written. */
  async #writeAll(keys: readonly string[], atBoundary: AtBoundary): Promise<boolean> {
    let ended: readonly LogRecord[] = []
    for (let next = 0; next < keys.length;) {
      const rest = { keys, from: next }
      const slice = await atBoundary((journalEnd) => this.#evictAndEncode(ended, rest, journalEnd))
      if (slice === undefined) return false
      await this.#writeSlice(slice)
      ended = slice.ended
      next = slice.next
    }
    await atBoundary(() => this.#evict(ended))
    return true
  }

  #takeDirty(): string[] {
    const keys = [...this.#deps.entities.dirty]
    this.#deps.entities.dirty.clear()
    return keys
  }

  #takeEnded(): string[] {
    const { entities } = this.#deps
    const keys = [...entities.dirty].filter((key) => entities.hasEnded(key))
    for (const key of keys) entities.dirty.delete(key)
    return keys
  }

  /** Both at one boundary: under load the task comes to one only every so often. */
  #evictAndEncode(ended: readonly LogRecord[], rest: Rest, journalEnd: number): Slice {
    this.#evict(ended)
    return this.#encode(rest, journalEnd)
  }

  #encode({ keys, from }: Rest, journalEnd: number): Slice {
    const end = Math.min(keys.length, from + entitiesPerSliceMax)
    const [live, ended]: [LogRecord[], LogRecord[]] = [[], []]
    let [next, bytes] = [from, 0]
    while (next < end && bytes < this.#deps.bytesAim) {
      const key = keys[next++]!
      const encoded = this.#deps.entities.encoded(key)
      const stored = encoded && entityRecord(key, encoded)
      if (stored === undefined) live.push(...this.#gone(key))
      else if (this.#isTooLarge(key, encoded!)) this.#deps.entities.dirty.add(key)
      else if (encoded!.hasEnded) ended.push(stored)
      else live.push(this.#live(key, stored))
      bytes += stored === undefined ? 0 : bytesMost(key, encoded!.bytes)
    }
    return { journalEnd, live, ended, next }
  }

  #isTooLarge(key: string, encoded: Encoded): boolean {
    const [bytes, bytesMax] = [bytesMost(key, encoded.bytes), partBytesMax(this.#deps.bytesAim)]
    if (bytes <= bytesMax) {
      this.#tooLarge.delete(key)
      return false
    }
    if (!this.#tooLarge.has(key)) this.#deps.onTooLarge(key, entityTooLarge(key, bytes, bytesMax))
    this.#tooLarge.add(key)
    return true
  }

  async #writeSlice({ journalEnd, live, ended }: Slice): Promise<void> {
    await this.#deps.log.durable(this.#deps.journal, journalEnd)
    if (ended.length > 0) await this.#archive!.append(ended)
    this.#archiveIsEmpty &&= ended.length === 0
    const deletions = ended.flatMap(({ key }) => this.#deletion(key.slice(entityPrefix.length)))
    if (live.length + deletions.length > 0) await this.#snapshots!.append([...live, ...deletions])
  }

  /** What has changed while the archive was written stays; it is dirty again, so its turn comes next time. */
  #evict(ended: readonly LogRecord[]): void {
    for (const { key, headers } of ended) {
      const entity = key.slice(entityPrefix.length)
      if (this.#deps.entities.version(entity) === Number(headers[header.version])) this.#deps.entities.evict(entity)
    }
  }

  #live(key: string, stored: LogRecord): LogRecord {
    this.#written.add(key)
    return stored
  }

  #gone(key: string): LogRecord[] {
    this.#tooLarge.delete(key)
    return this.#deletion(key)
  }

  #deletion(key: string): LogRecord[] {
    return this.#written.delete(key) ? [record(entityPrefix + key, null, {})] : []
  }

  #restore(stored: StoredRecord): void {
    const key = stored.key.slice(entityPrefix.length)
    this.#written.add(key)
    this.#take(key, stored)
  }

  #forget(key: string): void {
    this.#written.delete(key)
    this.#deps.entities.forget(key)
  }

  #take(key: string, stored: StoredRecord): void {
    this.#deps.entities.restore(key, stored.value!, Number(stored.headers[header.version]))
  }

  async #fetch(missing: readonly string[]): Promise<readonly string[]> {
    const { entities } = this.#deps
    const asleep = missing.filter((key) => entities.isAsleep(key))
    if (asleep.length > 0) await this.#wake(asleep)
    const others = asleep.length === 0 ? missing : missing.filter((key) => !entities.has(key))
    if (others.length > 0 && !this.#archiveIsEmpty) await this.#fetchArchived(others)
    return missing
  }

  async #wake(asleep: readonly string[]): Promise<void> {
    const { log, component, entities } = this.#deps
    const found = await log.lookup(
      this.#snapshots!,
      asleep.map((key) => entityPrefix + key)
    )
    for (const key of asleep) {
      const stored = found.get(entityPrefix + key)
      if (stored?.value == null) throw notInSnapshots(component.name, key)
      entities.wake(key, stored.value, Number(stored.headers[header.version]))
    }
  }

  async #fetchArchived(missing: readonly string[]): Promise<void> {
    const found = await this.#deps.log.lookup(
      this.#archive!,
      missing.map((key) => entityPrefix + key)
    )
    for (const key of missing) {
      const stored = found.get(entityPrefix + key)
      if (stored?.value == null || this.#deps.entities.has(key)) continue
      this.#take(key, stored)
      // So that the next round of snapshots lets it leave memory again.
      this.#deps.entities.dirty.add(key)
    }
  }
}

/**
 * About how many records of a journal partition a start would have to read: told from the newest snapshots alone, and
 * without a claim.
 */
export const recordsToRead = async (
  log: Pick<Log, 'end' | 'read'>,
  component: string,
  journal: TopicPartition
): Promise<number> => {
  const place = { topic: snapshotTopic(component), partition: journal.partition }
  const [end, snapshotsEnd] = await Promise.all([log.end(journal), log.end(place)])
  let from = 0
  for await (const records of log.read(place, Math.max(0, snapshotsEnd - markerWithin), snapshotsEnd))
    for (const { key, value } of records) if (key === markerKey && value !== null) from = startOf(markerFrom(value))
  return end - from
}

/** A marker is the last of its snapshot; fences, and what was written of the next one, may follow. */
const markerWithin = 100

/** An inbox that takes nothing for long must not make the next start read all that has been journaled since. */
export const behindMax = 2_000

/**
 * `behind`: the events below `offset` whose commands may not be in their inboxes yet; undefined where there are more
 * than `behindMax`, of which `first` is the first.
 */
export const forwardedOf = (
  offset: number,
  first: number,
  behind: readonly number[] | undefined
): Pick<Marker, 'forwarded' | 'behind'> => {
  if (behind === undefined) return { forwarded: first }
  return behind.length === 0 ? { forwarded: offset } : { forwarded: offset, behind }
}

/** Where a start with this marker begins to read: what has been decided may not have been forwarded. */
export const startOf = ({ offset, forwarded }: Marker): number => Math.min(offset, forwarded)

const markerFrom = (value: Uint8Array): Marker => JSON.parse(Buffer.from(value).toString()) as Marker

const entityTooLarge = (key: string, bytes: number, bytesMax: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_ENTITY_TOO_LARGE',
    `what is kept of '${key}' has '${bytes}' bytes; expected at most '${bytesMax}', so that a snapshot can hold it; ` +
      'until it has ended, each start reads all that has been journaled since'
  )

const notInSnapshots = (component: string, key: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `'${key}' of '${component}' is not among the snapshots that have to have it; ` +
      `if somebody has deleted from '${snapshotTopic(component)}', delete all of it, and the journal is read anew`
  )

const entityRecord = (key: string, { bytes, version }: Encoded): LogRecord =>
  record(entityPrefix + key, bytes, { [header.version]: String(version) })

const record = (key: string, value: Uint8Array | null, headers: Record<string, string>): LogRecord => ({
  key,
  value,
  timestamp: 0,
  headers
})
