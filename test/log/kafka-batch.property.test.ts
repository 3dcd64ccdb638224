import { createRequire } from 'node:module'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import type { LogRecord } from '../../src/log/index.ts'
import { crc32c } from '../../src/log/kafka/crc32c.ts'
import { ByteWriter } from '../../src/log/kafka/byte-writer.ts'
import {
  decodeBatches,
  decodeKeys,
  decodeWanted,
  decodeWhatCan,
  encodeBatch
} from '../../src/log/kafka/record-batch.ts'

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

test('what foreign producers compress is read, by whichever codec', (t) => {
  const batch = encodeBatch([{ key: 'a', value: Buffer.from('1'), timestamp: 1, headers: { b: 'c' } }], producer)
  const packers = [
    [1, gzipSync],
    [2, asSnappy],
    [3, asLz4],
    [4, zstdCompressSync]
  ] as const
  for (const [codec, pack] of packers)
    t.like(decodeBatches(compressed(batch, codec, pack), 0).records[0], { key: 'a', headers: { b: 'c' }, offset: 0 })
})

/** Literals only. */
const asSnappy = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(bytes.length, (bytes.length - 1) << 2), bytes])
const asLz4 = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from('04224d18604070', 'hex'), Buffer.of(bytes.length, 0, 0, 0x80), bytes, Buffer.alloc(4)])

const one = (key: string): LogRecord => ({ key, value: null, timestamp: 1, headers: {} })

test('for a batch that cannot be read one record stands, and those around it are read', (t) => {
  const damaged = (codec: number, bytes: string): Buffer =>
    compressed(encodeBatch([one('b'), one('c'), one('d')], producer), codec, () => Buffer.from(bytes))
  for (const [codec, bytes] of [
    [1, 'no gzip'],
    [2, '~'],
    [3, 'no lz4'],
    [4, 'no zstd'],
    [7, ''],
    [0, 'x']
  ] as const) {
    const batches = [encodeBatch([one('a')], producer), damaged(codec, bytes), encodeBatch([one('e')], producer)]
    const all = Buffer.concat(batches.map((batch, i) => at(batch, [10, 11, 14][i]!)))
    for (const [from, found] of [
      [10, [10, 11, 14]],
      [12, [12, 14]],
      [14, [14]]
    ] as const) {
      const { records, next } = decodeWhatCan(all, from)
      t.deepEqual([records.map(({ offset }) => offset), next], [[...found], 15])
      t.like(records.at(-1), { key: 'e', unreadable: undefined })
    }
    const { unreadable } = decodeWhatCan(all, 11).records[0]!
    t.is(unreadable!.code, 'PARCOMOLO_LOG_BATCH_UNREADABLE')
    t.regex(
      unreadable!.message,
      /^the batch of the offsets '11' to '13' \(compression '.+'\) cannot be read: .+; expected/
    )
    t.throws(() => decodeBatches(all, 10), { code: 'PARCOMOLO_LOG_BATCH_UNREADABLE' })
    t.throws(() => decodeKeys(all, 10), { code: 'PARCOMOLO_LOG_BATCH_UNREADABLE' })
    t.deepEqual(decodeBatches(all, 14).records.length, 1)
  }
})

/** A batch of a transaction, or the marker that ends it. */
const ofTransaction = (id: number, key: string, base: number, attributes = 0x10): Buffer => {
  const batch = at(encodeBatch([one(key)], { ...producer, id: BigInt(id) }), base)
  batch.writeInt16BE(attributes, 21)
  return batch
}
const markerOf = (id: number, base: number): Buffer => ofTransaction(id, 'marker', base, 0x30)

test('of transactions that were aborted nothing is read, in whatever order the broker names them', (t) => {
  const bytes = Buffer.concat([
    ...[
      ofTransaction(1, 'a', 5),
      ofTransaction(2, 'B', 6),
      ofTransaction(1, 'a', 7),
      at(encodeBatch([one('C')], producer), 8)
    ],
    ...[markerOf(1, 9), ofTransaction(1, 'D', 10), ofTransaction(3, 'e', 11), markerOf(2, 12), markerOf(1, 13)],
    // The same producer again, first without and then with an abort.
    ...[ofTransaction(2, 'f', 14), markerOf(2, 15), ofTransaction(2, 'G', 16), markerOf(2, 17), markerOf(3, 18)]
  ])
  const aborted = [
    { producerId: 1n, firstOffset: 5 },
    { producerId: 2n, firstOffset: 14 },
    { producerId: 3n, firstOffset: 11 }
  ]
  for (const order of [aborted, aborted.toReversed()]) {
    for (const decode of [
      decodeBatches,
      decodeWhatCan,
      decodeWanted(new Set(Array.from({ length: 20 }, (_, i) => i)))
    ]) {
      const { records, next } = decode(bytes, 5, order)
      t.deepEqual([records.map(({ key }) => key).join(''), next], ['BCDG', 19])
    }
    t.is(decodeKeys(bytes, 5, order).records.length, 4)
  }
  // A fetch may begin inside of a transaction: the broker names it all the same.
  t.is(decodeBatches(bytes.subarray(ofTransaction(1, 'a', 5).length), 6, aborted).records.length, 4)
  t.is(decodeBatches(bytes, 5).records.length, 8)
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
