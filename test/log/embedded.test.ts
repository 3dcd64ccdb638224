import test, { type ExecutionContext } from 'ava'
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log, TopicPartition } from '../../src/log/index.ts'
import { type StageMaker, testLogContract } from './contract.ts'
import { newFolder } from './folder.ts'
import { keysOf, readAll, record, records, takeUntil } from './records.ts'

const stageWith =
  (options: { segmentBytes?: number; tailBytesMax?: number }): StageMaker =>
  async (t) => {
    const dir = newFolder(t)
    let log: Log | undefined
    return {
      open: async () => (log = await openEmbeddedLog({ dir, ...options })),
      end: async () => log?.close()
    }
  }

testLogContract('embedded', stageWith({}))
testLogContract('embedded, read from the disk', stageWith({ segmentBytes: 200, tailBytesMax: 0 }))

const [place, sibling] = [0, 1].map((partition) => ({ topic: 'journal', partition })) as [
  TopicPartition,
  TopicPartition
]
const fromStart = [place, sibling].map((start) => ({ ...start, offset: 0 }))

const open = async (t: ExecutionContext, options: Partial<EmbeddedLogOptions> = {}): Promise<Log> => {
  const log = await openEmbeddedLog({ dir: newFolder(t), ...options })
  t.teardown(() => log.close())
  await log.ensureTopics([{ topic: 'journal', partitions: 2, cleanup: 'delete' }])
  return log
}

test('readers share the records in memory', async (t) => {
  const log = await open(t)
  await (await log.claim(place)).append(records('a', 2))
  const [first, second] = [log.reader(fromStart, 'visible'), log.reader(fromStart, 'visible')]
  t.is(first.take(2)[0]!.records, second.take(2)[0]!.records)
})

test('what is appended in one turn of the event loop wakes a reader once, with all of it', async (t) => {
  const log = await open(t)
  const [writer, other] = [await log.claim(place), await log.claim(sibling)]
  const reader = log.reader(fromStart, 'visible')
  const woken = reader.ready().then(() => reader.take(100))
  await writer.append(records('a', 1))
  await other.append(records('b', 1))
  await writer.append(records('c', 1))
  const chunks = (await woken).map(({ partition, records: taken }) => [partition, keysOf(taken)])
  t.deepEqual(Object.fromEntries(chunks), { 0: ['a0', 'c0'], 1: ['b0'] })
})

test('partitions take turns where a reader takes less than one record of each', async (t) => {
  const log = await open(t)
  await (await log.claim(place)).append(records('a', 3))
  await (await log.claim(sibling)).append(records('b', 3))
  const reader = log.reader(fromStart, 'visible')
  const taken = Array.from({ length: 4 }, () => reader.take(1)[0]!.partition)
  t.is(taken.filter((partition) => partition === 0).length, 2)
})

test('what one partition does not need of a take goes to the other', async (t) => {
  const log = await open(t)
  await (await log.claim(place)).append(records('a', 1))
  await (await log.claim(sibling)).append(records('b', 20))
  const chunks = log.reader(fromStart, 'visible').take(10)
  t.deepEqual(Object.fromEntries(chunks.map(({ partition, records: taken }) => [partition, taken.length])), {
    0: 1,
    1: 9
  })
})

test('a reader that has fallen behind the memory comes back to it', async (t) => {
  const log = await open(t, { tailBytesMax: 2000, segmentBytes: 1000 })
  const writer = await log.claim(place)
  const reader = log.reader(fromStart, 'visible')
  for (let batch = 0; batch < 30; batch++) {
    const base = await writer.append(records(`${batch}.`, 2))
    if (batch % 7 === 0) await log.durable(place, base + 2)
  }
  const keys = keysOf(await takeUntil(reader, 60, 5))
  t.deepEqual(
    keys,
    Array.from({ length: 60 }, (_, i) => `${i >> 1}.${i % 2}`)
  )
  await writer.append(records('last', 1))
  t.deepEqual(keysOf(reader.take(1)[0]!.records), ['last0'])
})

test('thousands of small batches pass through the memory', async (t) => {
  const log = await open(t, { tailBytesMax: 100_000 })
  const writer = await log.claim(place)
  const reader = log.reader(fromStart, 'visible')
  for (let i = 0; i < 4000; i++) {
    const base = await writer.append([record(`${i}`)])
    if (i % 500 === 499) await log.durable(place, base + 1)
  }
  const expected = Array.from({ length: 4000 }, (_, i) => `${i}`)
  t.deepEqual(keysOf(await takeUntil(reader, 4000)), expected)
  t.deepEqual(keysOf(await readAll(log, place)), expected)
})

test('batches of megabytes are found by the marks of the index, among those of others', async (t) => {
  const log = await open(t, { tailBytesMax: 0 })
  const [writer, other] = [await log.claim(place), await log.claim(sibling)]
  for (let i = 0; i < 8; i++) {
    await writer.append([{ ...record(`large ${i}`), value: new Uint8Array(600_000) }])
    await other.append([record(`small ${i}`)])
    await log.durable(sibling, i + 1)
  }
  for (let from = 0; from < 8; from++) {
    t.deepEqual(keysOf(await readAll(log, place, from, from + 1)), [`large ${from}`])
    t.deepEqual(keysOf(await readAll(log, sibling, from, 8))[0], `small ${from}`)
  }
})

test('members of a group share its partitions, in the order of joining', async (t) => {
  const log = await open(t)
  const mine: Record<string, number[]> = {}
  const join = (name: string) =>
    log.join('tasks', [place, sibling], (places) => (mine[name] = places.map(({ partition }) => partition)))
  const first = await join('first')
  t.deepEqual(mine, { first: [0, 1] })
  await join('second')
  t.deepEqual(mine, { first: [0], second: [1] })
  await first.leave()
  await first.leave()
  t.deepEqual(mine, { first: [0], second: [0, 1] })
})
