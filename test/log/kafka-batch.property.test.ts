import { createRequire } from 'node:module'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import type { LogRecord } from '../../src/log/index.ts'
import { crc32c } from '../../src/log/kafka/crc32c.ts'
import { ByteWriter } from '../../src/log/kafka/byte-writer.ts'
import { decodeBatches, decodeKeys, decodeWanted, encodeBatch } from '../../src/log/kafka/record-batch.ts'

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object
/** The oracle: kafkajs' own reader of batches. */
const decodeByKafkaJs = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<{
  records: {
    key: Buffer
    value: Buffer | null
    timestamp: string
    offset: string
    headers: Record<string, Buffer | undefined>
  }[]
}>

const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'grapheme', maxLength: 80 })).map(wellFormed)
const time = fc.oneof(fc.nat(), fc.constant(0), fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }))
const arbitraryRecord: fc.Arbitrary<LogRecord> = fc.record({
  key: text,
  value: fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
  timestamp: time,
  headers: fc.dictionary(
    fc.oneof(
      fc.constantFrom('ce_id', 'ce_type'),
      text.filter((name) => name !== '' && name !== '__proto__')
    ),
    text,
    { maxKeys: 4 }
  )
})
const arbitraryRecords = fc.array(arbitraryRecord, { minLength: 1, maxLength: 30 })
const producer = { id: 4711n, epoch: 3, sequence: 17 }

function wellFormed(written: string): string {
  return Buffer.from(written).toString()
}

/** kafkajs takes what every object has, such as `toString`, for a header that it has read already. */
const named = (records: readonly LogRecord[]): LogRecord[] =>
  records.map((record) => ({
    ...record,
    headers: Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [`h ${name}`, value]))
  }))

const plain = (records: readonly LogRecord[]) =>
  records.map(({ key, value, timestamp, headers }) => ({
    key,
    value: value === null ? null : Buffer.from(value).toString('hex'),
    timestamp,
    headers: { ...headers }
  }))

/** As the broker stores it. */
const at = (batch: Buffer, base: number): Buffer => {
  const stored = Buffer.from(batch)
  stored.writeBigInt64BE(BigInt(base), 0)
  return stored
}

/** As a foreign producer compresses it. */
const compressed = (batch: Buffer, codec: number, compress: (bytes: Buffer) => Buffer): Buffer => {
  const packed = Buffer.concat([batch.subarray(0, 61), compress(batch.subarray(61))])
  packed.writeInt32BE(packed.length - 12, 8)
  packed.writeInt16BE(codec, 21)
  return packed
}

test('the checksum is CRC-32C', (t) => {
  const digits = Buffer.from('123456789')
  t.is(crc32c(digits, 0, digits.length), 0xe3069283)
  t.is(crc32c(Buffer.alloc(32), 0, 32), 0x8a9136aa)
  t.is(crc32c(Buffer.concat([Buffer.from('x'), digits]), 1, 10), 0xe3069283)
})

test('a batch is read as it was written, from any offset on', (t) => {
  fc.assert(
    fc.property(arbitraryRecords, fc.nat(1_000_000), fc.nat(35), (records, base, skipped) => {
      const { records: read, next } = decodeBatches(at(encodeBatch(records, producer), base), base + skipped)
      t.is(next, Math.max(base + records.length, base + skipped))
      t.deepEqual(plain(read), plain(records.slice(skipped)))
      t.deepEqual(
        read.map(({ offset }) => offset),
        records.slice(skipped).map((_, i) => base + skipped + i)
      )
    })
  )
})

test('of a batch nothing is read but what is wanted', (t) => {
  const arbitraryOffsets = fc.uniqueArray(fc.nat(35))
  fc.assert(
    fc.property(arbitraryRecords, fc.nat(1_000_000), fc.nat(35), arbitraryOffsets, (records, base, skipped, wanted) => {
      const batch = at(encodeBatch(records, producer), base)
      const offsets = new Set(wanted.map((delta) => base + delta))
      const all = decodeBatches(batch, base + skipped)
      const found = decodeWanted(offsets)(batch, base + skipped)
      t.is(found.next, all.next)
      t.deepEqual(
        found.records,
        all.records.filter(({ offset }) => offsets.has(offset))
      )
    })
  )
})

test('the keys of a batch are found where they stand', (t) => {
  fc.assert(
    fc.property(arbitraryRecords, fc.nat(1_000_000), fc.nat(35), (records, base, skipped) => {
      const batch = at(encodeBatch(records, producer), base)
      const all = decodeBatches(batch, base + skipped)
      const { records: keys, next } = decodeKeys(batch, base + skipped)
      t.is(next, all.next)
      t.deepEqual(
        keys.map(({ bytes, start, end, isDeleted, offset }) => [bytes.toString('utf8', start, end), isDeleted, offset]),
        all.records.map(({ key, value, offset }) => [key, value === null, offset])
      )
    })
  )
})

test('kafkajs reads a batch as it was written', async (t) => {
  await fc.assert(
    fc.asyncProperty(arbitraryRecords.map(named), async (records) => {
      const { records: read } = await decodeByKafkaJs(new Decoder(encodeBatch(records, producer)))
      const seen = read.map(({ key, value, timestamp, headers }) => ({
        key: key.toString(),
        value: value === null ? null : value.toString('hex'),
        timestamp: Number(timestamp),
        headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, String(bytes)]))
      }))
      t.deepEqual(seen, plain(records))
    })
  )
})

test('batches are read one after the other, and one that is cut off is left for the next fetch', (t) => {
  const record = (key: string): LogRecord => ({ key, value: null, timestamp: 1, headers: {} })
  const first = at(encodeBatch([record('a'), record('b')], producer), 10)
  const second = at(encodeBatch([record('c')], producer), 12)
  const bytes = Buffer.concat([first, second])
  for (let length = 0; length <= bytes.length; length++) {
    const { records, next } = decodeBatches(bytes.subarray(0, length), 10)
    const whole = length === bytes.length ? 3 : length >= first.length ? 2 : 0
    t.deepEqual([records.map(({ key }) => key).join(''), next], ['abc'.slice(0, whole), 10 + whole])
  }
})

test('a batch that compaction has emptied, and a marker of a transaction, only move on', (t) => {
  const empty = at(encodeBatch([{ key: 'a', value: null, timestamp: 1, headers: {} }], producer), 5).subarray(0, 61)
  const emptied = Buffer.from(empty)
  emptied.writeInt32BE(61 - 12, 8)
  emptied.writeInt32BE(9, 23)
  emptied.writeInt32BE(0, 57)
  t.deepEqual(decodeBatches(emptied, 5), { records: [], next: 15, plainBytes: 0 })
  const marker = at(encodeBatch([{ key: 'a', value: null, timestamp: 1, headers: {} }], producer), 5)
  marker.writeInt16BE(0x20, 21)
  t.deepEqual(decodeBatches(marker, 5), { records: [], next: 6, plainBytes: 0 })
})

test('what foreign producers compress with gzip or zstd is read, and anything else names the cure', (t) => {
  const batch = encodeBatch([{ key: 'a', value: Buffer.from('1'), timestamp: 1, headers: { b: 'c' } }], producer)
  for (const packed of [compressed(batch, 1, gzipSync), compressed(batch, 4, zstdCompressSync)])
    t.like(decodeBatches(packed, 0).records[0], { key: 'a', headers: { b: 'c' }, offset: 0 })
  t.throws(
    () =>
      decodeBatches(
        compressed(batch, 3, (bytes) => bytes),
        0
      ),
    {
      code: 'PARCOMOLO_LOG_COMPRESSION',
      message: /'lz4'.+compression\.type=uncompressed/
    }
  )
})

test('room that only something large has needed is given back', (t) => {
  const writer = new ByteWriter(1_000)
  writer.block(Buffer.alloc(1_000_000))
  t.is(writer.copy().length, 1_000_004)
  writer.reset()
  t.is(writer.written().buffer.byteLength, 1_000)
  writer.block(Buffer.alloc(1_500))
  writer.reset()
  t.is(writer.written().buffer.byteLength, 2_000)
})
