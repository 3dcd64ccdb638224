import { join } from 'node:path'
import test from 'ava'
import { ParcomoloError, systemClock } from '../../src/base/index.ts'
import { type Codec, makeCodec } from '../../src/contract/index.ts'
import { orders, shopLayout, stock, viewTopics } from '../helpers/shop-parts.ts'
import {
  openView,
  runningCounts,
  timelineEntries,
  type View,
  type ViewDeps,
  viewLayout,
  type ViewLayout,
  type ViewStore
} from '../../src/view/index.ts'
import { CausalOrder } from '../../src/view/causal-order.ts'
import { PlaceReaders } from '../../src/view/place-readers.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { type Journals, openJournals } from './journals.ts'
import { placedValue } from './records.ts'
import { shop } from '../../src/shop/index.ts'
import { sagaRowKey, sagas } from '../../src/view/sagas.ts'
import { whenEnded, whenPlaced } from '../../src/shop/order/index.ts'

const withJournals = async (run: (journals: Journals) => Promise<void>): Promise<void> => {
  const journals = await openJournals()
  try {
    await run(journals)
  } finally {
    await journals.close()
  }
}

type Options = Partial<ViewDeps> & { readonly file?: string; readonly layout?: ViewLayout }

const open = async (journals: Journals, { file, layout, ...options }: Options = {}): Promise<View> => {
  const store = await openSqliteViewStore(file ?? ':memory:', layout ?? shopLayout)
  const { log, codec } = journals
  const view = await openView({
    log,
    codec,
    store,
    topics: Object.values(viewTopics),
    clock: systemClock,
    ...options
  })
  await view.caughtUp
  return view
}

const placed = (orderId: string) => ['OrderPlaced', { ...placedValue, orderId }] as const
const about = { saga: 'order', key: 'o1' }
const sagaStarted = [
  'SagaStarted',
  { ...about, revision: 'r1', startType: 'OrderPlaced', start: Buffer.alloc(0), deadlineAt: null }
] as const

test('a view that is opened late has folded all that was in the journals', async (t) => {
  await withJournals(async (journals) => {
    await journals.tell('order', placed('o1'), placed('o2'))
    await journals.tell('stock', ['StockSet', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 5 }])
    await journals.tell('stock', ['StockReserved', { orderId: 'o1', lines: [{ sku: 'book', quantity: 2 }] }])
    const view = await open(journals)
    t.is((await view.row(orders, 'o1'))?.stock.status, 'RESERVED')
    t.is((await view.row(orders, 'o2'))?.stock.status, 'PENDING')
    t.deepEqual(await view.row(stock, 'book'), {
      sku: 'book',
      name: 'Book',
      priceCents: 2000,
      onHand: 5,
      reserved: 2,
      isSet: true
    })
    t.is(await view.row(orders, 'o3'), undefined)
    await view.close()
  })
})

test('a view that is opened again goes on from its positions', async (t) => {
  await withJournals(async (journals) => {
    const file = join(journals.dir, 'view.sqlite')
    await journals.tell('stock', ['StockSet', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 5 }])
    await journals.tell('stock', ['StockReserved', { orderId: 'o1', lines: [{ sku: 'book', quantity: 2 }] }])
    const first = await open(journals, { file })
    await first.close()
    const store = await openSqliteViewStore(file, shopLayout)
    t.is((await store.moment()).positions.get('stock-events/0')?.next, 2)
    await store.close()

    await journals.tell('order', placed('o1'))
    const second = await open(journals, { file })
    t.is((await second.row(stock, 'book'))?.reserved, 2, 'folded once')
    t.is((await second.row(orders, 'o1'))?.stock.status, 'RESERVED', 'what the first has folded')
    t.is((await second.row(orders, 'o1'))?.customerId, 'c1', 'what came since')
    await second.close()
  })
})

test('a view that is built anew has the same rows as one that has followed all along', async (t) => {
  await withJournals(async (journals) => {
    const rowsOf = async (view: View) => {
      const order = await view.row(orders, 'o1')
      const rows = [
        { ...order, timeline: timelineEntries(order?.timeline ?? []) },
        await view.row(sagas, sagaRowKey('order', 'o1')),
        await view.row(stock, 'book')
      ]
      await view.close()
      return rows
    }
    const following = await open(journals)
    await journals.tell('stock', ['StockSet', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 5 }])
    await journals.tell('order', placed('o1'))
    await journals.tell('saga', sagaStarted)
    await journals.tell('stock', ['StockReserved', { orderId: 'o1', lines: [{ sku: 'book', quantity: 2 }] }])
    await journals.tell('order', ['OrderCancelled', { orderId: 'o1', reason: 'r' }])
    await following.whenSeen([{ topic: 'order-events', partition: 0, offset: 1 }], 10_000).done
    await following.whenSeen([{ topic: 'stock-events', partition: 0, offset: 1 }], 10_000).done
    const expected = await rowsOf(following)
    t.like(expected[0], { status: 'CANCELLED', stock: { status: 'RESERVED' } })
    t.deepEqual(await rowsOf(await open(journals)), expected)
  })
})

test('a view that stands beyond the end of the log is built anew, and says so', async (t) => {
  await withJournals(async (journals) => {
    const file = join(journals.dir, 'view.sqlite')
    await journals.tell('order', placed('o1'), placed('o2'))
    await (await open(journals, { file })).close()
    await journals.startAnew()
    await journals.tell('order', placed('o3'))
    const said: string[] = []
    const logger = {
      info: () => undefined,
      warn: (_: object, message: string) => said.push(message),
      error: () => undefined
    }
    const view = await open(journals, { file, logger })
    t.is(await view.row(orders, 'o1'), undefined)
    t.truthy(await view.row(orders, 'o3'))
    t.deepEqual(said, ['the read model is built anew: it stands at order-events/0@2, and the log ends at 1'])
    await view.close()
  })
})

test('a view of a log that was deleted and has grown again is built anew', async (t) => {
  await withJournals(async (journals) => {
    const file = join(journals.dir, 'view.sqlite')
    await journals.tell('order', placed('o1'))
    await (await open(journals, { file })).close()
    await journals.startAnew()
    await journals.tell('order', placed('o3'), placed('o4'))
    const view = await open(journals, { file })
    t.is(await view.row(orders, 'o1'), undefined)
    t.truthy(await view.row(orders, 'o3'))
    await view.close()
  })
})

test('a record that cannot be decoded is passed over, reported, and counted for good', async (t) => {
  await withJournals(async (journals) => {
    const file = join(journals.dir, 'view.sqlite')
    await journals.tell('order', placed('o1'))
    await journals.tellBytes('order', new Uint8Array([1, 2, 3, 4, 5, 6]))
    await journals.tell('order', placed('o2'))
    const reported: object[] = []
    const logger = { info: () => undefined, warn: () => undefined, error: (facts: object) => reported.push(facts) }
    const view = await open(journals, { file, logger })
    t.truthy(await view.row(orders, 'o1'))
    t.truthy(await view.row(orders, 'o2'))
    t.is(view.health().skippedCount, 1)
    t.like(reported, [{ place: 'order-events/0', offset: 1, code: 'PARCOMOLO_CONTRACT_MALFORMED' }])
    await view.close()
    const again = await open(journals, { file })
    t.is(again.health().skippedCount, 1)
    await again.close()
  })
})

/** A record of a contract that nobody here knows, as another program has written it. */
const foreign = ({ codec }: Journals, fullName: string, value: object): Uint8Array => {
  const fields = Object.keys(value).map((name) => ({ name, type: ['null', 'string'] as const }))
  const [namespace, name] = [
    fullName.slice(0, fullName.lastIndexOf('.')),
    fullName.slice(fullName.lastIndexOf('.') + 1)
  ]
  const schema = { type: 'record', namespace, name, fields }
  const id = 900_000 + foreignCount++
  codec.learn(id, schema)
  return makeCodec([{ fullName, schema, id }]).encode(fullName, value)
}
let foreignCount = 0

test('a record whose fold fails is passed over as if it could not be decoded, and no other is', async (t) => {
  await withJournals(async (journals) => {
    await journals.tell('order', placed('o1'))
    await journals.tellBytes('order', foreign(journals, 'acme.OrderPlaced', { orderId: 'bad', lines: null }))
    await journals.tell('order', placed('o2'))
    const view = await open(journals)
    t.truthy(await view.row(orders, 'o1'))
    t.is(await view.row(orders, 'bad'), undefined)
    t.truthy(await view.row(orders, 'o2'))
    t.is(view.health().skippedCount, 1)
    await view.close()
  })
})

test('what a saga emits may be called as a record of the engine is', async (t) => {
  await withJournals(async (journals) => {
    await journals.tell('saga', sagaStarted)
    await journals.tellBytes('saga', foreign(journals, 'acme.CompensationStarted', { orderId: 'o1' }))
    await journals.tell('saga', ['SagaCompleted', about])
    const view = await open(journals)
    t.is((await view.row(sagas, sagaRowKey('order', 'o1')))?.status, 'completed')
    t.is(view.health().skippedCount, 0)
    await view.close()
  })
})

test('a marker of a journal is no event, whether or not it has a value', async (t) => {
  await withJournals(async (journals) => {
    const view = await open(journals)
    await journals.tellBytes('order', null)
    await journals.tellBytes('order', journals.codec.encode('parcomolo.journal.JournalMarker', { owner: 'test' }))
    await journals.tell('order', placed('o1'))
    const row = await whenPlaced(view, 'orchestration', 'o1', 10_000).done
    t.deepEqual(
      timelineEntries(row?.timeline ?? []).map(({ type, offset }) => [type, offset]),
      [['OrderPlaced', 2]]
    )
    t.is(view.health().skippedCount, 0)
    await view.close()
  })
})

test('an effect that arrives before its cause is folded after it', async (t) => {
  await withJournals(async (journals) => {
    const covers = (positions: object) => ({ 'parcomolo-positions': JSON.stringify(positions) })
    await journals.tell('order', placed('o1'))
    const view = await open(journals)
    const ended = whenEnded(view, 'orchestration', 'o1', 10_000)
    await journals.tell('saga', sagaStarted)
    await journals.tell('saga', ['CompensationStarted', { ...about, failure: { type: 'F', step: 's', message: 'm' } }])
    await journals.tell('order', ['OrderRejected', { orderId: 'o1', reason: 'F' }])
    // The saga says that it is over, and that it has read a release of stock that the view has not seen yet.
    await journals.tell('saga', ['SagaCompensated', about, covers({ 'stock-events/0': 1, 'order-events/0': 2 })])
    await view.whenSeen([{ topic: 'order-events', partition: 0, offset: 1 }], 10_000).done
    t.is((await view.row(sagas, sagaRowKey('order', 'o1')))?.status, 'compensating')
    await journals.tell('stock', ['StockReleased', { orderId: 'o1', lines: [] }])
    const row = await ended.done
    t.is(row?.saga?.status, 'compensated')
    t.is(row?.stock.status, 'RELEASED', 'seen together with the end of the saga')
    await view.close()
  })
})

test('an effect whose cause never comes is folded all the same after a while', async (t) => {
  await withJournals(async (journals) => {
    const lost = { 'parcomolo-positions': '{"stock-events/0":7,"elsewhere/0":9}' }
    const view = await open(journals, { limits: { causePatienceMs: 1 } })
    await journals.tell('order', ['OrderPlaced', placedValue, lost])
    t.is((await whenPlaced(view, 'orchestration', 'o1', 10_000).done)?.orderId, 'o1')
    await view.close()
  })
})

/** A store whose writes fail while `isBroken`. */
const breakable = (store: ViewStore) => {
  const state = { isBroken: false }
  const write: ViewStore['write'] = (change, last) =>
    state.isBroken ? Promise.reject(new Error('no space left')) : store.write(change, last)
  const broken = new Proxy(store, {
    get: (target, name) => {
      if (name === 'write') return write
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
  return { store: broken, state }
}

test('while its store refuses to write, the view answers on and loses nothing', async (t) => {
  await withJournals(async (journals) => {
    const file = join(journals.dir, 'view.sqlite')
    const { store, state } = breakable(await openSqliteViewStore(file, shopLayout))
    const said: string[] = []
    const say = (_: object, message: string): void => void said.push(message)
    const { promise: hasFailed, resolve: onFailed } = Promise.withResolvers<void>()
    const view = await open(journals, {
      store,
      logger: { info: say, warn: say, error: (facts, message) => (say(facts, message), onFailed()) },
      limits: { writeDelayMs: 1, recentBytesMax: 1 }
    })
    state.isBroken = true
    await journals.tell('order', placed('o1'), placed('o2'), placed('o3'))
    await hasFailed
    for (const orderId of ['o1', 'o2', 'o3'])
      t.is((await whenPlaced(view, 'orchestration', orderId, 10_000).done)?.orderId, orderId)
    t.is(view.health().storeFailure, 'no space left')
    t.is(view.state(), 'following')
    state.isBroken = false
    t.is((await view.list(orders, {}, { limit: 10 })).rows.length, 3)
    await view.close()
    t.deepEqual(said[0], "the read model's store fails: no space left")
    const again = await open(journals, { file })
    t.truthy(await again.row(orders, 'o1'))
    await again.close()
  })
})

test('a view whose store refuses more and more stands still, and goes on when it can', async (t) => {
  await withJournals(async (journals) => {
    const { store, state } = breakable(await openSqliteViewStore(':memory:', shopLayout))
    const limits = { writeDelayMs: 1, waitingBytesMax: 1_500 }
    const view = await open(journals, { store, limits })
    state.isBroken = true
    await journals.tell('order', placed('o1'), placed('o2'))
    await whenPlaced(view, 'orchestration', 'o2', 10_000).done
    t.is(view.health().stalledBy, 'its store cannot be written')
    await journals.tell('order', placed('o3'))
    t.is(await whenPlaced(view, 'orchestration', 'o3', 30).done, undefined)
    const last = whenPlaced(view, 'orchestration', 'o3', 10_000)
    state.isBroken = false
    t.is((await last.done)?.orderId, 'o3')
    t.is(view.health().stalledBy, undefined)
    await view.close()
  })
})

/** A codec that knows nothing until it has learnt, from a registry that cannot be reached while `isAway`. */
const unlearnt = (codec: Codec) => {
  const state = { isAway: true, isKnown: false, asked: 0 }
  const decode: Codec['decode'] = (bytes) => {
    if (state.isKnown) return codec.decode(bytes)
    throw new ParcomoloError('PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA', 'unknown schema')
  }
  const learn = async (): Promise<void> => {
    state.asked++
    if (state.isAway) throw new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
    state.isKnown = true
  }
  return { state, options: { codec: { ...codec, decode }, learn, clock: new VirtualClock(1000) } }
}

const passTime = async (clock: VirtualClock, holds: () => boolean): Promise<void> => {
  while (!holds()) {
    clock.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a record with a schema that is not known yet is folded once it is', async (t) => {
  await withJournals(async (journals) => {
    const { state, options } = unlearnt(journals.codec)
    state.isAway = false
    await journals.tell('order', placed('o1'))
    const view = await open(journals, options)
    t.is((await view.row(orders, 'o1'))?.orderId, 'o1')
    t.is(view.health().skippedCount, 0)
    await view.close()
  })
})

test('while the registry cannot be reached, the view waits, says so once, and skips nothing', async (t) => {
  await withJournals(async (journals) => {
    const { state, options } = unlearnt(journals.codec)
    const said: string[] = []
    const say = (_: object, message: string): void => void said.push(message)
    const view = await open(journals, { ...options, logger: { info: say, warn: say, error: say } })
    await journals.tell('order', placed('o1'))
    await passTime(options.clock, () => state.asked > 3)
    t.deepEqual(said, ['the read model waits, and tries again until it works'])
    t.is(view.health().stalledBy, 'nobody answers')
    t.is(view.state(), 'following')
    state.isAway = false
    await passTime(options.clock, () => said.length > 1)
    t.is((await whenPlaced(view, 'orchestration', 'o1', 10_000).done)?.orderId, 'o1')
    t.deepEqual(said.slice(1), ['the read model goes on'])
    t.is(view.health().stalledBy, undefined)
    t.is(view.health().skippedCount, 0)
    await view.close()
  })
})

test('a view that waits for the registry can be closed, and has the record to fold at the next start', async (t) => {
  await withJournals(async (journals) => {
    const file = join(journals.dir, 'view.sqlite')
    const { state, options } = unlearnt(journals.codec)
    const view = await open(journals, { ...options, file })
    await journals.tell('order', placed('o1'))
    await passTime(options.clock, () => state.asked > 0)
    await view.close()
    const again = await open(journals, { file })
    t.is((await again.row(orders, 'o1'))?.orderId, 'o1')
    await again.close()
  })
})

test('rows that have left memory are read from the store and folded on', async (t) => {
  await withJournals(async (journals) => {
    const view = await open(journals, { limits: { recentBytesMax: 1, writeBytesMax: 1, roundRecordsMax: 3 } })
    const ids = Array.from({ length: 20 }, (_, i) => `o${i}`)
    await journals.tell('order', ...ids.map(placed))
    await journals.tell('payment', ...ids.map((orderId) => ['PaymentFailed', { orderId, reason: 'no' }] as const))
    const offset = await journals.tell(
      'order',
      ...ids.map((orderId) => ['OrderRejected', { orderId, reason: 'PaymentFailed' }] as const)
    )
    await view.whenSeen([{ topic: 'order-events', partition: 0, offset: offset + 19 }], 10_000).done
    await view.whenSeen([{ topic: 'payment-events', partition: 0, offset: 19 }], 10_000).done
    for (const orderId of ids) {
      const row = await view.row(orders, orderId)
      t.is(`${row?.customerId} ${row?.status} ${row?.payment.status}`, 'c1 REJECTED FAILED')
      t.is(timelineEntries(row?.timeline ?? []).length, 3)
    }
    await view.close()
  })
})

test('a view of a broken log fails, and so does whoever waits', async (t) => {
  await withJournals(async (journals) => {
    const reader = journals.log.reader.bind(journals.log)
    const broken = new Proxy(journals.log, {
      get: (target, name) => {
        if (name === 'reader') return (...args: Parameters<typeof reader>) => ({ ...reader(...args), ready: fails })
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      }
    })
    const { promise: failure, resolve } = Promise.withResolvers<void>()
    const fails = async (): Promise<void> => {
      await failure
      throw new Error('the disk is gone')
    }
    const view = await open(journals, { log: broken })
    const waiter = whenPlaced(view, 'orchestration', 'o1', 10_000)
    resolve()
    await t.throwsAsync(waiter.done, { message: 'the disk is gone' })
    t.is(view.state(), 'failed')
    t.is(view.health().failure, 'the disk is gone')
    await view.close()
  })
})

test('who waits for an answer, an order or a position is told in the round that brings it', async (t) => {
  await withJournals(async (journals) => {
    const view = await open(journals)
    const answer = view.whenAnswered('command-1', 10_000)
    const order = whenPlaced(view, 'orchestration', 'o1', 10_000)
    const seen = view.whenSeen([{ topic: 'order-events', partition: 0, offset: 0 }], 10_000)
    await journals.tell('order', ['OrderPlaced', placedValue, { ce_causationid: 'command-1' }])
    t.like(await answer.done, { type: 'OrderPlaced', topic: 'order-events', partition: 0, offset: 0 })
    t.is((await order.done)?.totalCents, 4000)
    t.true(await seen.done)
    t.is((await whenPlaced(view, 'orchestration', 'o1', 0).done)?.orderId, 'o1', 'at once for what is there')
    t.is(view.health().waiterCount, 0)
    await view.close()
  })
})

test('who waits for the end of an order that ended long ago is answered from the store', async (t) => {
  await withJournals(async (journals) => {
    const view = await open(journals, {
      layout: viewLayout(shop('choreography').projections),
      limits: { recentBytesMax: 1 }
    })
    await journals.tell('order', placed('o1'), ['OrderRejected', { orderId: 'o1', reason: 'r' }])
    await whenEnded(view, 'choreography', 'o1', 10_000).done
    await view.list(orders, {}, { limit: 1 })
    await journals.tell('order', placed('o2'), placed('o3'))
    await whenPlaced(view, 'choreography', 'o3', 10_000).done
    t.is((await whenEnded(view, 'choreography', 'o1', 10_000).done)?.status, 'REJECTED')
    await view.close()
  })
})

test('two sagas of one key are two instances', async (t) => {
  await withJournals(async (journals) => {
    const audit = { saga: 'audit', key: 'o1' }
    await journals.tell(
      'saga',
      sagaStarted,
      ['SagaStarted', { ...sagaStarted[1], ...audit, revision: 'r2' }],
      ['SagaCompleted', about],
      ['SagaStarted', { ...sagaStarted[1], key: 'o2' }],
      ['SagaCompleted', audit]
    )
    const view = await open(journals)
    t.like(await view.row(sagas, sagaRowKey('order', 'o1')), { revision: 'r1', status: 'completed' })
    t.like(await view.row(sagas, sagaRowKey('audit', 'o1')), { revision: 'r2', status: 'completed' })
    t.like(await view.row(sagas, sagaRowKey('order', 'o2')), { key: 'o2', status: 'running' })
    await view.close()
  })
})

test('a log that hands a record over twice is not believed', (t) => {
  const place = { topic: 'order-events', partition: 0, name: 'order-events/0', source: 'order' as const }
  const record = { key: '', value: null, timestamp: 1, headers: {}, offset: 3 }
  const order = new CausalOrder(new Map(), systemClock, 1)
  const bytes = 1
  t.is(order.offer([{ place, record, bytes }]).length, 1)
  t.throws(() => order.offer([{ place, record, bytes }]), { code: 'PARCOMOLO_VIEW_DEFECT' })
})

test('a partition of which something is held is left unread', async (t) => {
  await withJournals(async (journals) => {
    await journals.tell('order', placed('o1'))
    await journals.tell('payment', ['PaymentFailed', { orderId: 'o1', reason: 'no' }])
    const { order, payment } = viewTopics
    const places = [order, payment].map((topic) => ({ topic, partition: 0, name: `${topic}/0` }))
    const readers = new PlaceReaders(journals.log, places, new Map())
    const taken = (held: string): string[] =>
      readers
        .take({ recordsMax: 10, bytesMax: 1_000_000 }, (place) => place.topic === held)
        .map(({ place }) => place.topic)
    t.deepEqual(taken(order), [payment])
    t.deepEqual(taken(payment), [order])
    readers.close()
  })
})

test('who waits in vain is let go at its time, when it goes away, and when the view closes', async (t) => {
  await withJournals(async (journals) => {
    const view = await open(journals)
    t.is(await whenEnded(view, 'orchestration', 'o1', 1).done, undefined)
    const gone = view.whenAnswered('command-1', 60_000)
    gone.cancel()
    t.is(await gone.done, undefined)
    const last = whenEnded(view, 'orchestration', 'o1', 60_000)
    await view.close()
    t.is(await last.done, undefined)
    t.is(view.health().waiterCount, 0)
  })
})

test('beyond waitersMax nobody may wait, but reads take no place from writes, nor these from them', async (t) => {
  await withJournals(async (journals) => {
    const view = await open(journals, { limits: { waitersMax: 1 } })
    const exhausted = { code: 'PARCOMOLO_VIEW_WAITERS_EXHAUSTED' }
    const mark = { topic: viewTopics.order, partition: 0, offset: 99 }
    const first = whenEnded(view, 'orchestration', 'o1', 60_000)
    t.throws(() => whenEnded(view, 'orchestration', 'o2', 60_000), exhausted)
    t.throws(() => view.whenSeen([mark], 60_000), exhausted)
    const write = view.whenAnswered('c1', 60_000)
    t.throws(() => whenPlaced(view, 'orchestration', 'o3', 60_000), exhausted)
    first.cancel()
    await t.notThrowsAsync(async () => whenEnded(view, 'orchestration', 'o2', 1).done)
    write.cancel()
    await view.close()
  })
})

test('lists show what was folded a moment ago', async (t) => {
  await withJournals(async (journals) => {
    const view = await open(journals, { limits: { writeDelayMs: 60_000 } })
    await journals.tell('order', placed('o1'))
    await journals.tell('saga', sagaStarted)
    await view.whenSeen([{ topic: 'saga-events', partition: 0, offset: 0 }], 10_000).done
    await whenPlaced(view, 'orchestration', 'o1', 10_000).done
    t.is((await view.list(orders, {}, { limit: 10 })).rows.length, 1)
    t.is((await view.list(sagas, {}, { limit: 10 })).rows.length, 1)
    t.deepEqual(runningCounts(await view.count(sagas)), [{ saga: 'order', revision: 'r1', count: 1 }])
    await view.close()
  })
})
