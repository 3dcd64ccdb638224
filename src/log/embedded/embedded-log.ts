/**
 * The log of one process, under a data folder. Neighbours: GroupCommit brings what is appended to the disk,
 * TailMemory and SegmentList give it back to readers, CompactedStore keeps the compacted topics.
 *
 * E1. All partitions of ordinary topics share one write-ahead log, in the order of appending. So a crash loses an end
 *     of the whole history, and L3 holds.
 * E2. A compacted batch waits until everything appended before it is durable, and is itself durable before it is
 *     visible. So L3 holds for it too.
 * E3. After a failed fsync nothing more is taken or given out as durable (G3).
 */
import { setImmediate as turn } from 'node:timers/promises'
import { type Budget, ParcomoloError } from '../../base/index.ts'
import {
  type Isolation,
  type JournalWriter,
  type Log,
  type LogHealth,
  type LogRecord,
  type Membership,
  placeName,
  type Reader,
  type StoredRecord,
  type TopicPartition,
  type TopicSpec
} from '../log.ts'
import { CompactedSource } from './compacted-source.ts'
import type { CompactedTopics } from './compacted-topics.ts'
import type { GroupCommit, GroupCommitStats } from './group-commit.ts'
import { Groups } from './groups.ts'
import { LogSource } from './log-source.ts'
import type { Mark } from './mark.ts'
import { Partition } from './partition.ts'
import { EmbeddedReader } from './reader.ts'
import type { SegmentList } from './segment-list.ts'
import type { TailMemory } from './tail-memory.ts'
import type { Topics } from './topics.ts'
import { Wakeups } from './wakeups.ts'

export type Parts = {
  readonly topics: Topics
  readonly ends: ReadonlyMap<string, number>
  readonly segments: SegmentList
  readonly tail: TailMemory
  readonly commit: GroupCommit
  readonly compacted: CompactedTopics
  readonly budget: Budget
  readonly waitingBytesMax: number
  readonly mark: Mark
  readonly unlock: () => void
}

export class FolderLog implements Log {
  readonly #parts: Parts
  readonly #partitions = new Map<string, Partition>()
  readonly #readers = new Set<EmbeddedReader>()
  readonly #wakeups = new Wakeups()
  readonly #groups = new Groups()
  #closed = false
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#checkOpen()
    this.#parts.topics.ensure(specs)
  }

  partitionCount(topic: string): number {
    return this.#parts.topics.get(topic).partitions
  }

  async claim(place: TopicPartition): Promise<JournalWriter> {
    this.#checkOpen()
    const partition = this.#partition(place)
    const epoch = ++partition.epoch
    const { topic } = partition
    return {
      topic,
      partition: partition.partition,
      append: async (records) => this.#append(partition, records, () => checkEpoch(partition, epoch))
    }
  }

  async send(records: readonly (LogRecord & TopicPartition)[]): Promise<void> {
    const batches = new Map<Partition, LogRecord[]>()
    for (const record of records) {
      const partition = this.#partition(record)
      const batch = batches.get(partition)
      if (batch === undefined) batches.set(partition, [record])
      else batch.push(record)
    }
    await Promise.all([...batches].map(([partition, batch]) => this.#append(partition, batch, () => undefined)))
  }

  reader(starts: readonly (TopicPartition & { readonly offset: number })[], isolation: Isolation): Reader {
    this.#checkOpen()
    const { segments, compacted, commit, budget } = this.#parts
    const reader = new EmbeddedReader(this.#wakeups, () => this.#readers.delete(reader))
    for (const start of starts) {
      const partition = this.#partition(start)
      const account = budget.account('readers')
      const from = { offset: start.offset, isolation, wake: reader.wake, fail: reader.fail, account }
      reader.add(
        this.#isCompacted(partition)
          ? new CompactedSource(partition, compacted.store, from)
          : new LogSource(partition, segments, from)
      )
    }
    if (commit.failed !== undefined) reader.fail(commit.failed)
    this.#readers.add(reader)
    return reader
  }

  async *read(place: TopicPartition, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    this.#checkOpen()
    const partition = this.#partition(place)
    if (from < 0 || to > partition.end) throw outOfRange(place, from, to, partition.end)
    if (this.#isCompacted(partition)) yield* this.#parts.compacted.read(partition, from, to)
    else yield* this.#readLog(partition, from, to)
  }

  async end(place: TopicPartition): Promise<number> {
    this.#checkOpen()
    return this.#partition(place).end
  }

  async durable(place: TopicPartition, offset: number): Promise<void> {
    const { failed } = this.#parts.commit
    const partition = this.#partition(place)
    if (offset <= partition.durableEnd) return
    this.#checkOpen()
    if (failed !== undefined) throw failed
    return partition.durable(offset)
  }

  async lookup(place: TopicPartition, keys: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> {
    this.#checkOpen()
    return this.#parts.compacted.store.lookup(this.#partition(place), keys)
  }

  async join(
    group: string,
    places: readonly TopicPartition[],
    onAssignment: (mine: readonly TopicPartition[]) => void
  ): Promise<Membership> {
    this.#checkOpen()
    const leave = this.#groups.join(group, places, onAssignment)
    return { confirm: async () => undefined, report: () => undefined, leave: async () => leave() }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  stats(): Readonly<GroupCommitStats> {
    return { ...this.#parts.commit.stats }
  }

  health(): LogHealth {
    const { commit, compacted } = this.#parts
    const error = commit.failed ?? commit.stalled ?? compacted.stalled
    return error === undefined ? { ok: true } : { ok: false, code: error.code, message: error.message }
  }

  /** The log has failed, or is closed: everybody who waits hears it. */
  failed(error: ParcomoloError): void {
    for (const partition of this.#partitions.values()) partition.fail(error)
    for (const reader of this.#readers) reader.fail(error)
  }

  async #close(): Promise<void> {
    this.#closed = true
    const { commit, compacted, mark, unlock } = this.#parts
    let inOrder = false
    try {
      await commit.close()
      inOrder = true
    } finally {
      this.failed(closedError())
      await compacted.close()
      mark.close(inOrder)
      unlock()
    }
  }

  async #append(partition: Partition, records: readonly LogRecord[], check: () => void): Promise<number> {
    const { commit, compacted, waitingBytesMax } = this.#parts
    if (records.length === 0) throw emptyBatch(partition)
    while (!this.#closed && commit.failed === undefined && commit.waitingBytes >= waitingBytesMax) {
      if (commit.stalled !== undefined) throw full(commit.waitingBytes, commit.stalled)
      await commit.settled()
    }
    this.#checkOpen()
    check()
    if (commit.failed !== undefined) throw commit.failed
    if (!this.#isCompacted(partition)) return this.#appendLog(partition, records)
    return compacted.append(partition, records, () => {
      this.#checkOpen()
      check()
    })
  }

  /** Without a wait: the order of the calls is the order of the log. */
  #appendLog(partition: Partition, records: readonly LogRecord[]): number {
    const { commit, tail } = this.#parts
    const base = partition.end
    // Readers are woken before the group is thought of, so that what they append in this turn still goes with it.
    partition.wake('visible')
    const frameBytes = commit.append(partition, base, records)
    const stored = records.map(({ key, value, timestamp, headers }, i) => ({
      key,
      value,
      timestamp,
      headers,
      offset: base + i
    }))
    partition.end += records.length
    tail.add(partition, stored, frameBytes)
    return base
  }

  async *#readLog(partition: Partition, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    let next = from
    while (next < to) {
      this.#checkOpen()
      if (next >= partition.tailStart) {
        const records = partition.slice(next, to, chunkRecordsMax)
        next += records.length
        yield records
        await turn()
      } else {
        const end = Math.min(to, partition.tailStart)
        yield* this.#parts.segments.read(partition, {
          from: next,
          to: end,
          account: this.#parts.budget.account('ranges')
        })
        next = end
      }
    }
  }

  #partition(place: TopicPartition): Partition {
    const name = placeName(place)
    const known = this.#partitions.get(name)
    if (known !== undefined) return known
    const { topics, ends, compacted } = this.#parts
    const isCompacted = topics.of(place).cleanup === 'compact'
    const partition = new Partition(place, isCompacted ? compacted.end(place) : (ends.get(name) ?? 0))
    this.#partitions.set(name, partition)
    return partition
  }

  #isCompacted(partition: Partition): boolean {
    return this.#parts.topics.get(partition.topic).cleanup === 'compact'
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError()
  }
}

const chunkRecordsMax = 1000

const checkEpoch = (partition: Partition, epoch: number): void => {
  if (partition.epoch === epoch) return
  throw new ParcomoloError(
    'PARCOMOLO_LOG_FENCED',
    `'${placeName(partition)}' has been claimed again, so this writer of epoch ${epoch} may not append; expected epoch ${partition.epoch}`
  )
}

const closedError = (): ParcomoloError => new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'the log is closed')

const emptyBatch = (place: TopicPartition): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_BATCH_REFUSED',
    `a batch for '${placeName(place)}' has no records; expected at least 1`
  )

const full = (bytes: number, cause: ParcomoloError): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_FULL',
    `${bytes} bytes wait for the disk, so no more are taken; try again when it is writable: ${cause.message}`,
    { retryable: true, cause }
  )

const outOfRange = (place: TopicPartition, from: number, to: number, end: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_OUT_OF_RANGE',
    `'${placeName(place)}' cannot be read from '${from}' to '${to}'; expected a range within 0 and ${end}`
  )
