/** Reads what WriteBuffer has written. The caller has checked the CRC, so the lengths within can be trusted. */
export class ReadCursor {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  u32(): number {
    this.at += 4
    return this.bytes.readUInt32LE(this.at - 4)
  }

  f64(): number {
    this.at += 8
    return this.bytes.readDoubleLE(this.at - 8)
  }

  varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  string(): string {
    const length = this.varint()
    this.at += length
    return this.bytes.toString('utf8', this.at - length, this.at)
  }

  /** A copy, so that a record that is kept does not keep the whole block that it was read with. */
  blob(length: number): Uint8Array {
    this.at += length
    return Buffer.from(this.bytes.subarray(this.at - length, this.at))
  }
}
