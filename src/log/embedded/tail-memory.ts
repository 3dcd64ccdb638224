import type { Account } from '../../base/index.ts'
import type { StoredRecord } from '../log.ts'
import type { Partition } from './partition.ts'
import { Queue } from './queue.ts'

/**
 * The newest batches of all partitions, as the objects that were appended, within one bound of bytes.
 * The oldest leave first, but never one that is not durable: what is not in memory is on the disk.
 */
export class TailMemory {
  readonly #bytesMax: number
  readonly #account: Account
  readonly #order = new Queue<Partition>()

  constructor(bytesMax: number, account: Account) {
    this.#bytesMax = bytesMax
    this.#account = account
  }

  add(partition: Partition, records: readonly StoredRecord[], frameBytes: number): void {
    const bytes = frameBytes + batchOverheadBytes + records.length * recordOverheadBytes
    partition.tail.push({ base: records[0]!.offset, records, bytes })
    this.#order.push(partition)
    this.#account.hold(bytes)
    if (this.#account.heldBytes > this.#bytesMax) this.evict()
  }

  evict(): void {
    while (this.#account.heldBytes > this.#bytesMax) {
      const partition = this.#order.at(0)
      const oldest = partition?.tail.at(0)
      if (partition === undefined || oldest === undefined) return
      if (oldest.base + oldest.records.length > partition.durableEnd) return
      partition.tail.shift()
      this.#order.shift()
      this.#account.release(oldest.bytes)
    }
  }
}

/** What a batch's lists cost. */
const batchOverheadBytes = 250

/** What a record's objects and strings cost beyond its bytes; measured with 100 B values and two headers. */
const recordOverheadBytes = 250
