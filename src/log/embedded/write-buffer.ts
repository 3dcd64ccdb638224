/** Growing bytes to be written. Strings carry their UTF-8 length as a varint; numbers are little endian. */
export class WriteBuffer {
  bytes: Buffer
  length = 0

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  written(from = 0): Buffer {
    return this.bytes.subarray(from, this.length)
  }

  skip(count: number): void {
    this.#reserve(count)
    this.length += count
  }

  u8(value: number): void {
    this.#reserve(1)
    this.bytes[this.length++] = value
  }

  u32(value: number): void {
    this.#reserve(4)
    this.length = this.bytes.writeUInt32LE(value, this.length)
  }

  /** For whole numbers below 2^53, and for times. */
  f64(value: number): void {
    this.#reserve(8)
    this.length = this.bytes.writeDoubleLE(value, this.length)
  }

  /** LEB128, below 2^31. */
  varint(value: number): void {
    this.#reserve(5)
    let rest = value
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.length++] = rest
  }

  string(value: string): void {
    this.#reserve(value.length * 3 + 5)
    if (value.length < 128 && this.#shortAscii(value)) return
    this.varint(Buffer.byteLength(value))
    this.length += this.bytes.write(value, this.length)
  }

  blob(value: Uint8Array): void {
    this.#reserve(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
  }

  /** Keys, types and ids are short ASCII: a loop is faster than a call out of JavaScript. */
  #shortAscii(value: string): boolean {
    const at = this.length + 1
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      this.bytes[at + i] = code
    }
    this.bytes[this.length] = value.length
    this.length = at + value.length
    return true
  }

  #reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + count))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }
}
