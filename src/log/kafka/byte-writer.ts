/** A buffer that grows, written from the front; reused, so that only what is copied out is allocated. */
export class ByteWriter {
  readonly #bytes: number
  #buffer: Buffer
  #at = 0

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
  }

  /** From the front again; room that only something large has needed is given back. */
  reset(): void {
    this.#at = 0
    if (this.#buffer.length > this.#bytes * 2) this.#buffer = Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** What has been written, as bytes of its own. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#at)
    this.#buffer.copy(copy, 0, 0, this.#at)
    return copy
  }

  /** What has been written, for a writer that is not used again. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  skip(bytes: number): void {
    this.#need(bytes)
    this.#at += bytes
  }

  byte(value: number): void {
    this.#need(1)
    this.#buffer[this.#at++] = value & 0xff
  }

  int16(value: number): void {
    this.#need(2)
    this.#at = this.#buffer.writeInt16BE(value, this.#at)
  }

  int32(value: number): void {
    this.#need(4)
    this.#at = this.#buffer.writeInt32BE(value, this.#at)
  }

  int64(value: number): void {
    this.#need(8)
    this.#at = this.#buffer.writeBigInt64BE(BigInt(value), this.#at)
  }

  /** With a length of two bytes before it, as requests have their texts. */
  string(text: string): void {
    const length = Buffer.byteLength(text)
    this.int16(length)
    this.#need(length)
    this.#at += this.#buffer.write(text, this.#at, 'utf8')
  }

  /** With a length of four bytes before it. */
  block(bytes: Uint8Array): void {
    this.int32(bytes.length)
    this.#need(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Zigzag varint; within 2^52. */
  varint(value: number): void {
    this.#need(10)
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 128) | 0x80
      rest = rest < 0x7fffffff ? rest >>> 7 : Math.floor(rest / 128)
    }
    this.#buffer[this.#at++] = rest
  }

  /** Varint without a sign. */
  unsigned(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) this.byte((rest & 0x7f) | 0x80)
    this.byte(rest)
  }

  /** As flexible requests have their texts: a varint of one more than its length, then UTF-8. */
  compact(text: string): void {
    const length = Buffer.byteLength(text)
    this.unsigned(length + 1)
    this.#need(length)
    this.#at += this.#buffer.write(text, this.#at, 'utf8')
  }

  /** Varint length, then UTF-8. */
  text(text: string): void {
    const most = text.length * 3
    this.#need(most + 10)
    if (text.length < 64 && this.#ascii(text)) return
    const length = Buffer.byteLength(text)
    this.varint(length)
    this.#at += this.#buffer.write(text, this.#at, 'utf8')
  }

  /** Varint length, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.#need(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Begins a part whose length is to stand before it. */
  begin(): number {
    this.skip(lengthRoom)
    return this.#at
  }

  /** Ends the part that began at `start`: its length is written before it, and the part moved up to it. */
  end(start: number): void {
    const end = this.#at
    this.#at = start - lengthRoom
    this.varint(end - start)
    this.#buffer.copyWithin(this.#at, start, end)
    this.#at += end - start
  }

  #ascii(text: string): boolean {
    const buffer = this.#buffer
    let at = this.#at
    buffer[at++] = text.length << 1
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return false
      buffer[at++] = code
    }
    this.#at = at
    return true
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

/** A varint of a length below 2^28 takes at most this much. */
const lengthRoom = 5
