/**
 * Brings what is appended to the disk: one write and one fsync at a time; what arrives meanwhile is the next group.
 *
 * G1. Bytes reach the disk in the order of `append`, and a group starts only when the one before it is synced.
 * G2. A failed write is repeated, the same bytes at the same place, until it succeeds: nothing is lost, the rest waits.
 * G3. A failed fsync is final. The kernel may have dropped the pages and will report success the next time
 *     (fsyncgate, PostgreSQL 2018).
 *
 * When: at the end of the event loop's turn, so that a turn's appends share it; and not while each turn appends more
 * (a chain of tasks that answer each other), for at most `patienceMs`. How: on this thread where the loop is quiet,
 * the group small and the disk fast, as the way through the thread pool costs more than it frees; otherwise through
 * the pool, beside the work.
 */
import { type Account, type Clock, ParcomoloError } from '../../base/index.ts'
import type { LogRecord } from '../log.ts'
import { ActiveSegment } from './active-segment.ts'
import { type Disk, isOutOfDescriptors } from './disk.ts'
import { groupFrameBytes, writeBatch, writeGroup } from './frame.ts'
import type { Partition } from './partition.ts'
import { Queue } from './queue.ts'
import { WriteBuffer } from './write-buffer.ts'

export type GroupCommitOptions = {
  readonly dir: string
  readonly disk: Disk
  readonly clock: Clock
  readonly segmentBytes: number
  readonly patienceMs: number
  /** Groups up to this length may be synced on this thread. */
  readonly syncBytesMax: number
  /** Holds what is not durable yet. */
  readonly account: Account
  /** The log position where the first group goes. */
  readonly position: number
  /** A segment has been begun. */
  onSegment(segment: ActiveSegment): void
  /** A group is durable: everything below this position of the log. */
  onDurable(position: number): void
  onFailed(error: ParcomoloError): void
  /** The disk does not take what is written, for this reason; once, and again with undefined when it does. */
  onStalled(error: ParcomoloError | undefined): void
}

export type GroupCommitStats = { fsyncs: number; bytes: number; batches: number; records: number }

type Entry = { readonly partition: Partition; readonly base: number; readonly count: number; readonly at: number }

/** A group in the making: room for its head, then frames. */
type Group = { readonly buffer: WriteBuffer; entries: Entry[] }

export class GroupCommit {
  readonly stats: GroupCommitStats = { fsyncs: 0, bytes: 0, batches: 0, records: 0 }
  readonly #options: GroupCommitOptions
  #segment: ActiveSegment
  #next: Group = newGroup()
  #spare: Group = newGroup()
  /** Under way, or waiting to be written again. */
  #current: Group | undefined
  #scheduled = false
  /** When the oldest batch of `next` was appended, on the monotonic clock. */
  #nextSinceMs = 0
  #batchesSeen = 0
  #syncMs = 0
  #durableBatches = 0
  readonly #drained = new Queue<{ readonly batches: number; settle(error?: Error): void }>()
  #settled: (() => void)[] = []
  #stalled: { readonly error: ParcomoloError; readonly cancel: () => void } | undefined
  #failed: ParcomoloError | undefined

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#segment = this.#begin(options.position)
  }

  /** Bytes that are not durable yet. */
  get waitingBytes(): number {
    return this.#options.account.heldBytes
  }

  /** Everything below it is synced. */
  get durablePosition(): number {
    const { base, position, index } = this.#segment
    return index.parts.size === 0 ? base : position
  }

  get stalled(): ParcomoloError | undefined {
    return this.#stalled?.error
  }

  get failed(): ParcomoloError | undefined {
    return this.#failed
  }

  /** Gives the length of the frame. */
  append(partition: Partition, base: number, records: readonly LogRecord[]): number {
    const { buffer, entries } = this.#next
    const at = buffer.length
    writeBatch(buffer, partition, base, records)
    if (entries.length === 0) this.#nextSinceMs = performance.now()
    entries.push({ partition, base, count: records.length, at })
    this.stats.batches++
    this.stats.records += records.length
    this.#options.account.hold(buffer.length - at)
    this.#schedule()
    return buffer.length - at
  }

  /** Resolves when all that has been appended so far is durable. */
  drained(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    const { batches } = this.stats
    if (this.#durableBatches >= batches) return Promise.resolve()
    return new Promise((resolve, reject) =>
      this.#drained.push({ batches, settle: (error) => (error === undefined ? resolve() : reject(error)) })
    )
  }

  /** Resolves when the group that is under way has got through, or has not. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  /** Writes what is left; a disk that does not take it gets one more attempt. Rejects with what stands in the way. */
  async close(): Promise<void> {
    while (this.#failed === undefined && (this.#current !== undefined || this.#next.entries.length > 0)) {
      const stalled = this.#stalled
      const settled = this.settled()
      if (stalled !== undefined) {
        stalled.cancel()
        void this.#flush()
      }
      await settled
      if (stalled !== undefined && this.#stalled !== undefined) this.fail(this.#stalled.error)
    }
    if (this.#failed === undefined) this.#segment.seal()
    else this.#segment.abandon()
    this.#stalled?.cancel()
    if (this.#failed !== undefined) throw this.#failed
  }

  #schedule(): void {
    if (this.#scheduled || this.#current !== undefined || this.#failed !== undefined) return
    this.#scheduled = true
    this.#batchesSeen = this.stats.batches
    setImmediate(this.#turnEnded)
  }

  readonly #turnEnded = (): void => {
    const quiet = this.stats.batches === this.#batchesSeen
    this.#batchesSeen = this.stats.batches
    if (!quiet && performance.now() - this.#nextSinceMs < this.#options.patienceMs) {
      setImmediate(this.#turnEnded)
      return
    }
    this.#scheduled = false
    this.#current = this.#next
    this.#next = this.#spare
    const small = this.#current.buffer.length <= this.#options.syncBytesMax
    if (quiet && small && this.#syncMs < syncMsMax) this.#flushSync()
    else void this.#flush()
  }

  #flushSync(): void {
    const startMs = performance.now()
    try {
      const bytes = this.#prepare()
      this.#segment.writeSync(bytes)
    } catch (error) {
      return this.#stall(error)
    }
    try {
      this.#segment.syncSync()
    } catch (error) {
      return this.#notSynced(error)
    }
    this.#done(startMs)
  }

  async #flush(): Promise<void> {
    const startMs = performance.now()
    try {
      const bytes = this.#prepare()
      if (bytes.length <= writeSyncBytesMax) this.#segment.writeSync(bytes)
      else await this.#segment.write(bytes)
    } catch (error) {
      return this.#stall(error)
    }
    try {
      await this.#segment.sync()
    } catch (error) {
      return this.#notSynced(error)
    }
    this.#done(startMs)
  }

  #prepare(): Buffer {
    if (this.#segment.index.bytes >= this.#options.segmentBytes) {
      this.#segment.seal()
      this.#segment = this.#begin(this.#segment.position)
    }
    const bytes = this.#current!.buffer.written()
    writeGroup(bytes, this.#segment.position)
    return bytes
  }

  #begin(position: number): ActiveSegment {
    const segment = new ActiveSegment(this.#options.disk, this.#options.dir, position)
    this.#options.onSegment(segment)
    return segment
  }

  #done(startMs: number): void {
    const group = this.#current!
    const { index } = this.#segment
    for (const { partition, base, count, at } of group.entries) index.add(partition, base, count, index.bytes + at)
    index.bytes += group.buffer.length
    this.stats.fsyncs++
    this.stats.bytes += group.buffer.length
    this.#options.account.release(group.buffer.length - groupFrameBytes)
    this.#durableBatches += group.entries.length
    this.#syncMs += (performance.now() - startMs - this.#syncMs) * syncMsWeight
    this.#current = undefined
    if (this.#stalled !== undefined) this.#options.onStalled(undefined)
    this.#stalled = undefined
    this.#tell(group.entries)
    this.#spare = emptied(group)
    if (this.#next.entries.length > 0) this.#schedule()
    this.#release()
  }

  #tell(entries: readonly Entry[]): void {
    const partitions = new Set<Partition>()
    for (const { partition, base, count } of entries) {
      partition.becameDurable(base + count)
      partitions.add(partition)
    }
    for (const partition of partitions) partition.wake('durable')
    while (this.#drained.length > 0 && this.#drained.at(0)!.batches <= this.#durableBatches) {
      this.#drained.shift()!.settle()
    }
    this.#options.onDurable(this.durablePosition)
  }

  #stall(cause: unknown): void {
    const { clock } = this.#options
    const cancel = clock.at(clock.now() + retryEveryMs, () => void this.#flush())
    const error = writeFailed(this.#segment.path, cause)
    if (this.#stalled === undefined) this.#options.onStalled(error)
    this.#stalled = { error, cancel }
    this.#release()
  }

  /** A folder that could not be opened is synced with the next attempt; a sync that has failed is believed no more. */
  #notSynced(error: unknown): void {
    if (isOutOfDescriptors(error)) this.#stall(error)
    else this.fail(syncFailed(this.#segment.path, error))
  }

  /** For good: by a failed sync, here or of the compacted topics. */
  fail(error: ParcomoloError): void {
    if (this.#failed !== undefined) return
    this.#failed = error
    while (this.#drained.length > 0) this.#drained.shift()!.settle(error)
    this.#options.onFailed(error)
    this.#release()
  }

  #release(): void {
    for (const resolve of this.#settled.splice(0)) resolve()
  }
}

const retryEveryMs = 1000

/** A disk that takes longer, on average of about the last five, is waited for in the thread pool. */
const syncMsMax = 1
const syncMsWeight = 0.2

/** Into the page cache this takes less than the way through the thread pool. */
const writeSyncBytesMax = 512 * 1024

/** A buffer that a burst has made larger is given up after it. */
const bufferBytes = 1024 * 1024

const newGroup = (): Group => {
  const buffer = new WriteBuffer(bufferBytes)
  buffer.skip(groupFrameBytes)
  return { buffer, entries: [] }
}

const emptied = (group: Group): Group => {
  if (group.buffer.bytes.length > bufferBytes) return newGroup()
  group.buffer.length = groupFrameBytes
  group.entries = []
  return group
}

const writeFailed = (path: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_STALLED',
    `'${path}' cannot be written (${reason(cause)}); it is tried again every second and nothing is lost; free space or mend the disk`,
    { retryable: true, cause }
  )

const syncFailed = (path: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_FAILED',
    `'${path}' cannot be synced (${reason(cause)}), so what was written may be gone; mend the disk and start again`,
    { cause }
  )

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
