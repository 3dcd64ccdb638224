import type { Account } from '../../base/index.ts'
import type { ByteShare } from '../byte-share.ts'
import type { Isolation, StoredRecord, TopicPartition } from '../log.ts'
import type { Follower, Partition } from './partition.ts'
import type { Source, Start } from './reader.ts'
import type { SegmentList } from './segment-list.ts'

/** Follows a partition of the log: in memory where it can, else from the segments, a block ahead, in the background. */
export class LogSource implements Source, Follower {
  readonly isolation: Isolation
  readonly wake: () => void
  readonly #fail: (error: Error) => void
  readonly #partition: Partition
  readonly #segments: SegmentList
  readonly #account: Account
  #next: number
  /** Read from the segments, and not handed over yet. */
  #loaded: readonly StoredRecord[] = []
  #loading: AsyncGenerator<readonly StoredRecord[]> | undefined
  #busy = false
  #closed = false

  constructor(partition: Partition, segments: SegmentList, start: Start) {
    this.#partition = partition
    this.#segments = segments
    this.#next = start.offset
    this.isolation = start.isolation
    this.#account = start.account
    this.wake = start.wake
    this.#fail = start.fail
    partition.followers.add(this)
  }

  get place(): TopicPartition {
    return { topic: this.#partition.topic, partition: this.#partition.partition }
  }

  available(countMax: number): number {
    if (this.#loaded.length > 0) return Math.min(countMax, this.#loaded.length)
    const count = this.#limit - this.#next
    if (count <= 0) return 0
    if (this.#isInMemory) return Math.min(countMax, count)
    void this.#load()
    return 0
  }

  take(count: number, bytes: ByteShare): readonly StoredRecord[] {
    const records = this.#loaded.length > 0 ? this.#takeLoaded(count, bytes) : this.#takeTail(count, bytes)
    this.#next += records.length
    if (this.#loading !== undefined && this.#loaded.length === 0 && this.#isInMemory) this.#endLoading()
    return records
  }

  close(): void {
    this.#closed = true
    this.#partition.followers.delete(this)
    if (!this.#busy) this.#endLoading()
  }

  #endLoading(): void {
    void this.#loading?.return(undefined)
    this.#loading = undefined
  }

  get #isInMemory(): boolean {
    return this.#next >= this.#partition.tailStart
  }

  get #limit(): number {
    return this.isolation === 'durable' ? this.#partition.durableEnd : this.#partition.end
  }

  #takeTail(count: number, bytes: ByteShare): readonly StoredRecord[] {
    const records = this.#partition.slice(this.#next, this.#limit, count)
    return firstOf(records, bytes.take(records, 0, count))
  }

  #takeLoaded(countMax: number, bytes: ByteShare): readonly StoredRecord[] {
    const count = bytes.take(this.#loaded, 0, countMax)
    const records = firstOf(this.#loaded, count)
    this.#loaded = this.#loaded.slice(count)
    return records
  }

  async #load(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      const range = { from: this.#next, to: this.#partition.tailStart, account: this.#account }
      this.#loading ??= this.#segments.read(this.place, range)
      const { value, done } = await this.#loading.next()
      if (done === true) this.#loading = undefined
      else this.#loaded = value
      if (this.#closed) await this.#loading?.return(undefined)
    } catch (error) {
      this.#fail(error as Error)
    }
    this.#busy = false
    this.wake()
  }
}

const firstOf = (records: readonly StoredRecord[], count: number): readonly StoredRecord[] =>
  count === records.length ? records : records.slice(0, count)
