import type { PlaceOrder } from '../../src/shop/order/types.generated.ts'
import { sha256Hex } from '../../src/base/index.ts'

/** So many events behind the order component: all orders have completed but the open ones, which are only placed. */
export type History = { readonly orders: number; readonly open: readonly number[] }

/** What happened to an order: by type, with the fields beside its id. */
export type OrderEvent = { readonly type: string; readonly value: object }

const openOrders = 400

/** Three events an order, one for an open one; the open ones are spread over the whole time. */
export const historyOf = (events: number): History => {
  const orders = Math.ceil((events + 2 * openOrders) / 3)
  return { orders, open: Array.from({ length: openOrders }, (_, i) => Math.floor((i * orders) / openOrders)) }
}

/** As the product makes them: time first, then what nobody can guess. */
export const orderIdOf = (order: number): string =>
  `${(firstPlacedAt + order).toString(16).padStart(12, '0')}${sha256Hex(`order ${order}`).slice(0, 20)}`

const firstPlacedAt = 1_780_000_000_000

export const eventsOf = function* (history: History): Iterable<OrderEvent & { readonly orderId: string }> {
  const open = new Set(history.open)
  for (let order = 0; order < history.orders; order++) {
    const orderId = orderIdOf(order)
    yield { orderId, type: 'OrderPlaced', value: placing(orderId, order) }
    if (open.has(order)) continue
    yield { orderId, type: 'OrderConfirmed', value: { orderId } }
    yield { orderId, type: 'OrderCompleted', value: { orderId } }
  }
}

const skus = ['book', 'lamp', 'unicorn', 'last-one', 'garden-table-oak', 'wool-blanket-grey']

/** What a customer orders: one to three lines. */
export const placing = (orderId: string, order: number): PlaceOrder => {
  const lines = Array.from({ length: 1 + (order % 3) }, (_, i) => ({
    sku: skus[(order + i) % skus.length]!,
    quantity: 1 + ((order + i) % 4),
    priceCents: 1_000 + ((order * 37 + i * 501) % 90_000)
  }))
  return {
    orderId,
    customerId: `customer-${order % 50_000}`,
    lines,
    totalCents: lines.reduce((total, { quantity, priceCents }) => total + quantity * priceCents, 0),
    currency: 'EUR',
    paymentToken: 'tok_visa',
    shippingAddress: {
      name: `Ada Lovelace the ${order % 997}th`,
      street: `${1 + (order % 200)} St James's Square`,
      city: 'London',
      postalCode: `SW1Y ${order % 10}LE`,
      country: 'GB'
    },
    voucher: order % 10 === 0 ? 'SPRING-10' : null,
    requestHash: sha256Hex(`request ${order}`)
  }
}

/** A command, and what it has to be answered with whatever the process has read to know it. */
export type Question = OrderEvent & { readonly orderId: string; readonly answer: OrderEvent }

const endedAsked = 400
const openAsked = 100
const freshAsked = 50

/**
 * What is asked in the starts 1, 2, 3, … of the same history, about 500 orders the same in each: the ended ones keep
 * refusing, and the open ones say what was decided in the first start. Beside them, open orders that nobody has asked
 * about yet, and such as there never were.
 */
export const questionsOf = (history: History, start: number): readonly Question[] => {
  const reason = `cancelled in start ${start}`
  const open = new Set(history.open)
  const stride = Math.floor(history.orders / endedAsked)
  const ended = Array.from({ length: endedAsked }, (_, i) => {
    const order = i * stride + 1
    return open.has(order) ? order + 1 : order
  })
  const fresh = openAsked + (start - 1) * freshAsked
  return [
    ...['never 1', 'never 2', 'never 3'].flatMap((order) => ofUnknown(unknownIdOf(order), reason)),
    ...ended.flatMap((order) => ofEnded(orderIdOf(order), order, reason)),
    ...history.open.slice(0, openAsked).flatMap((order) => ofOpen(orderIdOf(order), order, [reason, firstReason])),
    ...history.open
      .slice(fresh, fresh + freshAsked)
      .flatMap((order) => ofOpen(orderIdOf(order), order, [reason, reason]))
  ]
}

const firstReason = 'cancelled in start 1'

const unknownIdOf = (name: string): string => sha256Hex(name).slice(0, 32)

const ofUnknown = (orderId: string, reason: string): Question[] => [
  {
    orderId,
    type: 'CancelOrder',
    value: { orderId, reason },
    answer: { type: 'OrderNotCancellable', value: { orderId, status: 'UNKNOWN' } }
  }
]

const placedAgain = (orderId: string, order: number): Question => {
  const value = placing(orderId, order)
  const { totalCents, currency } = value
  const requestHash = value.requestHash.slice(0, 16)
  const answer = { type: 'OrderAlreadyPlaced', value: { orderId, requestHash, totalCents, currency } }
  return { orderId, type: 'PlaceOrder', value, answer }
}

const ofEnded = (orderId: string, order: number, reason: string): Question[] => [
  placedAgain(orderId, order),
  {
    orderId,
    type: 'CancelOrder',
    value: { orderId, reason },
    answer: { type: 'OrderNotCancellable', value: { orderId, status: 'COMPLETED' } }
  },
  { orderId, type: 'ConfirmOrder', value: { orderId }, answer: { type: 'OrderConfirmed', value: { orderId } } },
  {
    orderId,
    type: 'RejectOrder',
    value: { orderId, reason },
    answer: { type: 'OrderNotRejectable', value: { orderId, status: 'COMPLETED' } }
  }
]

/** Cancelled now for the reason that is given now, or before for the reason that was given then. */
const ofOpen = (orderId: string, order: number, [given, kept]: readonly [string, string]): Question[] => [
  placedAgain(orderId, order),
  {
    orderId,
    type: 'CancelOrder',
    value: { orderId, reason: given },
    answer: { type: 'OrderCancelled', value: { orderId, reason: kept } }
  },
  {
    orderId,
    type: 'ConfirmOrder',
    value: { orderId },
    answer: { type: 'OrderNotConfirmable', value: { orderId, status: 'CANCELLED' } }
  }
]
