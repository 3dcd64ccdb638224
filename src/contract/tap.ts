const noBytes = new Uint8Array(0)

/**
 * The cursor over bytes that avsc's generated readers and writers move along: same methods as avsc's own, which is not
 * used for three reasons.
 *
 * T1. Reading past the end throws at once. avsc's reads zeros there, so that a wrong count of items runs for minutes
 *     and fills the memory.
 * T2. Every long within 2^53 is exact; avsc's loses negative ones below -2^52.
 * T3. Strings are written as well-formed UTF-8, half surrogates replaced.
 *
 * Writing past the end is no error: `pos` goes on, so that the caller sees how much room was needed.
 */
export class Tap {
  buf: Buffer
  pos: number
  /** Reads every value of bytes as an empty one. */
  leavesOutBytes = false

  constructor(buf: Buffer, pos: number) {
    this.buf = buf
    this.pos = pos
  }

  readBoolean(): boolean {
    const byte = this.buf[this.advance(1)]
    if (byte !== 0 && byte !== 1) throw new MalformedValue(`${byte} is no boolean`)
    return byte === 1
  }

  skipBoolean(): void {
    this.advance(1)
  }

  writeBoolean(value: boolean): void {
    this.buf[this.pos++] = value ? 1 : 0
  }

  readInt(): number {
    const value = this.readLong()
    if (value !== (value | 0)) throw new MalformedValue(`${value} is no int`)
    return value
  }

  /**
   * Zigzag in groups of seven bits, the lowest first; the first four groups fit integer arithmetic. What lies beyond
   * 2^53 comes out rounded, but beyond it still: avsc's type of longs refuses it.
   */
  readLong(): number {
    const { buf } = this
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = buf[this.pos++]
      if (byte === undefined) throw truncated()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    const half = this.readHigh() * 0x8000000 + (low >>> 1)
    return (low & 1) === 0 ? half : -half - 1
  }

  skipInt(): void {
    this.readLong()
  }

  skipLong(): void {
    this.readHigh()
  }

  writeInt(value: number): void {
    this.writeLong(value)
  }

  writeLong(value: number): void {
    const sign = value < 0 ? 1 : 0
    const half = sign === 1 ? -value - 1 : value
    if (half < 0x80000000) return this.writeGroups((half << 1) | sign)
    this.buf[this.pos++] = 0x80 | ((half % 64) << 1) | sign
    let rest = Math.floor(half / 64)
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.buf[this.pos++] = 0x80 | (rest % 128)
    this.buf[this.pos++] = rest
  }

  readFloat(): number {
    return this.buf.readFloatLE(this.advance(4))
  }

  skipFloat(): void {
    this.advance(4)
  }

  writeFloat(value: number): void {
    const at = this.pos
    this.pos += 4
    if (this.pos <= this.buf.length) this.buf.writeFloatLE(value, at)
  }

  readDouble(): number {
    return this.buf.readDoubleLE(this.advance(8))
  }

  skipDouble(): void {
    this.advance(8)
  }

  writeDouble(value: number): void {
    const at = this.pos
    this.pos += 8
    if (this.pos <= this.buf.length) this.buf.writeDoubleLE(value, at)
  }

  /** A copy: a view would keep the whole chunk that the record came in. */
  readFixed(length: number): Uint8Array {
    const at = this.advance(length)
    return this.leavesOutBytes ? noBytes : new Uint8Array(this.buf.subarray(at, this.pos))
  }

  skipFixed(length: number): void {
    this.advance(length)
  }

  writeFixed(bytes: Uint8Array): void {
    const at = this.pos
    this.pos += bytes.length
    if (this.pos <= this.buf.length) this.buf.set(bytes, at)
  }

  readBytes(): Uint8Array {
    return this.readFixed(this.readLong())
  }

  skipBytes(): void {
    this.advance(this.readLong())
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeLong(bytes.length)
    this.writeFixed(bytes)
  }

  readString(): string {
    const length = this.readLong()
    const at = this.advance(length)
    return this.buf.toString('utf8', at, this.pos)
  }

  skipString(): void {
    this.advance(this.readLong())
  }

  writeString(text: string): void {
    if (text.length < 64 && this.writeAscii(text)) return
    const length = Buffer.byteLength(text)
    this.writeLong(length)
    const at = this.pos
    this.pos += length
    if (this.pos <= this.buf.length) this.buf.write(text, at, 'utf8')
  }

  /** A default that was encoded in advance, one character a byte. */
  writeBinary(text: string, length: number): void {
    const at = this.pos
    this.pos += length
    if (this.pos <= this.buf.length) this.buf.write(text, at, 'latin1')
  }

  /** Short plain text without a call out of JavaScript; false, and nothing moved, where it is not plain. */
  private writeAscii(text: string): boolean {
    const { buf } = this
    let at = this.pos
    buf[at++] = text.length << 1
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return false
      buf[at++] = code
    }
    this.pos = at
    return true
  }

  private writeGroups(groups: number): void {
    let rest = groups >>> 0
    for (; rest >= 0x80; rest >>>= 7) this.buf[this.pos++] = 0x80 | (rest & 0x7f)
    this.buf[this.pos++] = rest
  }

  /** The groups of a long that are left, unsigned; a long has ten at most. */
  private readHigh(): number {
    let value = 0
    for (let factor = 1, groups = 0; groups < 10; factor *= 128, groups++) {
      const byte = this.buf[this.pos++]
      if (byte === undefined) throw truncated()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new MalformedValue('a number has more than 10 bytes')
  }

  /** Moves on; gives the position before. */
  private advance(length: number): number {
    const at = this.pos
    this.pos += length
    if (length < 0 || this.pos > this.buf.length) throw truncated()
    return at
  }
}

/** Bytes that are no value of their schema. */
export class MalformedValue extends Error {}

const truncated = (): MalformedValue => new MalformedValue('it ends too early')
