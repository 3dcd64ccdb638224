/**
 * The log's bytes. Numbers are little endian, `string` is a varint length and UTF-8.
 *
 *   segment = "PARCOMOLO LOG 1\n" group*             one file; the file's name is the log position of its first byte
 *   group   = frame('G') frame('B')*                 what one write and one fsync have carried
 *   frame   = length:u32 crc:u32 kind:u8 body        length of kind and body; CRC-32 (zlib's) of kind and body
 *   G body  = "roup@" position:f64                   its own log position
 *   B body  = base:f64 count:u32 partition:u32 topic:string names record{count}     one atomic batch
 *   names   = count:varint string*                   the names of all headers in the batch
 *   record  = timestamp:f64 key:string value headers
 *   value   = length + 1:varint byte*                0: null
 *   headers = count:varint (index into names:varint value:string)*
 *
 * F1. A group is written after the fsync of all groups before it. So a good 'G' behind a bad frame proves that the
 *     bad one was durable: it is corruption and not a torn tail.
 */
import { crc32 } from 'node:zlib'
import { ParcomoloError } from '../../base/index.ts'
import type { Headers, LogRecord, StoredRecord, TopicPartition } from '../log.ts'
import { ReadCursor } from './read-cursor.ts'
import { WriteBuffer } from './write-buffer.ts'

export const segmentMagic = Buffer.from('PARCOMOLO LOG 1\n', 'latin1')
export const groupMark = Buffer.from('Group@', 'latin1')
export const frameHeadBytes = 8
export const groupFrameBytes = frameHeadBytes + groupMark.length + 8
/** Default of the longest batch; the decoder takes longer ones for garbage. */
export const batchBytesMax = 32 * 1024 * 1024

const batchKind = 0x42

/** Where in the frame of a batch its place stands. */
const placeAt = frameHeadBytes + 1 + 8 + 4

/** Where a batch stands, without its records. `recordsAt` is the place of its first record in the bytes. */
export type BatchHead = TopicPartition & { readonly base: number; readonly count: number; readonly bodyAt: number }

export const writeGroup = (bytes: Buffer, position: number): void => {
  groupMark.copy(bytes, frameHeadBytes)
  bytes.writeDoubleLE(position, frameHeadBytes + groupMark.length)
  seal(bytes, 0, groupFrameBytes)
}

/** Appends one batch; on a record that cannot be written it throws and leaves the buffer as it was. */
export const writeBatch = (
  out: WriteBuffer,
  place: TopicPartition,
  base: number,
  records: readonly LogRecord[]
): void => {
  const start = out.length
  try {
    out.skip(frameHeadBytes)
    out.u8(batchKind)
    out.f64(base)
    out.u32(records.length)
    out.u32(place.partition)
    out.string(place.topic)
    const names = writeNames(out, records)
    for (const record of records) writeRecord(out, record, names)
    if (out.length - start > batchBytesMax) throw batchTooLong(place, out.length - start)
    seal(out.bytes, start, out.length)
  } catch (error) {
    out.length = start
    throw error
  }
}

/** Length of the frame at `at`, head included; undefined where no whole and good frame stands. */
export const frameLength = (bytes: Buffer, at: number): number | undefined => {
  const end = frameEnd(bytes, at)
  if (end === undefined || end > bytes.length) return undefined
  return crcOf(bytes, at, end) === bytes.readUInt32LE(at + 4) ? end - at : undefined
}

/**
 * Where the frame at `at` says that it ends, which may be beyond the bytes; undefined where its head is not whole or
 * cannot be one.
 */
export const frameEnd = (bytes: Buffer, at: number): number | undefined => {
  if (at + frameHeadBytes + 1 > bytes.length) return undefined
  const length = bytes.readUInt32LE(at)
  const kind = bytes[at + frameHeadBytes]
  if (length === 0 || length > batchBytesMax || (kind !== batchKind && kind !== groupMark[0])) return undefined
  return at + frameHeadBytes + length
}

export const isBatch = (bytes: Buffer, at: number): boolean => bytes[at + frameHeadBytes] === batchKind

/** How a place stands in the batches that are its own. */
export const placeBytes = (place: TopicPartition): Buffer => {
  const out = new WriteBuffer(64)
  out.u32(place.partition)
  out.string(place.topic)
  return out.written()
}

/** Whether the frame is a batch of the place that these bytes stand for; without decoding it. */
export const isBatchOf = (bytes: Buffer, at: number, place: Buffer): boolean => {
  if (!isBatch(bytes, at)) return false
  for (let i = 0; i < place.length; i++) if (bytes[at + placeAt + i] !== place[i]) return false
  return true
}

/** The log position that the group frame at `at` names. */
export const groupPosition = (bytes: Buffer, at: number): number =>
  bytes.readDoubleLE(at + frameHeadBytes + groupMark.length)

export const readBatchHead = (bytes: Buffer, at: number): BatchHead => {
  const cursor = new ReadCursor(bytes, at + frameHeadBytes + 1)
  const base = cursor.f64()
  const count = cursor.u32()
  const partition = cursor.u32()
  return { base, partition, count, topic: cursor.string(), bodyAt: cursor.at }
}

export const readRecords = (bytes: Buffer, head: BatchHead): StoredRecord[] => {
  const cursor = new ReadCursor(bytes, head.bodyAt)
  const names = Array.from({ length: cursor.varint() }, () => cursor.string())
  const records: StoredRecord[] = []
  for (let i = 0; i < head.count; i++) {
    const timestamp = cursor.f64()
    const key = cursor.string()
    const length = cursor.varint()
    const value = length === 0 ? null : cursor.blob(length - 1)
    records.push({ key, value, timestamp, headers: readHeaders(cursor, names), offset: head.base + i })
  }
  return records
}

const noHeaders: Headers = Object.freeze({})

const readHeaders = (cursor: ReadCursor, names: readonly string[]): Headers => {
  const count = cursor.varint()
  if (count === 0) return noHeaders
  const headers: Record<string, string> = {}
  for (let i = 0; i < count; i++) headers[names[cursor.varint()]!] = cursor.string()
  return headers
}

const writeNames = (out: WriteBuffer, records: readonly LogRecord[]): Map<string, number> => {
  const names = new Map<string, number>()
  for (const { headers } of records) {
    for (const name in headers) if (!names.has(name)) names.set(name, names.size)
  }
  out.varint(names.size)
  for (const name of names.keys()) out.string(name)
  return names
}

const writeRecord = (out: WriteBuffer, record: LogRecord, names: ReadonlyMap<string, number>): void => {
  out.f64(record.timestamp)
  out.string(record.key)
  if (record.value === null) out.varint(0)
  else {
    out.varint(record.value.length + 1)
    out.blob(record.value)
  }
  let count = 0
  for (const _ in record.headers) count++
  out.varint(count)
  for (const name in record.headers) {
    out.varint(names.get(name)!)
    out.string(record.headers[name]!)
  }
}

const seal = (bytes: Buffer, start: number, end: number): void => {
  bytes.writeUInt32LE(end - start - frameHeadBytes, start)
  bytes.writeUInt32LE(crcOf(bytes, start, end), start + 4)
}

const crcOf = (bytes: Buffer, start: number, end: number): number => crc32(bytes.subarray(start + frameHeadBytes, end))

const batchTooLong = (place: TopicPartition, bytes: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_BATCH_REFUSED',
    `a batch for '${place.topic}/${place.partition}' has ${bytes} bytes; at most ${batchBytesMax} are taken; append fewer records at once`
  )
