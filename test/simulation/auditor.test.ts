import test from 'ava'
import { type Audit, audit, told } from '../helpers/auditor.ts'
import { type Fact, schemas, written } from './journal-writing.ts'

const now = Date.UTC(2026, 0, 2)

/** A line of a journal: `topic type`, the value, and what it answers. */
const fact = (place: string, value: Record<string, unknown>, cause?: string): Fact => {
  const [topic, type] = place.split(' ') as [string, string]
  return { topic, type, value, ...(cause === undefined ? {} : { headers: { ce_causationid: cause } }) }
}

const book = (quantity: number) => [{ sku: 'book', quantity }]
const inboxes: Record<string, string> = {
  stock: 'inventory',
  dispatch: 'inventory',
  payment: 'payment',
  shipping: 'shipping'
}

/** What a saga says when it sends a command, and the command in its inbox. */
const command = (orderId: string, step: string, name: string, undo = false): Fact[] => {
  const inbox = `${inboxes[step] ?? 'order'}-commands`
  const commandId = `order/${step}${undo ? '!undo' : ''}/${orderId}`
  const value = {
    saga: 'order',
    key: orderId,
    step,
    undo,
    attempt: 1,
    commandId,
    command: name,
    inbox,
    dueAt: now + 5000
  }
  return [
    fact('saga-events CommandIssued', value),
    { ...fact(`${inbox} ${name}`, { orderId }), headers: { ce_id: commandId, ce_source: '/saga-events/0' } }
  ]
}

const saga = (orderId: string, type: string, step?: string): Fact =>
  fact(`saga-events ${type}`, { saga: 'order', key: orderId, ...(step === undefined ? {} : { step }) })

const opening: Fact[] = [
  fact('stock-events StockSet', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 10 }, 'set-1')
]

const reserved = (orderId: string, lines = book(2)): Fact[] => [
  fact('order-events OrderPlaced', { orderId, lines: book(2), totalCents: 4000 }),
  saga(orderId, 'SagaStarted'),
  ...command(orderId, 'stock', 'ReserveStock'),
  fact('stock-events StockReserved', { orderId, lines }),
  saga(orderId, 'StepSucceeded', 'stock')
]

const paid = (orderId: string): Fact[] => [
  ...command(orderId, 'payment', 'ProcessPayment'),
  fact('payment-events PaymentSucceeded', { orderId, paymentId: 'p', amountCents: 4000 }, 'pay'),
  saga(orderId, 'StepSucceeded', 'payment')
]

const completed: Fact[] = [
  ...reserved('c'),
  ...paid('c'),
  ...command('c', 'confirm', 'ConfirmOrder'),
  fact('order-events OrderConfirmed', { orderId: 'c' }),
  saga('c', 'StepSucceeded', 'confirm'),
  saga('c', 'PivotReached', 'confirm'),
  ...command('c', 'shipping', 'ScheduleShipping'),
  fact('shipping-events ShippingScheduled', { orderId: 'c' }),
  saga('c', 'StepProgressed', 'shipping'),
  fact('shipping-events ItemShipped', { orderId: 'c' }),
  saga('c', 'StepSucceeded', 'shipping'),
  ...command('c', 'dispatch', 'DispatchStock'),
  ...command('c', 'complete', 'CompleteOrder'),
  fact('stock-events StockDispatched', { orderId: 'c', lines: book(2) }),
  fact('order-events OrderCompleted', { orderId: 'c' }),
  saga('c', 'StepSucceeded', 'dispatch'),
  saga('c', 'StepSucceeded', 'complete'),
  saga('c', 'SagaCompleted')
]

const undone: Readonly<Record<string, readonly Fact[]>> = {
  payment: [
    ...command('x', 'payment', 'RefundPayment', true),
    fact('payment-events PaymentRefunded', { orderId: 'x', amountCents: 4000 }),
    saga('x', 'StepCompensated', 'payment')
  ],
  stock: [
    ...command('x', 'stock', 'ReleaseStock', true),
    fact('stock-events StockReleased', { orderId: 'x', lines: book(2) }),
    saga('x', 'StepCompensated', 'stock')
  ],
  start: [
    ...command('x', 'start', 'RejectOrder', true),
    fact('order-events OrderCancelled', { orderId: 'x' }),
    saga('x', 'StepCompensated', 'start')
  ]
}

const cancelledUndoing = (...steps: readonly string[]): Fact[] => [
  ...reserved('x'),
  ...paid('x'),
  fact('order-events OrderCancelled', { orderId: 'x' }),
  saga('x', 'CompensationStarted'),
  ...steps.flatMap((step) => undone[step]!),
  saga('x', 'SagaCompensated')
]

const cancelled = cancelledUndoing('payment', 'stock', 'start')

const sound: readonly Fact[] = [...opening, ...completed, ...cancelled]

/** Commands name the journal offset that sent them; so it is filled in when all facts stand where they stand. */
const withSequences = (facts: readonly Fact[]): Fact[] => {
  let journalEnd = 0
  let issuedAt = 0
  return facts.map((one) => {
    if (one.type === 'CommandIssued') issuedAt = journalEnd
    if (one.topic === 'saga-events') journalEnd++
    const isCommand = one.headers?.['ce_source'] !== undefined && one.headers['ce_sequence'] === undefined
    return isCommand ? { ...one, headers: { ...one.headers, ce_sequence: String(issuedAt) } } : one
  })
}

const judge = (facts: readonly Fact[], more: Partial<Audit> = {}) =>
  audit({ records: written(withSequences(facts)), schemas, flow: 'orchestration', isQuiet: true, now, ...more })

const same = (one: Fact, type: string, orderId: string): boolean =>
  one.type === type && (one.value['orderId'] === orderId || one.value['key'] === orderId)

const without = (type: string, orderId: string): Fact[] => sound.filter((one) => !same(one, type, orderId))

const changed = (type: string, orderId: string, value: Record<string, unknown>): Fact[] =>
  sound.map((one) => (same(one, type, orderId) ? { ...one, value: { ...one.value, ...value } } : one))

const after = (type: string, orderId: string, ...more: Fact[]): Fact[] =>
  sound.flatMap((one) => (same(one, type, orderId) ? [one, ...more] : [one]))

const shownOrder = {
  orderId: 'c',
  status: 'COMPLETED',
  totalCents: 4000,
  stock: { status: 'DISPATCHED' },
  payment: { status: 'SUCCEEDED' },
  shipping: { status: 'SHIPPED' },
  saga: { status: 'completed' }
}
const shownCancelled = {
  ...shownOrder,
  orderId: 'x',
  status: 'CANCELLED',
  stock: { status: 'RELEASED' },
  payment: { status: 'REFUNDED' },
  shipping: { status: 'PENDING' },
  saga: { status: 'compensated' }
}
const shownStock = { sku: 'book', onHand: 8, reserved: 0 }

test('markers of a journal are accepted, with a value or without', (t) => {
  const marker = fact('order-events JournalMarker', { owner: 'node1' })
  const records = written(withSequences([marker, ...sound, marker]))
  const old = records.map((record) =>
    record.topic === marker.topic && record.offset === 0 ? { ...record, value: null } : record
  )
  for (const each of [records, old])
    t.is(told(audit({ records: each, schemas, flow: 'orchestration', isQuiet: true, now })), '')
})

test('a sound journal is accepted, with all that was told to the outside', (t) => {
  const acknowledged = { orders: ['c', 'x'], cancellations: ['x'], skus: ['book'] }
  const shown = { orders: [shownOrder, shownCancelled], stock: [shownStock] }
  t.is(told(judge(sound, { acknowledged, shown })), '')
})

/** Doctored journals: what was done to them, and what the auditor has to say. */
const doctored: Readonly<Record<string, readonly [RegExp, readonly Fact[]]>> = {
  'more reserved than there is': [/9\.1 stock: 'book' has 12 reserved of 10/, [...opening, ...reserved('c', book(12))]],
  'a release of what was not reserved': [
    /9\.1 stock: StockReleased of order 'x' moved other goods/,
    changed('StockReleased', 'x', { lines: book(1) })
  ],
  'a second reservation': [
    /9\.1 stock: order 'c' reserved stock 2 times/,
    after('StockReserved', 'c', fact('stock-events StockReserved', { orderId: 'c', lines: book(2) }))
  ],
  'goods released and dispatched': [
    /9\.1 stock: the reservation of order 'c' was closed 2 times/,
    after('StockDispatched', 'c', fact('stock-events StockReleased', { orderId: 'c', lines: book(2) }))
  ],
  'a reservation after its release': [
    /9\.1 stock: order 'x' reserved stock after its release/,
    sound.flatMap((one) =>
      same(one, 'StockReserved', 'x') ? [fact('stock-events StockReleased', { orderId: 'x', lines: [] }), one] : [one]
    )
  ],
  'other goods than were ordered': [
    /9\.1 stock: order 'c' reserved other goods/,
    changed('OrderPlaced', 'c', { lines: book(1) })
  ],
  'stock made by a repeated SetStock': [
    /9\.1 stock: a repeated SetStock moved 'book' from 8 to 10/,
    [...opening, ...completed, ...opening, ...cancelled]
  ],
  'a completed order whose goods are still there': [
    /9\.1 stock: order 'c' is completed, but its goods were not dispatched/,
    without('StockDispatched', 'c')
  ],
  'a cancelled order whose goods are still reserved': [
    /9\.1 stock: order 'x' is CANCELLED, but its goods are not back/,
    without('StockReleased', 'x')
  ],
  'a second capture': [
    /9\.2 money: order 'c' was captured twice/,
    after(
      'PaymentSucceeded',
      'c',
      fact('payment-events PaymentSucceeded', { orderId: 'c', paymentId: 'p', amountCents: 4000 }, 'other')
    )
  ],
  'a capture after the refund': [
    /9\.2 money: order 'x' was captured after its refund/,
    after(
      'PaymentRefunded',
      'x',
      fact('payment-events PaymentSucceeded', { orderId: 'x', paymentId: 'p', amountCents: 4000 }, 'pay')
    )
  ],
  'a refund of another sum': [
    /9\.2 money: order 'x' got back 100 of 4000/,
    changed('PaymentRefunded', 'x', { amountCents: 100 })
  ],
  'a charge of another sum': [
    /9\.2 money: order 'c' was charged 1, not its total/,
    changed('PaymentSucceeded', 'c', { amountCents: 1 })
  ],
  'a payment that failed and succeeded': [
    /9\.2 money: the payment of order 'c' both failed and succeeded/,
    after('PaymentSucceeded', 'c', fact('payment-events PaymentFailed', { orderId: 'c' }))
  ],
  'money that was never given back': [
    /9\.2 money: order 'x' is CANCELLED, but its payment was not refunded/,
    without('PaymentRefunded', 'x')
  ],
  'a completed order that was refunded': [
    /9\.2 money: order 'c' is completed, but not paid/,
    after('PaymentSucceeded', 'c', fact('payment-events PaymentRefunded', { orderId: 'c', amountCents: 4000 }))
  ],
  'a completed order whose refund comes while others still run': [
    /9\.2 money: order 'c' is COMPLETED, but it was refunded/,
    after('OrderCompleted', 'c', fact('payment-events PaymentRefunded', { orderId: 'c', amountCents: 4000 }))
  ],
  'an order that is confirmed and cancelled': [
    /9\.3 orders: order 'x' has both OrderConfirmed and OrderCancelled/,
    after('CompensationStarted', 'x', fact('order-events OrderConfirmed', { orderId: 'x' }))
  ],
  'an order that is rejected after it was completed': [
    /9\.3 orders: order 'c' has both OrderCompleted and OrderRejected/,
    after('OrderCompleted', 'c', fact('order-events OrderRejected', { orderId: 'c' }))
  ],
  'an order that is placed twice': [
    /9\.3 orders: order 'c' was placed 2 times/,
    after('OrderPlaced', 'c', fact('order-events OrderPlaced', { orderId: 'c', lines: book(2), totalCents: 4000 }))
  ],
  'a cancelled order that was shipped': [
    /9\.3 orders: order 'x' is CANCELLED, but it was shipped/,
    after('SagaCompensated', 'x', fact('shipping-events ItemShipped', { orderId: 'x' }))
  ],
  'a rejected order that was shipped': [
    /9\.3 orders: order 'x' is REJECTED, but it was shipped/,
    [
      ...sound.filter(({ type }) => type !== 'OrderCancelled'),
      fact('order-events OrderRejected', { orderId: 'x' }),
      fact('shipping-events ShippingScheduled', { orderId: 'x' })
    ]
  ],
  'a completed order that was not shipped': [
    /9\.3 orders: order 'c' is completed, but not shipped/,
    without('ItemShipped', 'c')
  ],
  'an order without a saga': [
    /9\.4 progress: order 'lonely' is PENDING, and nothing more will happen/,
    [...sound, fact('order-events OrderPlaced', { orderId: 'lonely', lines: book(1), totalCents: 2000 })]
  ],
  'a saga that stops half way': [
    /9\.4 progress: saga 'order\/c' has not ended/,
    [...opening, ...reserved('c'), ...paid('c')]
  ],
  'a saga that starts twice': [
    /9\.4 progress: saga 'order\/c' was not started once/,
    after('SagaStarted', 'c', saga('c', 'SagaStarted'))
  ],
  'a saga key of two instances': [
    /9\.9 one instance: saga 'order\/c' is more than one instance/,
    after('SagaStarted', 'c', saga('c', 'SagaStarted'))
  ],
  'a saga that goes on after its end': [
    /9\.4 progress: saga 'order\/c' went on after its end/,
    after('SagaCompleted', 'c', saga('c', 'StepSucceeded', 'complete'))
  ],
  'compensation in the order of completion': [
    /9\.5 .* undoes stock, payment, start; the reverse order of completion is payment, stock, start/,
    [...opening, ...cancelledUndoing('stock', 'payment', 'start')]
  ],
  'a compensation that is left out': [
    /9\.5 compensation: saga 'order\/x' ended without undoing start/,
    [...opening, ...cancelledUndoing('payment', 'stock')]
  ],
  'an undo that is confirmed twice': [
    /9\.5 compensation: saga 'order\/x' undid 'stock' twice/,
    after('StockReleased', 'x', saga('x', 'StepCompensated', 'stock'))
  ],
  'the next undo before the last is confirmed': [
    /9\.5 compensation: saga 'order\/x' sent the next undo before 'payment' was undone/,
    sound.filter((one) => !(one.type === 'StepCompensated' && one.value['step'] === 'payment'))
  ],
  'compensation after the pivot': [
    /9\.5 compensation: saga 'order\/x' turned back after its pivot/,
    sound.flatMap((one) =>
      same(one, 'CompensationStarted', 'x') ? [saga('x', 'PivotReached', 'confirm'), one] : [one]
    )
  ],
  'an undo without a turn': [
    /9\.5 compensation: saga 'order\/c' undoes a step without having turned back/,
    after('PivotReached', 'c', ...command('c', 'payment', 'RefundPayment', true))
  ],
  'positions that go back': [
    /9\.7 journal: the position 'order-events\/0' of saga-events went back from 2 to 1/,
    positioned(2, 1)
  ],
  'a forwarded position that goes beyond the journal': [
    /9\.7 journal: saga-events says that it has forwarded up to 9, beyond itself/,
    sound.map((one) => (same(one, 'SagaStarted', 'c') ? { ...one, headers: { 'parcomolo-forwarded': '9' } } : one))
  ],
  'a command that never arrived': [
    /9\.7 forwarding: commands were issued that never reached/,
    without('DispatchStock', 'c')
  ],
  'a command that nobody sent': [
    /9\.7 forwarding: a command says that it comes from saga-events\/0\/0, which did not send it/,
    [
      ...sound,
      {
        ...fact('order-commands CompleteOrder', { orderId: 'x' }),
        headers: { ce_id: 'order/complete/x', ce_source: '/saga-events/0', ce_sequence: '0' }
      }
    ]
  ]
}

for (const [what, [expected, facts]] of Object.entries(doctored)) {
  test(`rejects ${what}`, (t) => t.regex(told(judge(facts)), expected))
}

test('rejects a journal with a gap', (t) => {
  const records = written(withSequences(sound)).filter(({ topic, offset }) => topic !== 'order-events' || offset !== 1)
  const violations = audit({ records, schemas, flow: 'orchestration', isQuiet: false, now })
  t.regex(told(violations), /9\.7 journal: order-events\/0 has no record at 1/)
})

test('rejects what was acknowledged and is not there', (t) => {
  const text = told(judge(sound, { acknowledged: { orders: ['lost'], cancellations: ['c'], skus: ['lamp'] } }))
  t.regex(text, /9\.6 acknowledged: order 'lost'/)
  t.regex(text, /9\.6 acknowledged: the cancellation of order 'c'/)
  t.regex(text, /9\.6 acknowledged: the stock of 'lamp'/)
})

test('rejects a read model that says anything else than the journals', (t) => {
  const members = { status: 'PENDING', totalCents: 1, stock: { status: 'PENDING' }, payment: { status: 'FAILED' } }
  for (const [member, value] of Object.entries({
    ...members,
    shipping: { status: 'PENDING' },
    saga: { status: 'running' }
  })) {
    const shown = { orders: [{ ...shownOrder, [member]: value }, shownCancelled], stock: [] }
    t.regex(told(judge(sound, { shown })), new RegExp(`9\\.8 read model: order 'c' is shown with ${member} `))
  }
  const shown = { orders: [shownOrder], stock: [{ ...shownStock, onHand: 10 }] }
  t.regex(told(judge(sound, { shown })), /9\.8 read model: stock 'book' is shown with onHand 10; the journals say 8/)
  t.regex(told(judge(sound, { shown })), /9\.8 read model: order 'x' is shown with existence none/)
})

test('lets a saga wait for its timer, but not for nothing', (t) => {
  const half = [...opening, ...reserved('c'), ...command('c', 'payment', 'ProcessPayment')]
  t.is(told(judge(half, { isQuiet: false })), '')
  t.regex(
    told(judge(half, { isQuiet: false, now: now + 3_600_000 })),
    /9\.4 progress: saga 'order\/c' waits for nothing/
  )
})

test('lets a parked saga be', (t) => {
  const parked = [
    ...opening,
    ...reserved('c'),
    ...command('c', 'payment', 'ProcessPayment'),
    saga('c', 'SagaParked', 'payment')
  ]
  t.is(told(judge(parked)), '')
})

function positioned(first: number, second: number): Fact[] {
  const covers = (one: Fact, position: number): Fact => ({
    ...one,
    headers: { 'parcomolo-positions': JSON.stringify({ 'order-events/0': position }) }
  })
  return sound.map((one) => {
    if (same(one, 'SagaStarted', 'c')) return covers(one, first)
    return same(one, 'SagaStarted', 'x') ? covers(one, second) : one
  })
}
