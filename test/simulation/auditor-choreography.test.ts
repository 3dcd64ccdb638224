import test from 'ava'
import { audit, told } from '../helpers/auditor.ts'
import { type Fact, schemas, written } from './journal-writing.ts'

const now = Date.UTC(2026, 0, 2)

/** A line of a journal: `topic type`, what it is of, and the place of the event that it follows from. */
const fact = (place: string, value: Record<string, unknown>, cause = place): Fact => {
  const [topic, type] = place.split(' ') as [string, string]
  return { topic, type, value, headers: { ce_causationid: cause } }
}

const book = [{ sku: 'book', quantity: 2 }]
const opening = [fact('stock-events StockSet', { sku: 'book', name: 'Book', priceCents: 2000, onHand: 20 })]
const placed = (orderId: string) => fact('order-events OrderPlaced', { orderId, lines: book, totalCents: 4000 })
const reserved = (orderId: string) => fact('stock-events StockReserved', { orderId, lines: book })
const released = (orderId: string, lines = book) => fact('stock-events StockReleased', { orderId, lines })
const paid = (orderId: string) =>
  fact('payment-events PaymentSucceeded', { orderId, paymentId: 'p', amountCents: 4000 }, 'stock-events/0/1')
const refunded = (orderId: string, amountCents: number) =>
  fact('payment-events PaymentRefunded', { orderId, amountCents })
const sent = (orderId: string) => [
  fact('shipping-events ShippingScheduled', { orderId }),
  fact('shipping-events ItemShipped', { orderId })
]
const dispatched = (orderId: string) => fact('stock-events StockDispatched', { orderId, lines: book })
const said = (type: string, orderId: string) => fact(`order-events ${type}`, { orderId })

const completed = [
  ...[placed('c'), reserved('c'), paid('c'), said('OrderConfirmed', 'c'), ...sent('c')],
  ...[dispatched('c'), said('OrderCompleted', 'c')]
]
const cancelled = [
  placed('x'),
  reserved('x'),
  paid('x'),
  said('OrderCancelled', 'x'),
  released('x'),
  refunded('x', 4000)
]
const cancelledEarly = [placed('e'), said('OrderCancelled', 'e'), released('e', []), refunded('e', 0)]
const declined = [
  ...[placed('d'), reserved('d'), fact('payment-events PaymentFailed', { orderId: 'd' })],
  said('OrderRejected', 'd')
]
const missing = [placed('m'), fact('stock-events OutOfStock', { orderId: 'm' }), said('OrderRejected', 'm')]
const silent = [placed('s'), reserved('s'), fact('payment-events PaymentExpected', { orderId: 's' })]

const sound = [...opening, ...completed, ...cancelled, ...cancelledEarly, ...declined, ...missing, ...silent]

const judge = (facts: readonly Fact[], isQuiet = true): string =>
  told(audit({ records: written(facts), schemas, flow: 'choreography', isQuiet, now }))

const without = (type: string, orderId: string): Fact[] =>
  sound.filter((one) => one.type !== type || one.value['orderId'] !== orderId)

const after = (type: string, orderId: string, ...more: Fact[]): Fact[] =>
  sound.flatMap((one) => (one.type === type && one.value['orderId'] === orderId ? [one, ...more] : [one]))

test('in choreography sound journals are accepted, with all ends that an order may have', (t) => {
  t.is(judge(sound), '')
  t.is(judge(sound, false), '')
})

/** Doctored journals: what was done to them, whether it is seen before all is at rest, and what the auditor says. */
const doctored: Readonly<Record<string, readonly [seen: 'at once' | 'at rest', RegExp, readonly Fact[]]>> = {
  'a second capture, of the same event that was read twice': [
    'at once',
    /9\.2 money: order 'c' was captured twice/,
    after('PaymentSucceeded', 'c', paid('c'))
  ],
  'a capture after the refund': [
    'at once',
    /9\.2 money: order 'e' was captured after its refund/,
    after('PaymentRefunded', 'e', paid('e'))
  ],
  'a refund of less than was captured': [
    'at once',
    /9\.2 money: order 'x' got back 1 of 4000/,
    [...without('PaymentRefunded', 'x'), refunded('x', 1)]
  ],
  'a captured order that was cancelled and not refunded': [
    'at rest',
    /9\.2 money: order 'x' is CANCELLED, but its payment was not refunded/,
    without('PaymentRefunded', 'x')
  ],
  'a captured order that was rejected and not refunded': [
    'at rest',
    /9\.2 money: order 'm' is REJECTED, but its payment was not refunded/,
    after('OutOfStock', 'm', paid('m'))
  ],
  'a completed order that was refunded': [
    'at once',
    /9\.2 money: order 'c' is COMPLETED, but it was refunded/,
    after('OrderCompleted', 'c', refunded('c', 4000))
  ],
  'a completed order that was not paid': [
    'at rest',
    /9\.2 money: order 'c' is completed, but not paid/,
    without('PaymentSucceeded', 'c')
  ],
  'a cancelled order that was confirmed': [
    'at once',
    /9\.3 orders: order 'x' has both OrderConfirmed and OrderCancelled/,
    after('PaymentSucceeded', 'x', said('OrderConfirmed', 'x'))
  ],
  'a cancelled order that was shipped': [
    'at once',
    /9\.3 orders: order 'x' is CANCELLED, but it was shipped/,
    after('PaymentSucceeded', 'x', ...sent('x'))
  ],
  'a shipped order that was cancelled': [
    'at once',
    /9\.3 orders: order 'c' has both OrderCompleted and OrderCancelled/,
    after('ItemShipped', 'c', said('OrderCancelled', 'c'))
  ],
  'a rejected order that was shipped': [
    'at once',
    /9\.3 orders: order 'd' is REJECTED, but it was shipped/,
    after('PaymentFailed', 'd', ...sent('d'))
  ],
  'a cancelled order whose goods are still reserved': [
    'at rest',
    /9\.1 stock: order 'x' is CANCELLED, but its goods are not back/,
    without('StockReleased', 'x')
  ],
  'a completed order whose goods are still there': [
    'at rest',
    /9\.1 stock: order 'c' is completed, but its goods were not dispatched/,
    without('StockDispatched', 'c')
  ],
  'a rejected order whose goods have left': [
    'at rest',
    /9\.1 stock: order 'd' is REJECTED, but its goods are not back/,
    after('PaymentFailed', 'd', dispatched('d'))
  ],
  'an order that nobody has heard of': [
    'at rest',
    /9\.4 progress: order 's' is PENDING, and nothing more will happen/,
    without('StockReserved', 's')
  ],
  'an order that waits though its bank has answered': [
    'at rest',
    /9\.4 progress: order 's' is PENDING, and nothing more will happen/,
    after('PaymentExpected', 's', paid('s'))
  ],
  'a pending payment that nothing follows from': [
    'at rest',
    /9\.4 progress: order 's' is PENDING, and nothing more will happen/,
    after('PaymentExpected', 's', fact('payment-events PaymentPending', { orderId: 's' }))
  ],
  'a confirmed order that was not shipped': [
    'at rest',
    /9\.4 progress: order 'c' is CONFIRMED, and nothing more will happen/,
    sound.filter(
      ({ type }) => !['ShippingScheduled', 'ItemShipped', 'StockDispatched', 'OrderCompleted'].includes(type)
    )
  ]
}

for (const [what, [seen, expected, facts]] of Object.entries(doctored))
  test(`in choreography rejects ${what}`, (t) => {
    t.regex(judge(facts), expected)
    if (seen === 'at once') t.regex(judge(facts, false), expected)
    else t.is(judge(facts, false), '', 'it may still come')
  })
