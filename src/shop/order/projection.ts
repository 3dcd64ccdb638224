import {
  appended,
  type ColumnValues,
  follows,
  hasEntry,
  instanceKey,
  type PackedTimeline,
  packTimeline,
  projection,
  type SagaRow,
  sagas,
  sagaStatuses,
  type SagaSummary,
  sagaSummary,
  type ShapeNumbers,
  type Timeline,
  timelineBytes,
  unpackTimeline,
  type ViewQuery,
  type ViewRecord,
  type Waiter
} from '../../view/index.ts'
import type { Flow } from '../flow.ts'

/**
 * The orders projection: one row an order, folded from the order, stock, payment and shipping journals, with a summary
 * of its saga.
 *
 * O1. Every member is a function of one journal's events of this order, in their order; `status` is a function of those
 *     members. So any interleaving of the journals gives the same row, and readers see the same timeline
 *     (src/view/timeline.ts), as each type stands in one journal.
 * O2. Statuses only move forward, so an event that is told again changes nothing. A repeat is not listed in `timeline`
 *     either, which bounds the row however often a participant is asked; the saga's own timeline has every attempt.
 * O3. A row exists from the first event of any journal; readers see it from `OrderPlaced` on (`placedAt`).
 */
export type OrderRow = {
  readonly orderId: string
  /** Ms since 1970; null while only other journals have told of this order. */
  readonly placedAt: number | null
  readonly customerId: string
  readonly lines: readonly OrderLine[]
  readonly totalCents: number
  readonly currency: string
  /** SHA-256 of the request that placed it. */
  readonly requestHash: string
  readonly status: OrderStatus
  /** What the order journal alone says. */
  readonly ownStatus: OrderStatus
  readonly stock: { readonly status: OrderStockStatus }
  readonly payment: { readonly status: PaymentStatus }
  readonly shipping: { readonly status: ShippingStatus; readonly trackingNumber: string | null }
  readonly saga: SagaSummary | null
  readonly timeline: Timeline
}

export type OrderLine = { readonly sku: string; readonly quantity: number; readonly priceCents: number }

export const orderStatuses = ['PENDING', 'CONFIRMED', 'COMPLETED', 'REJECTED', 'CANCELLED'] as const
export type OrderStatus = (typeof orderStatuses)[number]
export const orderStockStatuses = ['PENDING', 'RESERVED', 'OUT_OF_STOCK', 'RELEASED', 'DISPATCHED'] as const
export type OrderStockStatus = (typeof orderStockStatuses)[number]
export type PaymentStatus = 'PENDING' | 'SUCCEEDED' | 'FAILED' | 'REFUNDED'
export type ShippingStatus = 'PENDING' | 'SCHEDULED' | 'SHIPPED'

/** The row after an event of the order, stock, payment or shipping journal. */
export const foldOrder = (before: OrderRow | undefined, record: ViewRecord, flow: Flow): OrderRow => {
  const row = before ?? emptyOrder(String(record.value['orderId']))
  // The answer to whoever repeats a request: nothing has happened to the order.
  if (record.type === 'OrderAlreadyPlaced') return row
  const changed = changeByJournal(row, record)
  const isRepeat = hasEntry(row.timeline, record.type)
  if (isRepeat && changed === row) return row
  const timeline = isRepeat ? row.timeline : appended(row.timeline, record)
  return { ...changed, status: statusOf(changed, flow), timeline }
}

/** A saga that starts from this event, with the order id as its key, is the order's saga. */
const startEvent = 'OrderPlaced'

const withSagaRow = (before: OrderRow | undefined, saga: SagaRow, orderId: string): OrderRow | undefined =>
  saga.startedBy === startEvent ? withSaga(before, orderId, sagaSummary(saga)) : undefined

/** The row with what its saga has come to. */
export const withSaga = (before: OrderRow | undefined, orderId: string, saga: SagaSummary): OrderRow => {
  const row = before ?? emptyOrder(orderId)
  // Several sagas may start from one order; the row shows the same one in whatever order their events arrive.
  if (row.saga !== null && precedence(row.saga.name) < precedence(saga.name)) return row
  return row.saga !== null && isSame(row.saga, saga) ? row : { ...row, saga }
}

/**
 * True when nothing more will happen to the order: its status is final and, where a saga drives it, that has ended;
 * in choreography, when the services have done what follows from its status.
 */
export const hasOrderEnded = (row: OrderRow, flow: Flow): boolean => {
  if (row.placedAt === null || !isFinal(row.status)) return false
  if (row.saga === null) return flow === 'choreography' && hasSettled(row)
  return row.saga.ended
}

const hasSettled = ({ status, stock, payment }: OrderRow): boolean => {
  if (status === 'COMPLETED') return stock.status === 'DISPATCHED'
  if (status !== 'CANCELLED') return true
  const hasGoods = stock.status === 'PENDING' || stock.status === 'RESERVED'
  return !hasGoods && (payment.status === 'REFUNDED' || payment.status === 'FAILED')
}

export const emptyOrder = (orderId: string): OrderRow => ({
  orderId,
  placedAt: null,
  customerId: '',
  lines: [],
  totalCents: 0,
  currency: '',
  requestHash: '',
  status: 'PENDING',
  ownStatus: 'PENDING',
  stock: { status: 'PENDING' },
  payment: { status: 'PENDING' },
  shipping: { status: 'PENDING', trackingNumber: null },
  saga: null,
  timeline: []
})

const changeByJournal = (row: OrderRow, record: ViewRecord): OrderRow => {
  switch (record.topic) {
    case 'order-events':
      return changeByOrderEvent(row, record)
    case 'stock-events':
      return changeByStockEvent(row, record.type)
    case 'payment-events':
      return changeByPaymentEvent(row, record.type)
    case 'shipping-events':
      return changeByShippingEvent(row, record)
    default:
      return row
  }
}

const changeByOrderEvent = (row: OrderRow, record: ViewRecord): OrderRow => {
  if (record.type === 'OrderPlaced') return row.placedAt === null ? placed(row, record) : row
  const next = statusByEvent[record.type]
  if (next === undefined || !canFollow[row.ownStatus].includes(next)) return row
  return { ...row, ownStatus: next }
}

const placed = (row: OrderRow, record: ViewRecord): OrderRow => {
  const { value } = record
  return {
    ...row,
    placedAt: record.at,
    customerId: String(value['customerId']),
    lines: (value['lines'] as OrderLine[]).map(({ sku, quantity, priceCents }) => ({ sku, quantity, priceCents })),
    totalCents: Number(value['totalCents']),
    currency: String(value['currency']),
    requestHash: String(value['requestHash'])
  }
}

const statusByEvent: Readonly<Record<string, OrderStatus>> = {
  OrderConfirmed: 'CONFIRMED',
  OrderCompleted: 'COMPLETED',
  OrderRejected: 'REJECTED',
  OrderCancelled: 'CANCELLED'
}

const canFollow: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  PENDING: ['CONFIRMED', 'COMPLETED', 'REJECTED', 'CANCELLED'],
  CONFIRMED: ['COMPLETED', 'REJECTED'],
  COMPLETED: [],
  REJECTED: [],
  CANCELLED: []
}

const changeByStockEvent = (row: OrderRow, type: string): OrderRow => {
  const { status } = row.stock
  if (type === 'StockReserved' && status === 'PENDING') return { ...row, stock: { status: 'RESERVED' } }
  if (type === 'OutOfStock' && status === 'PENDING') return { ...row, stock: { status: 'OUT_OF_STOCK' } }
  // What ran out was never reserved, so its undo releases nothing and the reason stays.
  if (type === 'StockReleased' && (status === 'PENDING' || status === 'RESERVED'))
    return { ...row, stock: { status: 'RELEASED' } }
  // An answer about goods that were never held, or given back, moves nothing.
  if (type === 'StockDispatched' && status === 'RESERVED') return { ...row, stock: { status: 'DISPATCHED' } }
  return row
}

const changeByPaymentEvent = (row: OrderRow, type: string): OrderRow => {
  const { status } = row.payment
  if (type === 'PaymentSucceeded' && status === 'PENDING') return { ...row, payment: { status: 'SUCCEEDED' } }
  if (type === 'PaymentFailed' && status === 'PENDING') return { ...row, payment: { status: 'FAILED' } }
  // What failed was never captured, so its undo refunds nothing and the reason stays.
  if (type === 'PaymentRefunded' && (status === 'PENDING' || status === 'SUCCEEDED'))
    return { ...row, payment: { status: 'REFUNDED' } }
  return row
}

const changeByShippingEvent = (row: OrderRow, record: ViewRecord): OrderRow => {
  const before = row.shipping.status
  const status = shippingByEvent[record.type]
  if (status === undefined || before === 'SHIPPED' || before === status) return row
  return { ...row, shipping: { status, trackingNumber: String(record.value['trackingNumber']) } }
}

const shippingByEvent: Readonly<Record<string, ShippingStatus>> = {
  ShippingScheduled: 'SCHEDULED',
  ItemShipped: 'SHIPPED'
}

/**
 * The order journal has the last word; without an orchestrator, what the other services say counts until it has spoken.
 */
const statusOf = (row: OrderRow, flow: Flow): OrderStatus => {
  if (flow === 'orchestration' || isFinal(row.ownStatus)) return row.ownStatus
  if (row.shipping.status === 'SHIPPED') return 'COMPLETED'
  if (row.stock.status === 'OUT_OF_STOCK' || row.payment.status === 'FAILED') return 'REJECTED'
  return row.ownStatus
}

const isFinal = (status: OrderStatus): boolean => status !== 'PENDING' && status !== 'CONFIRMED'

const isSame = (a: SagaSummary, b: SagaSummary): boolean =>
  a.name === b.name && a.revision === b.revision && a.status === b.status && a.step === b.step && a.ended === b.ended

/** The saga named `order` comes first, then by name. */
const precedence = (name: string): string => (name === 'order' ? '' : name)

/** The orders in one flow. */
const ordersIn = (flow: Flow) =>
  projection({
    name: 'orders',
    layout: 1,
    reads: ['order-events', 'stock-events', 'payment-events', 'shipping-events'],
    keyOf: ({ value: { orderId } }) => (typeof orderId === 'string' ? orderId : undefined),
    fold: (before: OrderRow | undefined, record) => foldOrder(before, record, flow),
    follows: follows({ projection: sagas, keyOf: instanceKey, fold: withSagaRow }),
    bytesOf: ({ customerId, requestHash, lines, timeline }) =>
      orderBytes + customerId.length + requestHash.length + lines.length * lineBytes + timelineBytes(timeline),
    columns: {
      id: { type: 'text', of: ({ orderId }) => orderId },
      placedAt: { type: 'integer', of: ({ placedAt }) => placedAt },
      customerId: { type: 'text', of: ({ customerId }) => customerId },
      status: { type: 'text', of: ({ status }) => status }
    },
    key: ['id'],
    shownBy: 'placedAt',
    newestBy: 'placedAt',
    lists: [{ by: ['customerId'] }, { by: ['status'] }, { by: [] }],
    usual: { column: 'status', value: 'COMPLETED' },
    packing: { pack: packOrder, unpack: unpackOrder }
  })

const orderBytes = 600
const lineBytes = 120

/** Words of a known set as their number. */
type PackedOrder = [
  lines: (string | number)[],
  totalCents: number,
  currency: string,
  requestHash: string,
  statuses: [own: number, stock: number, payment: number, shipping: number],
  trackingNumber: string | null,
  saga: PackedSummary | 0,
  timeline: PackedTimeline
]
type PackedSummary = [name: string, revision: string, status: number, step: string | null, ended: 0 | 1]

const packOrder = (row: OrderRow, shapes: ShapeNumbers): PackedOrder => {
  const { totalCents, currency, requestHash, shipping } = row
  return [
    packLines(row.lines),
    ...([totalCents, currency, requestHash] as const),
    [
      orderStatuses.indexOf(row.ownStatus),
      orderStockStatuses.indexOf(row.stock.status),
      paymentStatuses.indexOf(row.payment.status),
      shippingStatuses.indexOf(shipping.status)
    ],
    shipping.trackingNumber,
    row.saga === null ? 0 : packSummary(row.saga),
    packTimeline(row.timeline, shapes)
  ]
}

const unpackOrder = (packed: PackedOrder, columns: ColumnValues, shapes: ShapeNumbers): OrderRow => {
  const [lines, totalCents, currency, requestHash, [own, stock, payment, shipping], trackingNumber, saga] = packed
  return {
    orderId: String(columns['id']),
    customerId: String(columns['customerId']),
    placedAt: columns['placedAt'] as number | null,
    lines: linesOf(lines),
    ...{ totalCents, currency, requestHash },
    status: columns['status'] as OrderStatus,
    ownStatus: orderStatuses[own]!,
    stock: { status: orderStockStatuses[stock]! },
    payment: { status: paymentStatuses[payment]! },
    shipping: { status: shippingStatuses[shipping]!, trackingNumber },
    saga: saga === 0 ? null : unpackSummary(saga),
    timeline: unpackTimeline(packed[7], shapes)
  }
}

const paymentStatuses: readonly PaymentStatus[] = ['PENDING', 'SUCCEEDED', 'FAILED', 'REFUNDED']
const shippingStatuses: readonly ShippingStatus[] = ['PENDING', 'SCHEDULED', 'SHIPPED']

const packLines = (lines: readonly OrderLine[]): PackedOrder[0] => {
  const items: PackedOrder[0] = []
  for (const { sku, quantity, priceCents } of lines) items.push(sku, quantity, priceCents)
  return items
}

const linesOf = (items: PackedOrder[0]): OrderLine[] =>
  Array.from({ length: items.length / 3 }, (_, i) => {
    const [sku, quantity, priceCents] = items.slice(3 * i, 3 * i + 3) as [string, number, number]
    return { sku, quantity, priceCents }
  })

const packSummary = ({ name, revision, status, step, ended }: SagaSummary): PackedSummary => [
  ...([name, revision, sagaStatuses.indexOf(status), step] as const),
  ended ? 1 : 0
]

const unpackSummary = ([name, revision, status, step, ended]: PackedSummary): SagaSummary => ({
  ...{ name, revision, step },
  status: sagaStatuses[status]!,
  ended: ended === 1
})

export const orders = { orchestration: ordersIn('orchestration'), choreography: ordersIn('choreography') } as const

/** Waits for an order that is about to be placed. One that was placed long ago is found by its id. */
export const whenPlaced = (view: ViewQuery, flow: Flow, orderId: string, timeoutMs: number): Waiter<OrderRow> =>
  view.whenRow(orders[flow], orderId, () => true, { timeoutMs, by: 'write' })

/** Waits for the order to have reached its end. */
export const whenEnded = (view: ViewQuery, flow: Flow, orderId: string, timeoutMs: number): Waiter<OrderRow> =>
  view.whenRow(orders[flow], orderId, (row) => hasOrderEnded(row, flow), { timeoutMs, by: 'read' })
