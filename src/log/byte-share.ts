import type { LogRecord } from './log.ts'
import { recordBytes } from './record-bytes.ts'

/**
 * Shares the bytes of one `take` among partitions that come one after the other: each may have an even part of what is
 * left, and at least one record where that fits into all that is left. The very first record is given however large it
 * is: so whoever begins in turn with another partition gets on with each of them.
 */
export class ByteShare {
  #left: number
  #part = 0
  #isFirst = true
  #isFirstOfAll = true

  constructor(bytesMax: number) {
    this.#left = bytesMax
  }

  /** The turn of the next of `count` partitions that are still to come. */
  begin(count: number): void {
    this.#part = this.#left / count
    this.#isFirst = true
  }

  /** How many of the records from `start` on, at most `countMax`, the partition may have; they are counted as given. */
  take(records: readonly LogRecord[], start: number, countMax: number): number {
    const most = Math.min(countMax, records.length - start)
    if (this.#left === Infinity) return most
    let count = 0
    while (count < most && this.#fits(recordBytes(records[start + count]!))) count++
    return count
  }

  #fits(bytes: number): boolean {
    const fits = bytes <= this.#part || this.#isFirstOfAll || (this.#isFirst && bytes <= this.#left)
    if (!fits) return false
    this.#left -= bytes
    this.#part -= bytes
    this.#isFirst = this.#isFirstOfAll = false
    return true
  }
}
