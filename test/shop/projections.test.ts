import test from 'ava'
import fc from 'fast-check'
import type { Flow } from '../../src/shop/index.ts'
import { foldStock, type StockRow } from '../../src/shop/inventory/projection.ts'
import { foldOrder, hasOrderEnded, type OrderRow, withSaga } from '../../src/shop/order/projection.ts'
import { sagaSummary, timelineEntries, type ViewRecord } from '../../src/view/index.ts'
import { shopLayout } from '../helpers/shop-parts.ts'
import { placedValue, recordMaker } from '../view/records.ts'
import { failing, sagaAfter, start } from '../view/told-saga.ts'

type Told = readonly [source: string, type: string, value?: object]

const recordsOf = (told: readonly Told[]): ViewRecord[] => {
  const record = recordMaker()
  return told.map(([source, type, value]) =>
    record(source, type, type === 'OrderPlaced' ? placedValue : { orderId: 'o1', ...value })
  )
}

const orderAfter = (told: readonly Told[], flow: Flow = 'orchestration'): OrderRow => fold(recordsOf(told), flow)

const fold = (records: readonly ViewRecord[], flow: Flow): OrderRow =>
  records.reduce<OrderRow | undefined>((row, record) => foldOrder(row, record, flow), undefined)!

const tracking = { trackingNumber: 'T1' }

const completed: readonly Told[] = [
  ['order', 'OrderPlaced'],
  ['stock', 'StockReserved', { lines: [{ sku: 'book', quantity: 2 }] }],
  ['payment', 'PaymentSucceeded'],
  ['order', 'OrderConfirmed'],
  ['shipping', 'ShippingScheduled', tracking],
  ['shipping', 'ItemShipped', tracking],
  ['stock', 'StockDispatched', { lines: [{ sku: 'book', quantity: 2 }] }],
  ['order', 'OrderCompleted']
]

const declined: readonly Told[] = [
  ['order', 'OrderPlaced'],
  ['stock', 'StockReserved', { lines: [] }],
  ['payment', 'PaymentFailed', { reason: 'declined' }],
  ['stock', 'StockReleased', { lines: [] }],
  ['order', 'OrderRejected', { reason: 'PaymentFailed' }]
]

test('an order that is placed shows what was ordered, and everything else as pending', (t) => {
  const { timeline, ...row } = orderAfter([['order', 'OrderPlaced']])
  t.deepEqual(row, {
    orderId: 'o1',
    placedAt: 1000,
    customerId: 'c1',
    lines: [{ sku: 'book', quantity: 2, priceCents: 2000 }],
    totalCents: 4000,
    currency: 'EUR',
    requestHash: 'hash',
    status: 'PENDING',
    ownStatus: 'PENDING',
    stock: { status: 'PENDING' },
    payment: { status: 'PENDING' },
    shipping: { status: 'PENDING', trackingNumber: null },
    saga: null
  })
  t.deepEqual(timelineEntries(timeline), [
    { type: 'OrderPlaced', at: 1000, topic: 'order-events', partition: 0, offset: 0 }
  ])
})

const outcome = (row: OrderRow): string =>
  [row.status, row.stock.status, row.payment.status, row.shipping.status].join(' ')

const endsAs = test.macro({
  exec: (t, told: readonly Told[], flow: Flow, expected: string) => {
    t.is(outcome(orderAfter(told, flow)), expected)
  },
  title: (name) => `order: ${name}`
})

const placed: Told = ['order', 'OrderPlaced']
const held: Told[] = [placed, ['stock', 'StockReserved', { lines: [] }], ['payment', 'PaymentSucceeded']]
const back: Told[] = [
  ['stock', 'StockReleased', { lines: [] }],
  ['payment', 'PaymentRefunded', { amountCents: 4000 }]
]
const o = 'orchestration'
const c = 'choreography'
test('shipped and completed', endsAs, completed, o, 'COMPLETED DISPATCHED SUCCEEDED SHIPPED')
test('declined, and its stock released', endsAs, declined, o, 'REJECTED RELEASED FAILED PENDING')
test(
  'out of stock, whose undo releases nothing',
  endsAs,
  [placed, ['stock', 'OutOfStock', { skus: ['book'] }], ['stock', 'StockReleased', { lines: [] }]],
  o,
  'PENDING OUT_OF_STOCK PENDING PENDING'
)
test(
  'released before it was ever reserved',
  endsAs,
  [placed, ['stock', 'StockReleased', { lines: [] }], ['stock', 'ReservationClosed']],
  o,
  'PENDING RELEASED PENDING PENDING'
)
test(
  'dispatched, whatever is asked for again',
  endsAs,
  [...held, ['stock', 'StockDispatched', { lines: [] }], ['stock', 'StockReleased', { lines: [] }]],
  o,
  'PENDING DISPATCHED SUCCEEDED PENDING'
)
for (const [before, status] of [
  [[], 'PENDING'],
  [[['stock', 'OutOfStock', { skus: ['book'] }]], 'OUT_OF_STOCK'],
  [[['stock', 'StockReleased', { lines: [] }]], 'RELEASED']
] as const satisfies readonly (readonly [readonly Told[], string])[])
  test(
    `a dispatch of what is ${status} moves nothing`,
    endsAs,
    [placed, ...before, ['stock', 'StockDispatched', { lines: [] }]],
    o,
    `PENDING ${status} PENDING PENDING`
  )
test(
  'refunded',
  endsAs,
  [placed, ['payment', 'PaymentSucceeded'], ['payment', 'PaymentRefunded', { amountCents: 4000 }]],
  o,
  'PENDING PENDING REFUNDED PENDING'
)
test(
  'a refund of what failed leaves the failure',
  endsAs,
  [placed, ['payment', 'PaymentFailed'], ['payment', 'PaymentRefunded', { amountCents: 0 }]],
  o,
  'PENDING PENDING FAILED PENDING'
)
test(
  'cancelled stays cancelled',
  endsAs,
  [placed, ['order', 'OrderCancelled'], ['order', 'OrderConfirmed'], ['order', 'OrderCompleted']],
  o,
  'CANCELLED PENDING PENDING PENDING'
)
test(
  'a confirmation told again does not undo the completion',
  endsAs,
  [placed, ['order', 'OrderConfirmed'], ['order', 'OrderCompleted'], ['order', 'OrderConfirmed']],
  o,
  'COMPLETED PENDING PENDING PENDING'
)
test(
  'confirmed, then rejected by its saga',
  endsAs,
  [placed, ['order', 'OrderConfirmed'], ['order', 'OrderRejected']],
  o,
  'REJECTED PENDING PENDING PENDING'
)
test(
  'in orchestration a shipment alone completes nothing',
  endsAs,
  [placed, ['shipping', 'ItemShipped', tracking]],
  o,
  'PENDING PENDING PENDING SHIPPED'
)
test(
  'in choreography a shipment completes',
  endsAs,
  [placed, ['shipping', 'ItemShipped', tracking]],
  c,
  'COMPLETED PENDING PENDING SHIPPED'
)
test(
  'in choreography what is out of stock rejects',
  endsAs,
  [placed, ['stock', 'OutOfStock']],
  c,
  'REJECTED OUT_OF_STOCK PENDING PENDING'
)
test(
  'in choreography a failed payment rejects',
  endsAs,
  [placed, ['payment', 'PaymentFailed']],
  c,
  'REJECTED PENDING FAILED PENDING'
)
test(
  'in choreography a cancelled order stays so, whatever ships',
  endsAs,
  [placed, ['order', 'OrderCancelled'], ['shipping', 'ItemShipped', tracking]],
  c,
  'CANCELLED PENDING PENDING SHIPPED'
)

test('a payment that is heard of before its order makes a pending row that readers do not see yet', (t) => {
  const row = orderAfter([['payment', 'PaymentSucceeded']])
  t.is(row.placedAt, null)
  t.is(outcome(row), 'PENDING PENDING SUCCEEDED PENDING')
})

test('an event that is told again changes nothing, and is listed once', (t) => {
  const once = orderAfter(completed)
  const twice = orderAfter([...completed, ...completed])
  t.deepEqual(twice, once)
})

/** Every interleaving keeps each journal's own order. */
const interleaved = (told: readonly Told[]): fc.Arbitrary<ViewRecord[]> => {
  const records = recordsOf(told)
  return fc.array(fc.nat(), { minLength: records.length, maxLength: records.length }).map((choices) => {
    const bySource = [...Map.groupBy(records, (record) => record.topic).values()].map((list) => [...list])
    return choices.map((choice) => {
      const left = bySource.filter((list) => list.length > 0)
      return left[choice % left.length]!.shift()!
    })
  })
}

for (const [name, told] of Object.entries({ completed, declined })) {
  for (const flow of [o, c] as const) {
    test(`any interleaving gives the same ${name} order in ${flow}, and the same timeline`, (t) => {
      const { timeline: first, ...expected } = fold(recordsOf(told), flow)
      fc.assert(
        fc.property(interleaved(told), (records) => {
          const { timeline, ...row } = fold(records, flow)
          t.deepEqual(row, expected)
          t.deepEqual(timelineEntries(timeline), timelineEntries(first))
          t.deepEqual(
            timelineEntries(timeline).map(({ type }) => type),
            told.map(([, type]) => type)
          )
        }),
        { numRuns: 60 }
      )
    })
  }
}

test('what happened at one time stands in the timeline by topic and offset, whatever was folded first', (t) => {
  const records = recordsOf(completed).map((record) => ({ ...record, at: record.type === 'OrderPlaced' ? 1 : 2 }))
  fc.assert(
    fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
      const entries = timelineEntries(fold(shuffled, o).timeline)
      t.deepEqual(
        entries.map(({ at, topic, offset }) => `${at} ${topic} ${offset}`),
        [
          ...['1 order-events 0', '2 order-events 1', '2 order-events 2', '2 payment-events 0'],
          ...['2 shipping-events 0', '2 shipping-events 1', '2 stock-events 0', '2 stock-events 1']
        ]
      )
    }),
    { numRuns: 60 }
  )
})
// ——— an order and its saga

const summary = (name: string, ...told: Parameters<typeof sagaAfter>) => ({ ...sagaSummary(sagaAfter(...told)), name })

test('an order has ended when its status is final and its saga is over', (t) => {
  const cancelled = orderAfter([placed, ['order', 'OrderCancelled']])
  t.false(hasOrderEnded(cancelled, o), 'its saga may be about to start')
  const undoing = withSaga(cancelled, 'o1', summary('order', start, failing))
  t.false(hasOrderEnded(undoing, o), 'its saga still undoes')
  t.true(hasOrderEnded(withSaga(undoing, 'o1', summary('order', start, failing, ['SagaCompensated'])), o))
  const pending = withSaga(orderAfter([placed]), 'o1', summary('order', start, ['SagaCompleted']))
  t.false(hasOrderEnded(pending, o), 'its status is not final')
})

test('in choreography an order has ended when the services have done what follows from its status', (t) => {
  const cancelled: Told[] = [...held, ['order', 'OrderCancelled']]
  const shipped: Told[] = [...held, ['order', 'OrderConfirmed'], ['shipping', 'ItemShipped', tracking]]
  for (const told of [held, cancelled, [...cancelled, back[0]!], [...cancelled, back[1]!], shipped])
    t.false(hasOrderEnded(orderAfter(told, c), c))
  t.true(hasOrderEnded(orderAfter([...cancelled, ...back], c), c))
  t.true(hasOrderEnded(orderAfter([...shipped, ['stock', 'StockDispatched', { lines: [] }]], c), c))
  t.true(hasOrderEnded(orderAfter([placed, ['stock', 'OutOfStock', { skus: ['book'] }]], c), c), 'nothing is owed')
  t.true(hasOrderEnded(orderAfter([...held.slice(0, 2), ['payment', 'PaymentFailed']], c), c), 'that takes a saga')
})

test('of several sagas of an order the row shows the one named order, in whatever order they are told', (t) => {
  const sagas = ['audit', 'order', 'loyalty'].map((name) => summary(name, start))
  for (const order of [sagas, sagas.toReversed()]) {
    const row = order.reduce<OrderRow | undefined>((before, saga) => withSaga(before, 'o1', saga), undefined)
    t.is(row?.saga?.name, 'order')
  }
})

// ——— stock

const stockAfter = (...told: (readonly [type: string, value: object])[]): StockRow => {
  const record = recordMaker()
  return told.reduce<StockRow | undefined>(
    (row, [type, value]) => foldStock(row, record('stock', type, { ...value }), 'book'),
    undefined
  )!
}

const set = ['StockSet', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 10 }] as const
const lines = (quantity: number) => ({
  orderId: 'o1',
  lines: [
    { sku: 'lamp', quantity: 9 },
    { sku: 'book', quantity }
  ]
})

test('stock is what was set, less what has left, and what is reserved of it', (t) => {
  const row = stockAfter(
    set,
    ['StockReserved', lines(2)],
    ['StockReserved', lines(3)],
    ['StockReleased', lines(2)],
    ['StockDispatched', lines(1)]
  )
  t.deepEqual(row, { sku: 'book', name: 'Book', priceCents: 2000, onHand: 9, reserved: 2, isSet: true })
})

test('an answer that is given again has no lines, and moves nothing', (t) => {
  const once = stockAfter(set, ['StockReserved', lines(2)])
  const again = stockAfter(set, ['StockReserved', lines(2)], ['StockReserved', { orderId: 'o1', lines: [] }])
  t.deepEqual(again, once)
})

test('setting the stock anew keeps what is reserved', (t) => {
  const row = stockAfter(
    set,
    ['StockReserved', lines(2)],
    ['StockSet', { sku: 'book', name: 'B', priceCents: 1, onHand: 5 }]
  )
  t.deepEqual(row, { sku: 'book', name: 'B', priceCents: 1, onHand: 5, reserved: 2, isSet: true })
})

test('stock that was never set is not there for readers', (t) => {
  t.false(stockAfter(['StockReserved', lines(2)]).isSet)
})

test('the tables of the read model are those of this layout', (t) => {
  const advice = "raise the projection's `layout` with whatever changes here, and write the new text below"
  t.is(shopLayout.said, '4 orders.1 sagas.2 stock.1 59d8d5638dcd', advice)
})
