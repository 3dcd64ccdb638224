/** A transaction of which nothing is to be read, as a Fetch answer names it. */
export type Aborted = { readonly producerId: bigint; readonly firstOffset: number }

/** Of a batch's attributes. */
const transactionalBit = 0x10
const controlBit = 0x20
const producerIdAt = 43

export type BatchPlace = {
  /** The offset after its last one. */
  readonly after: number
  readonly attributes: number
}

/**
 * Whose batches are left out while the batches of an answer are gone through in order: a producer's from the first
 * offset of its aborted transaction on, until the marker that has ended it. What the same producer sends later, in a
 * transaction that is committed or in none, counts.
 *
 * Brokers name transactions in the order in which they ended, so they are sorted here. No marker of a commit needs a
 * look: a producer has one transaction at a time, so the next marker of one that is left out is its own.
 */
export class AbortedProducers {
  readonly #coming: Aborted[]
  readonly #open = new Set<bigint>()

  constructor(aborted: readonly Aborted[]) {
    this.#coming = aborted.toSorted((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Whether the batch that begins at `at` is to be left out; to be asked for each batch, in order. */
  leavesOut(bytes: Buffer, at: number, { after, attributes }: BatchPlace): boolean {
    while (this.#coming.length > 0 && this.#coming.at(-1)!.firstOffset < after)
      this.#open.add(this.#coming.pop()!.producerId)
    if (this.#open.size === 0 || (attributes & transactionalBit) === 0) return false
    const producerId = bytes.readBigInt64BE(at + producerIdAt)
    return (attributes & controlBit) === 0 ? this.#open.has(producerId) : this.#open.delete(producerId)
  }
}
