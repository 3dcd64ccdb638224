import test from 'ava'
import { systemClock } from '../../src/base/index.ts'
import { recordBytes } from '../../src/log/index.ts'
import { shopLayout, viewTopics } from '../helpers/shop-parts.ts'
import { RowCache } from '../../src/view/cache.ts'
import { CausalOrder } from '../../src/view/causal-order.ts'
import { openView } from '../../src/view/index.ts'
import { PlaceReaders } from '../../src/view/place-readers.ts'
import type { Arrived, Place } from '../../src/view/record.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { openJournals } from './journals.ts'
import { placedValue } from './records.ts'
import { sagas } from '../../src/view/sagas.ts'

type Source = keyof typeof viewTopics

const placeOf = (source: Source): Place => {
  const topic = viewTopics[source]
  return { topic, partition: 0, name: `${topic}/0` }
}

const arrived = (source: Source, offset: number, positions?: object): Arrived => {
  const headers: Record<string, string> =
    positions === undefined ? {} : { 'parcomolo-positions': JSON.stringify(positions) }
  return { place: placeOf(source), record: { key: '', value: null, timestamp: 1, headers, offset }, bytes: 100 }
}

test('what is held for its causes is counted in bytes until it is handed on', (t) => {
  const order = new CausalOrder(new Map([['order-events/0', 0]]), systemClock, 60_000)
  t.is(order.offer([arrived('saga', 0, { 'order-events/0': 1 }), arrived('saga', 1)]).length, 0)
  t.is(order.heldBytes, 200)
  t.is(order.offer([arrived('order', 0)]).length, 3)
  t.is(order.heldBytes, 0)
  order.close()
})

test('a position that tells of starts that were put off holds nothing', (t) => {
  const order = new CausalOrder(new Map([['order-events/0', 0]]), systemClock, 60_000)
  t.is(order.offer([arrived('saga', 0, { 'start:order-events/0': 7, 'start:order@order-events/0': 7 })]).length, 1)
  order.close()
})

test('a round takes as many bytes as it may, and one record of any length', async (t) => {
  const journals = await openJournals()
  const placed = (orderId: string) => ['OrderPlaced', { ...placedValue, orderId }] as const
  await journals.tell('order', placed('o1'), placed('o2'), placed('o3'))
  await journals.tell('payment', ['PaymentFailed', { orderId: 'o1', reason: 'no' }])
  const readers = new PlaceReaders(journals.log, [placeOf('order'), placeOf('payment')], new Map())
  const take = (bytesMax: number) => readers.take({ recordsMax: 10, bytesMax }, () => false)
  const [first] = take(1)
  t.is(first?.bytes, recordBytes(first!.record))
  t.is(take(1)[0]?.place.topic, 'payment-events')
  t.deepEqual(
    take(first!.bytes * 2).map(({ record }) => record.offset),
    [1, 2]
  )
  readers.close()
  await journals.close()
})

test('the more is held, the less is read, until its cause has come', async (t) => {
  const journals = await openJournals()
  const audit = { saga: 'audit', revision: 'r1', startType: 'OrderPlaced', start: Buffer.alloc(0), deadlineAt: null }
  const started = (key: string, next: number) =>
    ['SagaStarted', { ...audit, key }, { 'parcomolo-positions': `{"order-events/0":${next}}` }] as const
  const count = 300
  for (let i = 0; i < count; i++) await journals.tell('saga', started(`o${i}`, count))
  for (let i = 0; i < count; i++) await journals.tell('order', ['OrderPlaced', { ...placedValue, orderId: `o${i}` }])
  const store = await openSqliteViewStore(':memory:', shopLayout)
  const { log, codec } = journals
  // Nobody moves the clock: whatever stood still would do so for ever.
  const view = await openView({
    ...{ log, codec, store, topics: Object.values(viewTopics), clock: new VirtualClock(0) },
    limits: { heldBytesMax: 1, roundBytesMax: 1, waitingBytesMax: Infinity }
  })
  await view.caughtUp
  t.is((await view.list(sagas, {}, { limit: count + 1 })).rows.length, count)
  await view.close()
})

test('rows that the store has leave memory beyond the limit, the longest idle first; others stay', (t) => {
  const bytesOf = (row: string): number => row.length
  const cache = new RowCache<string>(2_600, bytesOf)
  const put = (key: string): void => {
    const holder = cache.hold(key)
    cache.load(new Map())
    cache.change(holder, 'x'.repeat(1_000))
    cache.trim()
  }
  for (const key of ['a', 'b', 'c']) put(key)
  t.is(cache.changedCount, 3)
  t.true(cache.changedBytes > 3_000)
  t.truthy(cache.get('a'), 'changed rows stay')
  cache.startWrite()
  cache.trim()
  t.truthy(cache.get('a'), 'and so do those that are being written')
  cache.written()
  t.is(cache.changedBytes, 0)
  put('a')
  t.is(cache.changedCount, 1)
  t.truthy(cache.get('b'))
  put('d')
  cache.startWrite()
  cache.written()
  cache.trim()
  t.deepEqual(
    ['b', 'c', 'a', 'd'].map((key) => cache.get(key) !== undefined),
    [false, false, true, true]
  )
})
