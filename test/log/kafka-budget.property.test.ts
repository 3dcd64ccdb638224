import { setImmediate as nextTurn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { accountBytesMin, Budget, ParcomoloError } from '../../src/base/index.ts'
import { type LogRecord, placeName, type Reader, type StoredRecord, type TopicPartition } from '../../src/log/index.ts'
import { RangeReader } from '../../src/log/kafka/range-reader.ts'
import { KafkaReader } from '../../src/log/kafka/reader.ts'
import { newStats } from '../../src/log/kafka/stats.ts'
import { Tail } from '../../src/log/kafka/tail.ts'
import { WireBroker } from './wire-broker.ts'

const kibibyte = 1024
const mebibyte = 1024 * 1024
const topics = ['a', 'b', 'c', 'd'].map((name) => ({ name, partitions: 12 }))
const places: readonly TopicPartition[] = [
  ...topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
  ),
  { topic: 'single', partition: 0 }
]

type Stage = {
  readonly broker: WireBroker
  readonly budget: Budget
  readonly ranges: RangeReader
  readonly reader: (starts: readonly TopicPartition[]) => Reader
}

const makeStage = async (t: ExecutionContext, budgetBytes: number): Promise<Stage> => {
  const broker = await new WireBroker([...topics, { name: 'single', partitions: 1 }]).follow()
  const { cluster } = broker
  t.teardown(() => cluster.close(new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'the log is closed')))
  const [stats, budget] = [newStats(), new Budget(budgetBytes)]
  const [tail, ranges] = [new Tail(cluster, stats, budget), new RangeReader(cluster, stats, budget)]
  const deps = {
    ...{ tail, ranges, budget },
    losses: { accepted: () => new Promise<never>(() => undefined) },
    topicOf: (name: string) => name,
    isClosed: () => false,
    onClosed: () => undefined
  }
  const reader = (starts: readonly TopicPartition[]): Reader =>
    new KafkaReader(
      starts.map((place) => ({ ...place, offset: 0 })),
      deps
    )
  return { broker, budget, ranges, reader }
}

const recordOf = (key: string, valueBytes: number): LogRecord => ({
  key,
  value: Buffer.alloc(valueBytes, key),
  timestamp: 1,
  headers: { ce_type: 'OrderPlaced', ce_id: `id of ${key}`, ce_correlationid: `correlation of ${key}` }
})

/** What a batch of so many records takes in memory, somewhat more than it does. */
const batchHeldBytes = (records: number, valueBytes: number): number => records * (valueBytes * 1.5 + 700)

const fill = (broker: WireBroker, batches: number, records: number, valueBytes: number): void => {
  for (const place of places)
    for (let batch = 0; batch < batches; batch++)
      broker.append(
        place,
        Array.from({ length: records }, (_, i) => recordOf(String(batch * records + i), valueBytes))
      )
}

/** All of them, each record once and in order. */
class Seen {
  readonly nexts = new Map<string, number>(places.map((place) => [placeName(place), 0]))

  add(place: TopicPartition, records: readonly StoredRecord[]): void {
    const name = placeName(place)
    for (const { key, offset, value } of records) {
      const next = this.nexts.get(name)!
      if (offset !== next || key !== String(next) || value?.[0] !== key.charCodeAt(0))
        throw new Error(`'${name}' gave '${offset}' (${key}), expected ${next}`)
      this.nexts.set(name, next + 1)
    }
  }

  isAt(place: TopicPartition, next: number): boolean {
    return this.nexts.get(placeName(place)) === next
  }
}

const arbitraryRun = fc.record({
  batches: fc.integer({ min: 1, max: 12 }),
  records: fc.integer({ min: 1, max: 40 }),
  valueBytes: fc.integer({ min: 1, max: 3_000 }),
  /** Of these places nothing is taken before all others are through. */
  slow: fc.nat(48),
  isOneReader: fc.boolean(),
  takes: fc.array(
    fc.record({ recordsMax: fc.integer({ min: 1, max: 500 }), bytesMax: fc.integer({ min: 1, max: 300_000 }) }),
    { minLength: 1, maxLength: 20 }
  )
})

test('49 places stay within their budget and one batch each whatever is taken, and all comes in order', async (t) => {
  const run = fc.asyncProperty(arbitraryRun, async ({ batches, records, valueBytes, slow, isOneReader, takes }) => {
    const { broker, budget, reader } = await makeStage(t, 8 * mebibyte)
    fill(broker, batches, records, valueBytes)
    const total = batches * records
    const groups = isOneReader ? [places.slice(0, slow), places.slice(slow)] : places.map((place) => [place])
    const readers = groups.map((group) => ({ group, reader: reader(group) }))
    const seen = new Seen()
    const heldMax = budget.bytesMax + places.length * Math.max(accountBytesMin, batchHeldBytes(records, valueBytes))
    const isDone = (some: readonly TopicPartition[]): boolean => some.every((place) => seen.isAt(place, total))
    let turn = 0
    for (const part of [readers.slice(slow), readers.slice(0, slow)]) {
      while (!part.every(({ group }) => isDone(group))) {
        const { recordsMax, bytesMax } = takes[turn++ % takes.length]!
        const chunks = part.flatMap(({ reader: each }) => each.take(recordsMax, bytesMax))
        for (const chunk of chunks) seen.add(chunk, chunk.records)
        t.true(budget.heldBytes <= heldMax, `${budget.heldBytes} bytes held`)
        await nextTurn()
      }
    }
    for (const { reader: each } of readers) each.close()
    while (budget.heldBytes !== 0) await nextTurn()
  })
  await fc.assert(run, { numRuns: 25 })
})

test('many busy places share a small budget, and one that nobody takes from stops no other', async (t) => {
  const { broker, budget, reader } = await makeStage(t, 8 * mebibyte)
  fill(broker, 40, 20, 500)
  const readers = places.map((place) => ({ place, reader: reader([place]) }))
  const seen = new Seen()
  const [never, ...others] = readers
  let heldMost = 0
  let fetchesUntilAllHadSome: number | undefined
  while (!others.every(({ place }) => seen.isAt(place, 800))) {
    for (const { reader: each } of others) for (const chunk of each.take(100)) seen.add(chunk, chunk.records)
    heldMost = Math.max(heldMost, budget.heldBytes)
    if (others.every(({ place }) => !seen.isAt(place, 0))) fetchesUntilAllHadSome ??= broker.fetchCount
    await nextTurn()
  }
  t.true(heldMost > mebibyte && heldMost <= 8 * mebibyte + places.length * accountBytesMin, `${heldMost} bytes held`)
  t.true(fetchesUntilAllHadSome! < 3 * places.length, `${fetchesUntilAllHadSome} requests until all had something`)
  t.true(seen.isAt(never!.place, 0))
  while (!seen.isAt(never!.place, 800)) {
    await never!.reader.ready()
    for (const chunk of never!.reader.take(100)) seen.add(chunk, chunk.records)
  }
})

test('who follows the end and is slow leaves it when its bytes are full, and misses nothing', async (t) => {
  const { broker, budget, reader } = await makeStage(t, 8 * mebibyte)
  const [place] = places as [TopicPartition]
  const [slow, fast] = [reader([place]), reader([place])]
  const [seenBySlow, seenByFast] = [new Seen(), new Seen()]
  const total = 1_500
  for (let i = 0; i < total; i++) {
    broker.append(place, [recordOf(String(i), 10 * kibibyte)])
    while (!seenByFast.isAt(place, i + 1)) {
      await fast.ready()
      for (const chunk of fast.take(100)) seenByFast.add(chunk, chunk.records)
    }
    t.true(budget.heldBytes <= 4 * mebibyte, `${budget.heldBytes} bytes held`)
  }
  while (!seenBySlow.isAt(place, total)) {
    await slow.ready()
    for (const chunk of slow.take(100)) seenBySlow.add(chunk, chunk.records)
  }
  t.pass()
})

test('a place far behind has more while the last of its answer is taken', async (t) => {
  const { broker, reader } = await makeStage(t, 64 * mebibyte)
  const [place] = places as [TopicPartition]
  const total = 2_000
  for (let i = 0; i < total; i++) broker.append(place, [recordOf(String(i), 10 * kibibyte)])
  broker.answerTurns = 10
  const one = reader([place])
  const seen = new Seen()
  await one.ready()
  let emptyTakes = 0
  while (!seen.isAt(place, total)) {
    const chunks = one.take(1)
    for (const chunk of chunks) seen.add(chunk, chunk.records)
    if (chunks.length === 0) emptyTakes++
    await nextTurn()
  }
  t.is(emptyTakes, 0)
})

test('places far behind that are taken from in step share the budget, and none of them asks for crumbs', async (t) => {
  const { broker, reader } = await makeStage(t, 64 * mebibyte)
  fill(broker, 100, 20, 500)
  const readers = places.map((place) => ({ place, reader: reader([place]) }))
  const seen = new Seen()
  const takeUpTo = async (next: number, place: TopicPartition, each: Reader): Promise<void> => {
    while (!seen.isAt(place, next)) {
      await each.ready()
      for (const chunk of each.take(next - seen.nexts.get(placeName(place))!)) seen.add(chunk, chunk.records)
    }
  }
  for (let next = 20; next <= 2_000; next += 20)
    for (const { place, reader: each } of readers) await takeUpTo(next, place, each)
  t.true(broker.fetchCount < 2 * places.length, `${broker.fetchCount} requests`)
})

test('what is kept of an answer keeps no more of it in memory than a megabyte', async (t) => {
  const { broker, reader } = await makeStage(t, 256 * mebibyte)
  fill(broker, 10, 20, 500)
  const one = reader(places)
  let count = 0
  while (count < places.length * 200) {
    await one.ready()
    const taken = one.take(1_000).flatMap(({ records }) => records)
    count += taken.length
    t.true(taken.every(({ value }) => value!.buffer.byteLength <= mebibyte))
  }
  t.true(broker.answerBytesMost > 4 * mebibyte - 16 * kibibyte, `answers of up to ${broker.answerBytesMost} bytes`)
})

test('many ranges at once stay within the budget, also where one is given up half-way', async (t) => {
  const { broker, budget, ranges } = await makeStage(t, 2 * mebibyte)
  fill(broker, 40, 20, 500)
  const heldMax = budget.bytesMax + places.length * accountBytesMin
  const read = async (place: TopicPartition, most: number): Promise<number> => {
    let next = 0
    for await (const records of ranges.all(place, 0, 800)) {
      for (const { offset } of records) t.is(offset, next++)
      t.true(budget.heldBytes <= heldMax, `${budget.heldBytes} bytes held`)
      await nextTurn()
      if (next >= most) break
    }
    return next
  }
  const counts = await Promise.all(places.map((place, i) => read(place, i % 5 === 0 ? 100 : 800)))
  t.true(counts.every((count, i) => (i % 5 === 0 ? count >= 100 : count === 800)))
  while (budget.heldBytes !== 0) await nextTurn()
})

test('single records that are asked for are copies, each of its own length', async (t) => {
  const { broker, ranges } = await makeStage(t, 8 * mebibyte)
  fill(broker, 4, 50, 300)
  const found = await ranges.at(places[0]!, [3, 77, 199])
  t.deepEqual([...found.keys()], [3, 77, 199])
  for (const { value } of found.values()) t.is(value!.buffer.byteLength, 300)
})
