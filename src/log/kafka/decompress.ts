/**
 * The codecs of record batches. Node brings gzip and zstd; snappy and lz4 are read here, as no package for them is both
 * kept and without native code.
 *
 * Bytes of others are not to be trusted: what does not follow the format, or would become longer than `bytesMax`,
 * throws an Error that says why, whatever it claims of its own length.
 */
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

/** Longer than any batch whose records a process could take in beside its other work. */
const plainBytesMax = 64 * 1024 * 1024

/** The names by their numbers in a batch's attributes. */
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export const codecName = (codec: number): string => codecs[codec] ?? `codec ${codec}`

/** What a batch's records are without compression. */
export const decompressed = (bytes: Buffer, codec: number, bytesMax = plainBytesMax): Buffer => {
  if (codec === 1) return gunzipSync(bytes, { maxOutputLength: bytesMax })
  if (codec === 2) return snappy(bytes, bytesMax)
  if (codec === 3) return lz4(bytes, bytesMax)
  if (codec === 4) return zstdDecompressSync(bytes, { maxOutputLength: bytesMax })
  throw new Error(`'${codec}' is the number of no codec`)
}

/** Java's framing of snappy: a head of 16 bytes, then blocks with their lengths before them. Others send one block. */
const xerialMagic = Buffer.from('\x82SNAPPY\0', 'latin1')
const xerialHeadBytes = 16

const snappy = (bytes: Buffer, bytesMax: number): Buffer => {
  const output = new Output(bytesMax)
  if (!isXerial(bytes, 0)) {
    snappyBlock(bytes, output)
    return output.written()
  }
  let at = 0
  while (at < bytes.length) {
    if (isXerial(bytes, at)) at += xerialHeadBytes
    else {
      const start = at + 4
      const end = start + bytes.readUInt32BE(at)
      snappyBlock(part(bytes, start, end), output)
      at = end
    }
  }
  return output.written()
}

const isXerial = (bytes: Buffer, at: number): boolean =>
  bytes.length >= at + xerialHeadBytes && xerialMagic.equals(bytes.subarray(at, at + xerialMagic.length))

/** The length of the output as a varint; then literals, and copies of what came before. */
const snappyBlock = (bytes: Buffer, output: Output): void => {
  const input = new Input(bytes)
  const size = input.varint()
  output.reserve(size)
  const end = output.length + size
  const start = output.length
  while (input.hasMore) {
    const tag = input.byte()
    if ((tag & 3) === 0) output.append(input.take(snappyLiteral(input, tag >>> 2)))
    else {
      const { distance, count } = snappyCopy(input, tag)
      output.copy(distance, count, start)
    }
  }
  if (output.length !== end) throw new Error(`a block became ${output.length - start} bytes, and said ${size}`)
}

const snappyLiteral = (input: Input, length: number): number =>
  (length < 60 ? length : input.littleEndian(length - 59)) + 1

const snappyCopy = (input: Input, tag: number): { readonly distance: number; readonly count: number } => {
  if ((tag & 3) === 1) return { count: ((tag >>> 2) & 7) + 4, distance: ((tag >>> 5) << 8) | input.byte() }
  return { count: (tag >>> 2) + 1, distance: input.littleEndian((tag & 3) === 2 ? 2 : 4) }
}

const lz4Magic = 0x184d2204
/** Frames with these magics, but for the last four bits, are for somebody else. */
const lz4Skipped = 0x184d2a50

const lz4 = (bytes: Buffer, bytesMax: number): Buffer => {
  const output = new Output(bytesMax)
  const input = new Input(bytes)
  while (input.hasMore) {
    const magic = input.littleEndian(4)
    if (magic === lz4Magic) lz4Frame(input, output)
    else if ((magic & ~0xf) >>> 0 === lz4Skipped) input.take(input.littleEndian(4))
    else throw new Error(`a frame begins with '${magic.toString(16)}'`)
  }
  return output.written()
}

/** Flags, largest block, length of the output 8, dictionary 4, checksum 1; blocks; an end of 4 bytes; checksum 4. */
const lz4Frame = (input: Input, output: Output): void => {
  const flags = input.byte()
  if (flags >>> 6 !== 1) throw new Error(`a frame has version '${flags >>> 6}'`)
  if ((flags & 1) !== 0) throw new Error('a frame needs a dictionary')
  input.take(2 + ((flags & 8) === 0 ? 0 : 8))
  const start = output.length
  for (let size = input.littleEndian(4); size !== 0; size = input.littleEndian(4)) {
    const block = input.take(size & 0x7fffffff)
    if (size > 0x7fffffff) output.append(block)
    else lz4Block(new Input(block), output, start)
    if ((flags & 0x10) !== 0) input.take(4)
  }
  if ((flags & 4) !== 0) input.take(4)
}

/** Literals and copies in turns; the last has literals only. */
const lz4Block = (input: Input, output: Output, start: number): void => {
  while (input.hasMore) {
    const token = input.byte()
    output.append(input.take(lz4Length(input, token >>> 4)))
    if (!input.hasMore) return
    const distance = input.littleEndian(2)
    output.copy(distance, lz4Length(input, token & 15) + 4, start)
  }
}

const lz4Length = (input: Input, nibble: number): number => {
  let length = nibble
  if (nibble < 15) return length
  for (let more = 255; more === 255; length += more) more = input.byte()
  return length
}

const part = (bytes: Buffer, start: number, end: number): Buffer => {
  if (end > bytes.length) throw new Error('it is cut off')
  return bytes.subarray(start, end)
}

class Input {
  #at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length
  }

  byte(): number {
    if (!this.hasMore) throw new Error('it is cut off')
    return this.#bytes[this.#at++]!
  }

  take(count: number): Buffer {
    const taken = part(this.#bytes, this.#at, this.#at + count)
    this.#at += count
    return taken
  }

  littleEndian(count: number): number {
    return this.take(count).readUIntLE(0, count)
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new Error('a length has more than five bytes')
  }
}

class Output {
  #buffer = Buffer.allocUnsafeSlow(0)
  length = 0
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** A view: nothing is written after it. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.length)
  }

  reserve(count: number): void {
    const needed = this.length + count
    if (needed > this.#bytesMax) throw new Error(`it would become more than ${this.#bytesMax} bytes`)
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, Math.max(needed, this.#buffer.length * 2, 4096)))
    this.#buffer.copy(grown, 0, 0, this.length)
    this.#buffer = grown
  }

  append(bytes: Buffer): void {
    this.reserve(bytes.length)
    bytes.copy(this.#buffer, this.length)
    this.length += bytes.length
  }

  /** Of what was written since `start`, from so far back on; it may reach into what it writes itself. */
  copy(distance: number, count: number, start: number): void {
    const from = this.length - distance
    if (distance === 0 || from < start)
      throw new Error(`it copies from ${distance} bytes before, where there is nothing`)
    this.reserve(count)
    if (distance >= count) this.#buffer.copyWithin(this.length, from, from + count)
    else for (let i = 0; i < count; i++) this.#buffer[this.length + i] = this.#buffer[from + i]!
    this.length += count
  }
}
