import test from 'ava'
import { decodeFolders, describeRequest } from '../../src/log/kafka/disk-usage.ts'

const int32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
const int64 = (value: number): number[] => [...int32(Math.floor(value / 2 ** 32)), ...int32(value % 2 ** 32)]
const text = (value: string): number[] => [value.length + 1, ...Buffer.from(value)]

const partition = (index: number, size: number): number[] => [...int32(index), ...int64(size), ...int64(0), 0, 0]

/** DescribeLogDirsResponse, version 4, as the protocol guide has it. */
const answer = (error: number): Buffer =>
  Buffer.from([
    ...[0, ...int32(0), 0, error, 2],
    ...[0, 0, ...text('/data/a'), 3],
    ...[...text('orders'), 3, ...partition(0, 5_000_000_000), ...partition(1, 7), 0],
    ...[...text('stock'), 2, ...partition(0, 11), 1, 9, 3, 1, 2, 3],
    ...[...int64(9_000_000_000), ...int64(300), 0],
    0
  ])

test('sizes are summed up by topic and folder, and what a later version adds is passed over', (t) => {
  t.deepEqual(decodeFolders(answer(0)), [
    {
      folder: '/data/a',
      topics: [
        { topic: 'orders', bytes: 5_000_000_007 },
        { topic: 'stock', bytes: 11 }
      ],
      volumeBytes: 9_000_000_000,
      freeBytes: 300
    }
  ])
})

test('a broker that does not tell is an error', (t) => {
  t.throws(() => decodeFolders(answer(31)), { message: /31|CLUSTER_AUTHORIZATION/i })
})

test('it is asked for the given places alone, in the newer encoding', async (t) => {
  const long = 'x'.repeat(200)
  const places = [
    { topic: 'a', partition: 0 },
    { topic: long, partition: 3 },
    { topic: 'a', partition: 1 }
  ]
  const { request } = describeRequest(places)
  t.like(request, { apiKey: 35, apiVersion: 4 })
  const expected = [
    ...[0, 3],
    ...[...text('a'), 3, ...int32(0), ...int32(1), 0],
    ...[0xc9, 0x01, ...Buffer.from(long), 2, ...int32(3), 0],
    0
  ]
  t.deepEqual([...(await request.encode()).buf], expected)
})
