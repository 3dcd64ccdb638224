/**
 * Record batches, format 2 (KIP-98), as Produce takes them and Fetch gives them:
 *
 *   batch:  base offset 8, length 4, leader epoch 4, magic 1 (= 2), CRC-32C 4 of all that follows,
 *           attributes 2 (bits 0-2 compression, 4 transactional, 5 control), last offset delta 4, base timestamp 8,
 *           newest timestamp 8, producer id 8, producer epoch 2, base sequence 4, record count 4, records
 *   record: length, attributes 1, timestamp delta, offset delta, key length, key, value length, value,
 *           header count, headers (key length, key, value length, value); lengths and deltas: zigzag varints, -1 null
 */
import { ParcomoloError } from '../../base/index.ts'
import type { Headers, LogRecord, StoredRecord } from '../log.ts'
import { type Aborted, AbortedProducers } from './aborted.ts'
import { ByteWriter } from './byte-writer.ts'
import { crc32c } from './crc32c.ts'
import { codecName, decompressed } from './decompress.ts'

/** Who appends: the broker takes each (epoch, sequence) once. */
export type Producer = { readonly id: bigint; readonly epoch: number; readonly sequence: number }

const headBytes = 61
const lengthAt = 8
const lengthCountsFrom = 12
const crcAt = 17
const attributesAt = 21

const writer = new ByteWriter(1 << 20)

/** One batch with all of these records; at least one. */
export const encodeBatch = (records: readonly LogRecord[], producer: Producer): Buffer => {
  writer.reset()
  const base = records.reduce((least, { timestamp }) => Math.min(least, timestamp), Infinity)
  const newest = records.reduce((most, { timestamp }) => Math.max(most, timestamp), 0)
  writer.skip(headBytes)
  for (const [i, record] of records.entries()) writeRecord(record, i, base)
  const batch = writer.copy()
  writer.reset()
  batch.fill(0, 0, headBytes)
  batch.writeInt32BE(batch.length - lengthCountsFrom, lengthAt)
  batch.writeInt32BE(-1, 12)
  batch.writeInt8(2, 16)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(base), 27)
  batch.writeBigInt64BE(BigInt(newest), 35)
  batch.writeBigInt64BE(producer.id, 43)
  batch.writeInt16BE(producer.epoch, 51)
  batch.writeInt32BE(producer.sequence, 53)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch, attributesAt, batch.length), crcAt)
  return batch
}

/** The length of a record stands before it, so it is written behind room for the longest length and then moved up. */
const writeRecord = (
  { key, value, timestamp, headers }: LogRecord,
  offsetDelta: number,
  baseTimestamp: number
): void => {
  const start = writer.begin()
  writer.byte(0)
  writer.varint(timestamp - baseTimestamp)
  writer.varint(offsetDelta)
  writer.text(key)
  if (value === null) writer.varint(-1)
  else writer.bytes(value)
  const names = Object.keys(headers)
  writer.varint(names.length)
  for (const name of names) {
    writer.text(name)
    writer.text(headers[name]!)
  }
  writer.end(start)
}

/**
 * What of a partition's answer has been read: the records, the offset after all that was looked at, and how long all of
 * it is without compression.
 */
export type Decoded<T = StoredRecord> = { readonly records: T[]; readonly next: number; readonly plainBytes: number }

/**
 * Reads the records at `from` and after it of whole batches; what is cut off at the end is left for the next fetch. Of
 * `aborted` transactions, as the answer names them, nothing is read. Throws PARCOMOLO_LOG_BATCH_UNREADABLE.
 */
export type Decode<T> = (bytes: Buffer, from: number, aborted?: readonly Aborted[]) => Decoded<T>

export const decodeBatches: Decode<StoredRecord> = (bytes, from, aborted) =>
  decode(bytes, { from, aborted }, readRecord)

/** The same, but that a batch that cannot be read does not throw: one record stands for it. */
export const decodeWhatCan: Decode<StoredRecord> = (bytes, from, aborted) =>
  decode(bytes, { from, aborted, unreadable: standIn }, readRecord)

const standIn = (offset: number, unreadable: ParcomoloError): StoredRecord => ({
  ...{ key: '', value: null, headers: noHeaders, timestamp: Date.now(), offset },
  unreadable
})

/** Only the records at these offsets; of the others nothing is read but their lengths. */
export const decodeWanted =
  (wanted: ReadonlySet<number>): Decode<StoredRecord> =>
  (bytes, from, aborted) =>
    decode(bytes, { from, aborted }, (cursor, offset, at) =>
      wanted.has(offset) ? readRecord(cursor, offset, at) : undefined
    )

/** Where the key of a record stands, in UTF-8, and whether the record deletes it. */
export type KeyAt = {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly isDeleted: boolean
  readonly offset: number
}

/** Keys alone, not even made strings. */
export const decodeKeys: Decode<KeyAt> = (bytes, from, aborted) =>
  decode(bytes, { from, aborted }, (cursor, offset) => cursor.keyAt(offset))

type Decoding<T> = {
  readonly from: number
  readonly aborted: readonly Aborted[] | undefined
  /** What is made of a batch that cannot be read, at the offset of its first record that is wanted. */
  readonly unreadable?: ((offset: number, error: ParcomoloError) => T) | undefined
}

/** Batches that compaction has emptied, and markers of transactions, only move `next`. */
const decode = <T>(bytes: Buffer, decoding: Decoding<T>, read: Read<T>): Decoded<T> => {
  const { from, aborted } = decoding
  const records: T[] = []
  const producers = aborted === undefined ? undefined : new AbortedProducers(aborted)
  let next = from
  let at = 0
  let plainBytes = 0
  while (at + headBytes <= bytes.length) {
    const end = at + lengthCountsFrom + bytes.readInt32BE(at + lengthAt)
    if (end > bytes.length) break
    const after = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1
    const attributes = bytes.readInt16BE(at + attributesAt)
    const isLeftOut = producers?.leavesOut(bytes, at, { after, attributes }) ?? false
    if ((attributes & controlBit) === 0 && !isLeftOut && after > from)
      plainBytes += readWhatCan(bytes.subarray(at, end), decoding, read, records)
    next = Math.max(next, after)
    at = end
  }
  return { records, next, plainBytes }
}

const controlBit = 0x20

/** How long its records are without compression. */
const readBatch = <T>(batch: Buffer, from: number, read: Read<T>, into: T[]): number => {
  const codec = batch.readInt16BE(attributesAt) & 7
  const isPlain = codec === 0
  const bytes = isPlain ? batch : decompressed(batch.subarray(headBytes), codec)
  const start = isPlain ? headBytes : 0
  const base = Number(batch.readBigInt64BE(0))
  const [timestamp, count] = [Number(batch.readBigInt64BE(27)), batch.readInt32BE(57)]
  readRecords(bytes, { start, base, from, timestamp, count, read }, into)
  return bytes.length - start
}

/** Throws where nothing may stand for a batch that cannot be read. */
const readWhatCan = <T>(batch: Buffer, { from, unreadable }: Decoding<T>, read: Read<T>, into: T[]): number => {
  const count = into.length
  try {
    return readBatch(batch, from, read, into)
  } catch (error) {
    into.length = count
    const told = unreadableBatch(batch, error)
    if (unreadable === undefined) throw told
    into.push(unreadable(Math.max(Number(batch.readBigInt64BE(0)), from), told))
    return 0
  }
}

const unreadableBatch = (batch: Buffer, cause: unknown): ParcomoloError => {
  const base = Number(batch.readBigInt64BE(0))
  const codec = codecName(batch.readInt16BE(attributesAt) & 7)
  return new ParcomoloError(
    'PARCOMOLO_LOG_BATCH_UNREADABLE',
    `the batch of the offsets '${base}' to '${base + batch.readInt32BE(23)}' (compression '${codec}') cannot be read: ` +
      `${(cause as Error).message}; expected a record batch of format 2, as Kafka's clients send it, that becomes ` +
      'no longer than 64 MiB; its producer has to send these records again',
    { cause }
  )
}

/** What is made of a record, from its key on; undefined where it is passed over. */
type Read<T> = (cursor: Cursor, offset: number, timestamp: number) => T | undefined

type BatchFacts<T> = {
  /** Where the first record stands. */
  readonly start: number
  readonly base: number
  readonly from: number
  readonly timestamp: number
  readonly count: number
  readonly read: Read<T>
}

const readRecords = <T>(bytes: Buffer, facts: BatchFacts<T>, into: T[]): void => {
  const { base, from, timestamp, count, read } = facts
  const cursor = new Cursor(bytes)
  cursor.at = facts.start
  for (let i = 0; i < count; i++) {
    const length = cursor.varint()
    const end = cursor.at + length
    if (!(length > 0 && end <= bytes.length)) throw new Error(`record ${i} of ${count} does not end within the batch`)
    cursor.at++
    const at = timestamp + cursor.varint()
    const offset = base + cursor.varint()
    const record = offset < from ? undefined : read(cursor, offset, at)
    if (record !== undefined) into.push(record)
    cursor.at = end
  }
}

const readRecord: Read<StoredRecord> = (cursor, offset, timestamp) => ({ ...cursor.content(), timestamp, offset })

const noHeaders: Headers = {}

class Cursor {
  at = 0
  readonly #bytes: Buffer
  /** The names of the headers last read, by their number in the record, and where they stand with their length. */
  readonly #names: { readonly name: string; readonly start: number; readonly end: number }[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  content(): Pick<StoredRecord, 'key' | 'value' | 'headers'> {
    const key = this.text()
    const valueLength = this.varint()
    const value = valueLength < 0 ? null : this.#bytes.subarray(this.at, this.at + valueLength)
    this.at += Math.max(0, valueLength)
    return { key, value, headers: this.#headers() }
  }

  keyAt(offset: number): KeyAt {
    const length = Math.max(0, this.varint())
    const start = this.at
    this.at += length
    return { bytes: this.#bytes, start, end: this.at, isDeleted: this.varint() < 0, offset }
  }

  text(): string {
    const length = this.varint()
    if (length <= 0) return ''
    const start = this.at
    this.at += length
    return length < 24 ? this.#ascii(start, this.at) : this.#bytes.toString('utf8', start, this.at)
  }

  /** Zigzag; a timestamp's delta may need more than 32 bits. */
  varint(): number {
    const bytes = this.#bytes
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    let high = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[this.at++]!
      high += (byte & 0x7f) * factor
      if (byte < 0x80) break
    }
    const half = high * 0x8000000 + (low >>> 1)
    return (low & 1) === 0 ? half : -half - 1
  }

  #headers(): Headers {
    const count = this.varint()
    if (count === 0) return noHeaders
    const headers: Record<string, string> = {}
    for (let i = 0; i < count; i++) {
      const name = this.#headerName(i)
      headers[name] = this.text()
    }
    return headers
  }

  /** Mostly it is that of the record before, which need not be made anew. */
  #headerName(number: number): string {
    const known = this.#names[number]
    if (known !== undefined && this.#repeats(known.start, known.end)) return known.name
    const start = this.at
    const name = this.text()
    this.#names[number] = { name, start, end: this.at }
    return name
  }

  /** Whether the bytes from `start` to `end` are the next ones, too, which then are passed over. */
  #repeats(start: number, end: number): boolean {
    const bytes = this.#bytes
    const shift = this.at - start
    for (let i = start; i < end; i++) if (bytes[i] !== bytes[i + shift]) return false
    this.at += end - start
    return true
  }

  /** Short names without a call out of JavaScript. */
  #ascii(start: number, end: number): string {
    const bytes = this.#bytes
    let text = ''
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!
      if (byte >= 0x80) return bytes.toString('utf8', start, end)
      text += String.fromCharCode(byte)
    }
    return text
  }
}
