import type { JournalWriter, Log, LogRecord, StoredRecord, TopicPartition } from '../log/index.ts'
import type { Component } from './component.ts'
import type { Entities } from './entities.ts'
import { header } from './headers.ts'

/** Two compacted topics per component, partitioned as its journal. */
export const snapshotTopic = (component: string): string => `${component}-snapshots`
export const archiveTopic = (component: string): string => `${component}-archive`

/** What a snapshot stands for besides entities. */
export type Marker = { readonly offset: number; readonly positions: Record<string, number>; readonly forwarded: number }

/** The marker's key; the entities' keys have this before them, so that none can be taken for it. */
export const markerKey = 'marker'
const fenceKey = 'fence'
export const entityPrefix = 'entity:'
/**
 * Entities taken between two rounds of the task, and written as one batch. A batch waits for a sync of the log, so a
 * smaller one would not keep up with a busy task; a larger one would hold its rounds up for more than a few ms.
 */
const entitiesPerSliceMax = 1000

/**
 * Does something between two rounds of the task, when memory equals the journal, whose next offset it is given; nothing
 * else runs meanwhile.
 * Resolves with undefined, without doing it, when the task stops.
 */
export type AtBoundary = <T>(work: (journalEnd: number) => T) => Promise<T | undefined>

type Slice = { readonly journalEnd: number; readonly live: LogRecord[]; readonly ended: LogRecord[] }

/**
 * Snapshots of one task. They are a cache: without them the journal is read from its start.
 *
 * N1. What is written stands for a durable prefix of the journal: each entity for the events below its own version, the
 *     marker for all below its offset.
 * N2. The marker of a round is written after all entities that had changed before its offset. So recovery is: entities,
 *     then the journal from the marker on, where an entity passes over the events below its version.
 * N3. What has ended goes to the archive, leaves the snapshots, and then memory. The archive is only ever asked for
 *     single keys, so neither start-up nor memory grows with what has ended.
 */
export class Snapshots<S> {
  readonly #log: Log
  readonly #component: Component<S>
  readonly #journal: TopicPartition
  readonly #entities: Entities<S>
  #snapshots: JournalWriter | undefined
  #archive: JournalWriter | undefined
  /** Entities that have a record among the snapshots, to be deleted there once they have ended. */
  readonly #written = new Set<string>()
  #archiveIsEmpty = true

  constructor(log: Log, component: Component<S>, journal: TopicPartition, entities: Entities<S>) {
    this.#log = log
    this.#component = component
    this.#journal = journal
    this.#entities = entities
  }

  /** Claims both partitions and restores what is there; undefined where there is no whole snapshot. */
  async load(): Promise<Marker | undefined> {
    const { partition } = this.#journal
    this.#snapshots = await this.#log.claim({ topic: snapshotTopic(this.#component.name), partition })
    this.#archive = await this.#log.claim({ topic: archiveTopic(this.#component.name), partition })
    // What an older owner writes there after this is refused; what it wrote before is read.
    await this.#snapshots.append([record(fenceKey, null, {})])
    this.#archiveIsEmpty = (await this.#archive.append([record(fenceKey, null, {})])) === 0
    let marker: Marker | undefined
    for await (const records of this.#log.read(this.#snapshots, 0, await this.#log.end(this.#snapshots))) {
      for (const record of records) {
        if (record.key === fenceKey) continue
        if (record.value === null) this.#forget(record.key.slice(entityPrefix.length))
        else if (record.key === markerKey) marker = JSON.parse(Buffer.from(record.value).toString()) as Marker
        else this.#restore(record)
      }
    }
    return marker
  }

  /**
   * Brings the archived entities among these keys into memory, and resolves with the keys that it has looked up;
   * undefined, without a promise, where there is none to bring.
   */
  fetch(keys: () => readonly string[]): Promise<readonly string[]> | undefined {
    if (this.#archiveIsEmpty) return undefined
    const missing = [...new Set(keys())].filter((key) => !this.#entities.has(key))
    return missing.length === 0 ? undefined : this.#fetch(missing)
  }

  /**
   * Writes what has changed since the last time, ended entities to the archive. False where the task stopped before all
   * was written.
   */
  async write(atBoundary: AtBoundary, marker: () => Marker): Promise<boolean> {
    const begun = await atBoundary(() => ({ marker: marker(), keys: this.#takeDirty() }))
    if (begun === undefined) return false
    let ended: readonly LogRecord[] = []
    for (let i = 0; i < begun.keys.length; i += entitiesPerSliceMax) {
      const keys = begun.keys.slice(i, i + entitiesPerSliceMax)
      const slice = await atBoundary((journalEnd) => this.#evictAndEncode(ended, keys, journalEnd))
      if (slice === undefined) return false
      await this.#writeSlice(slice)
      ended = slice.ended
    }
    await atBoundary(() => this.#evict(ended))
    await this.#log.durable(this.#journal, begun.marker.offset)
    await this.#snapshots!.append([record(markerKey, Buffer.from(JSON.stringify(begun.marker)), {})])
    return true
  }

  #takeDirty(): string[] {
    const keys = [...this.#entities.dirty]
    this.#entities.dirty.clear()
    return keys
  }

  /** Both at one boundary: under load the task comes to one only every so often. */
  #evictAndEncode(ended: readonly LogRecord[], keys: readonly string[], journalEnd: number): Slice {
    this.#evict(ended)
    return this.#encode(keys, journalEnd)
  }

  #encode(keys: readonly string[], journalEnd: number): Slice {
    const slice: Slice = { journalEnd, live: [], ended: [] }
    for (const key of keys) {
      const cell = this.#entities.cell(key)
      if (cell === undefined) slice.live.push(...this.#deletion(key))
      else if (this.#component.hasEnded(cell.state)) slice.ended.push(this.#entity(key, cell.state, cell.version))
      else slice.live.push(this.#live(key, cell.state, cell.version))
    }
    return slice
  }

  async #writeSlice({ journalEnd, live, ended }: Slice): Promise<void> {
    await this.#log.durable(this.#journal, journalEnd)
    if (ended.length > 0) await this.#archive!.append(ended)
    this.#archiveIsEmpty &&= ended.length === 0
    const deletions = ended.flatMap(({ key }) => this.#deletion(key.slice(entityPrefix.length)))
    if (live.length + deletions.length > 0) await this.#snapshots!.append([...live, ...deletions])
  }

  /** What has changed while the archive was written stays; it is dirty again, so its turn comes next time. */
  #evict(ended: readonly LogRecord[]): void {
    for (const { key, headers } of ended) {
      const entity = key.slice(entityPrefix.length)
      if (this.#entities.cell(entity)?.version === Number(headers[header.version])) this.#entities.evict(entity)
    }
  }

  #live(key: string, state: S, version: number): LogRecord {
    this.#written.add(key)
    return this.#entity(key, state, version)
  }

  #deletion(key: string): LogRecord[] {
    return this.#written.delete(key) ? [record(entityPrefix + key, null, {})] : []
  }

  #entity(key: string, state: S, version: number): LogRecord {
    const value = this.#component.snapshot.encode(state)
    return record(entityPrefix + key, value, { [header.version]: String(version) })
  }

  #restore(stored: StoredRecord): void {
    const key = stored.key.slice(entityPrefix.length)
    this.#written.add(key)
    this.#take(key, stored)
  }

  #forget(key: string): void {
    this.#written.delete(key)
    this.#entities.evict(key)
  }

  #take(key: string, stored: StoredRecord): void {
    const state = this.#component.snapshot.decode(stored.value!)
    this.#entities.restore(key, state, Number(stored.headers[header.version]))
  }

  async #fetch(missing: readonly string[]): Promise<readonly string[]> {
    const found = await this.#log.lookup(
      this.#archive!,
      missing.map((key) => entityPrefix + key)
    )
    for (const key of missing) {
      const stored = found.get(entityPrefix + key)
      if (stored?.value == null || this.#entities.has(key)) continue
      this.#take(key, stored)
      // So that the next round of snapshots lets it leave memory again.
      this.#entities.dirty.add(key)
    }
    return missing
  }
}

const record = (key: string, value: Uint8Array | null, headers: Record<string, string>): LogRecord => ({
  key,
  value,
  timestamp: 0,
  headers
})
