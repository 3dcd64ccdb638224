/**
 * Answers in the flexible form (KIP-482): lengths are varints that count one more, and tagged fields stand at the end
 * of each structure, also of the answer's head.
 */
export class FlexibleReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.tags()
  }

  skip(count: number): void {
    this.#at += count
  }

  int16(): number {
    return this.#bytes.readInt16BE((this.#at += 2) - 2)
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE((this.#at += 8) - 8)
  }

  hex(count: number): string {
    return this.#bytes.toString('hex', this.#at, (this.#at += count))
  }

  /** Empty where there is none. */
  text(): string {
    const length = Math.max(0, this.#unsigned() - 1)
    return this.#bytes.toString('utf8', this.#at, (this.#at += length))
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.#unsigned() - 1) }, read)
  }

  /** Nothing of them is known here. */
  tags(): void {
    for (let left = this.#unsigned(); left > 0; left--) {
      this.#unsigned()
      const length = this.#unsigned()
      this.skip(length)
    }
  }

  #unsigned(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.#at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }
}
