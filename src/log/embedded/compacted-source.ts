import type { Account } from '../../base/index.ts'
import type { ByteShare } from '../byte-share.ts'
import type { Isolation, StoredRecord, TopicPartition } from '../log.ts'
import type { CompactedStore } from './compacted-store.ts'
import type { Follower, Partition } from './partition.ts'
import type { Source, Start } from './reader.ts'

/** Follows a compacted partition, a page of rows at a time. */
export class CompactedSource implements Source, Follower {
  readonly isolation: Isolation
  readonly wake: () => void
  readonly #partition: Partition
  readonly #store: CompactedStore
  readonly #account: Account
  #next: number
  /** The rest of what was read last. */
  #page: readonly StoredRecord[] = []

  constructor(partition: Partition, store: CompactedStore, start: Start) {
    this.#partition = partition
    this.#store = store
    this.#next = start.offset
    this.#account = start.account
    this.isolation = start.isolation
    this.wake = start.wake
    partition.followers.add(this)
  }

  get place(): TopicPartition {
    return { topic: this.#partition.topic, partition: this.#partition.partition }
  }

  available(countMax: number): number {
    const { end } = this.#partition
    if (this.#page.length === 0 && this.#next < end) {
      const { records, heldBytes } = this.#store.page(this.#partition, this.#next, end)
      this.#page = records
      this.#account.hold(heldBytes)
      if (records.length === 0) this.#next = end
    }
    return Math.min(countMax, this.#page.length)
  }

  take(countMax: number, bytes: ByteShare): readonly StoredRecord[] {
    const count = bytes.take(this.#page, 0, countMax)
    const records = this.#page.slice(0, count)
    this.#page = this.#page.slice(count)
    if (count > 0) this.#next = records[count - 1]!.offset + 1
    if (this.#page.length === 0) this.#account.clear()
    return records
  }

  close(): void {
    this.#partition.followers.delete(this)
    this.#account.clear()
  }
}
