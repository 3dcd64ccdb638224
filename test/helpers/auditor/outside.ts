import { type AuditEvent, type Journals, linesOf, type Violation } from './events.ts'
import { foldPayment } from './money.ts'
import { foldOrder } from './orders.ts'
import { foldSaga, instancesOf } from './sagas.ts'
import { foldStock } from './stock.ts'

/** What the outside was told: `POST`s that were answered with success, and rows that `GET` has shown. */
export type Acknowledged = {
  readonly orders?: readonly string[]
  /** Ids of orders whose cancellation was confirmed. */
  readonly cancellations?: readonly string[]
  readonly skus?: readonly string[]
}

export type ShownOrder = {
  readonly orderId: string
  readonly status: string
  readonly totalCents: number
  readonly stock: { readonly status: string }
  readonly payment: { readonly status: string }
  readonly shipping: { readonly status: string }
  readonly saga?: { readonly status: string } | null
}

export type ShownStock = { readonly sku: string; readonly onHand: number; readonly reserved: number }

export type Shown = { readonly orders: readonly ShownOrder[]; readonly stock: readonly ShownStock[] }

/** Rule 9.6: every acknowledged `POST` is found again, once. */
export const auditAcknowledged = (journals: Journals, told: Acknowledged): Violation[] => {
  const missing = (what: string, ids: readonly string[] = [], found: ReadonlySet<unknown>): Violation[] =>
    ids
      .filter((id) => !found.has(id))
      .map((id) => ({
        rule: '9.6 acknowledged',
        message: `${what} '${id}' was acknowledged, and is not in the journal`,
        evidence: []
      }))
  const idsOf = (topic: string, type: string, member: string): ReadonlySet<unknown> =>
    new Set(
      journals
        .events(topic)
        .filter((event) => event.type === type)
        .map(({ value }) => value[member])
    )
  return [
    ...missing('order', told.orders, idsOf('order-events', 'OrderPlaced', 'orderId')),
    ...missing('the cancellation of order', told.cancellations, idsOf('order-events', 'OrderCancelled', 'orderId')),
    ...missing('the stock of', told.skus, idsOf('stock-events', 'StockSet', 'sku'))
  ]
}

/** Rule 9.8: the read model equals the fold of the journals, once it has read them all. */
export const auditShown = (journals: Journals, shown: Shown): Violation[] => {
  const found: Violation[] = []
  const compare = (what: string, member: string, got: unknown, expected: unknown): void => {
    if (got !== expected)
      found.push({
        rule: '9.8 read model',
        message: `${what} is shown with ${member} ${String(got)}; the journals say ${String(expected)}`,
        evidence: []
      })
  }
  const fold = folds(journals)
  for (const order of shown.orders) {
    const expected = fold(order.orderId)
    for (const [member, value] of Object.entries(expected))
      compare(`order '${order.orderId}'`, member, flat(order)[member], value)
  }
  const levels = foldStock(journals)
  for (const { sku, onHand, reserved } of shown.stock) {
    compare(`stock '${sku}'`, 'onHand', onHand, levels.get(sku)?.onHand)
    compare(`stock '${sku}'`, 'reserved', reserved, levels.get(sku)?.reserved)
  }
  const placed = journals.events('order-events').filter(({ type }) => type === 'OrderPlaced')
  const ids = new Set(shown.orders.map(({ orderId }) => orderId))
  for (const event of placed)
    if (!ids.has(String(event.value['orderId'])))
      compare(`order '${String(event.value['orderId'])}'`, 'existence', 'none', 'placed')
  return found
}

type Row = Readonly<Record<string, unknown>>

const flat = (order: ShownOrder): Row => ({
  status: order.status,
  totalCents: order.totalCents,
  stock: order.stock.status,
  payment: order.payment.status,
  shipping: order.shipping.status,
  saga: order.saga?.status
})

const folds = (journals: Journals): ((orderId: string) => Row) => {
  const [orders, stock, payments, shipments] = (
    ['order-events', 'stock-events', 'payment-events', 'shipping-events'] as const
  ).map((topic) => journals.by(topic, 'orderId'))
  const sagas = instancesOf(journals)
  return (orderId) => {
    const own = orders!.get(orderId) ?? []
    const saga = sagas.get(`order/${orderId}`)
    return {
      status: foldOrder(own),
      totalCents: own.find(({ type }) => type === 'OrderPlaced')?.value['totalCents'],
      stock: stockStatus(stock!.get(orderId) ?? []),
      payment: paymentStatus(payments!.get(orderId) ?? []),
      shipping: shippingStatus(shipments!.get(orderId) ?? []),
      ...endOf(saga)
    }
  }
}

/** On its way an instance has finer states than the auditor tells apart. */
const endOf = (saga: readonly AuditEvent[] | undefined): Row => {
  const end = saga === undefined ? undefined : foldSaga(saga)
  return end === 'running' ? {} : { saga: end }
}

const stockStatus = (events: readonly AuditEvent[]): string => {
  const first = events.find(({ type }) => type === 'StockReserved' || type === 'OutOfStock' || type === 'StockReleased')
  if (first === undefined) return 'PENDING'
  if (first.type === 'OutOfStock') return 'OUT_OF_STOCK'
  if (events.some((event) => event.type === 'StockDispatched' && linesOf(event).length > 0)) return 'DISPATCHED'
  return events.some(({ type }) => type === 'StockReleased') ? 'RELEASED' : 'RESERVED'
}

const paymentStatus = (events: readonly AuditEvent[]): string => {
  const first = events.find(({ type }) => ['PaymentSucceeded', 'PaymentFailed', 'PaymentRefunded'].includes(type))
  if (first?.type === 'PaymentFailed') return 'FAILED'
  if (first?.type === 'PaymentRefunded' || foldPayment(events) === 'refunded') return 'REFUNDED'
  return first === undefined ? 'PENDING' : 'SUCCEEDED'
}

const shippingStatus = (events: readonly AuditEvent[]): string => {
  if (events.some(({ type }) => type === 'ItemShipped')) return 'SHIPPED'
  return events.some(({ type }) => type === 'ShippingScheduled') ? 'SCHEDULED' : 'PENDING'
}
