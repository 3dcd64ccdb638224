import type { StoredRecord, TopicPartition } from '../log.ts'
import { Queue } from './queue.ts'

/** A batch in memory. */
export type TailBatch = { readonly base: number; readonly records: readonly StoredRecord[]; readonly bytes: number }

/** Somebody who follows a partition, to be told that there may be more. */
export type Follower = { readonly isolation: 'visible' | 'durable'; wake(): void }

/** What the log knows of one partition. `durableEnd <= end`; what is in memory ends at `end`. */
export class Partition {
  readonly topic: string
  readonly partition: number
  /** The offset that the next record gets. */
  end: number
  /** Everything below it is on the disk and synced. */
  durableEnd: number
  /** Raised by each claim; a writer of an older one is fenced. */
  epoch = 0
  readonly tail = new Queue<TailBatch>()
  readonly followers = new Set<Follower>()
  readonly #waiters: {
    readonly offset: number
    readonly resolve: () => void
    readonly reject: (error: Error) => void
  }[] = []

  constructor(place: TopicPartition, end: number) {
    this.topic = place.topic
    this.partition = place.partition
    this.end = end
    this.durableEnd = end
  }

  /** The first offset that is in memory. */
  get tailStart(): number {
    return this.tail.at(0)?.base ?? this.end
  }

  /** At most `countMax` records from this offset on, which is in memory, and below `limit`. */
  slice(from: number, limit: number, countMax: number): readonly StoredRecord[] {
    const to = Math.min(limit, from + countMax)
    let index = this.#batchOf(from)
    const first = this.tail.at(index)!
    if (first.base === from && first.base + first.records.length === to) return first.records
    const records: StoredRecord[] = []
    for (let next = from; next < to; index++) {
      const batch = this.tail.at(index)!
      const end = Math.min(to, batch.base + batch.records.length)
      for (; next < end; next++) records.push(batch.records[next - batch.base]!)
    }
    return records
  }

  durable(offset: number): Promise<void> {
    if (offset <= this.durableEnd) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ offset, resolve, reject }))
  }

  becameDurable(end: number): void {
    this.durableEnd = end
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters.splice(0)
    for (const waiter of waiters) {
      if (waiter.offset <= end) waiter.resolve()
      else this.#waiters.push(waiter)
    }
  }

  fail(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }

  wake(isolation: Follower['isolation']): void {
    for (const follower of this.followers) if (follower.isolation === isolation) follower.wake()
  }

  /** Index of the batch in memory that holds this offset. */
  #batchOf(offset: number): number {
    let low = 0
    let high = this.tail.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.tail.at(middle)!.base <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}
