import type { StoredRecord } from '../log.ts'
import type { KeyAt } from './record-batch.ts'

/** Where the newest record of each key of a compacted partition stands: 16 bytes a key, and up to twice that spare. */
export class KeyIndex {
  #hashes = new Float64Array(1024)
  /** Offset + 1; 0 is a free place. A deleted key keeps its place with a negative one. */
  #offsets = new Float64Array(1024)
  #used = 0

  set({ key, value, offset }: Pick<StoredRecord, 'key' | 'value' | 'offset'>): void {
    this.#put(hashOf(key), value === null ? -1 : offset + 1)
  }

  setAt({ bytes, start, end, isDeleted, offset }: KeyAt): void {
    this.#put(hashOfBytes(bytes, start, end), isDeleted ? -1 : offset + 1)
  }

  /** The offset of its newest record; undefined where it has none, or was deleted. */
  get(key: string): number | undefined {
    const offset = this.#offsets[this.#find(hashOf(key))]!
    return offset > 0 ? offset - 1 : undefined
  }

  #put(hash: number, offset: number): void {
    if (this.#used * 3 > this.#hashes.length * 2) this.#grow()
    const at = this.#find(hash)
    if (this.#offsets[at] === 0) {
      this.#used++
      this.#hashes[at] = hash
    }
    this.#offsets[at] = offset
  }

  /** Its place, or the free one where it belongs. */
  #find(hash: number): number {
    const mask = this.#hashes.length - 1
    let at = (hash % 0x100000000) & mask
    while (this.#offsets[at] !== 0 && this.#hashes[at] !== hash) at = (at + 1) & mask
    return at
  }

  #grow(): void {
    const [hashes, offsets] = [this.#hashes, this.#offsets]
    this.#hashes = new Float64Array(hashes.length * 2)
    this.#offsets = new Float64Array(hashes.length * 2)
    for (let i = 0; i < hashes.length; i++) {
      if (offsets[i] === 0) continue
      const at = this.#find(hashes[i]!)
      this.#hashes[at] = hashes[i]!
      this.#offsets[at] = offsets[i]!
    }
  }
}

const hashOf = (key: string): number => {
  const bytes = Buffer.from(key)
  return hashOfBytes(bytes, 0, bytes.length)
}

/** 53 bits of two multiplicative hashes: among a million keys the chance that any two are alike is 1 in 20,000. */
const hashOfBytes = (bytes: Buffer, start: number, end: number): number => {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    low = Math.imul(low ^ byte, 0x01000193)
    high = Math.imul(high ^ byte, 0x5bd1e995)
    high ^= high >>> 15
  }
  low ^= low >>> 16
  return ((high >>> 11) & 0x1fffff) * 0x100000000 + (low >>> 0)
}
