import { type AuditEvent, type Flow, type Journals, linesOf, type Violation, violation } from './events.ts'
import { foldPayment } from './money.ts'

export type OrderStatus = 'PENDING' | 'CONFIRMED' | 'COMPLETED' | 'REJECTED' | 'CANCELLED'

const statusOf: Readonly<Record<string, OrderStatus>> = {
  OrderPlaced: 'PENDING',
  OrderConfirmed: 'CONFIRMED',
  OrderCompleted: 'COMPLETED',
  OrderRejected: 'REJECTED',
  OrderCancelled: 'CANCELLED'
}

/** What an order's own journal says of it: the last end that it has come to, else whether it was confirmed. */
export const foldOrder = (events: readonly AuditEvent[]): OrderStatus => {
  let status: OrderStatus = 'PENDING'
  for (const { type } of events) {
    const next = statusOf[type]
    if (next !== undefined && next !== 'PENDING' && !(next === 'CONFIRMED' && status !== 'PENDING')) status = next
  }
  return status
}

/**
 * Rules 9.3 and 9.2, at any time: an order that was cancelled is never confirmed nor shipped, and the reverse; an end
 * is an end; an order is placed once; one that is completed keeps what was paid.
 */
export const auditOrders = (journals: Journals): Violation[] => {
  const payments = journals.by('payment-events', 'orderId')
  const shipments = journals.by('shipping-events', 'orderId')
  return [...journals.by('order-events', 'orderId')].flatMap(([orderId, own]) => [
    ...auditFates(orderId, own),
    ...auditAgainst(orderId, own, payments.get(orderId) ?? [], shipments.get(orderId) ?? [])
  ])
}

const ofType = (events: readonly AuditEvent[], ...types: readonly string[]): AuditEvent[] =>
  events.filter(({ type }) => types.includes(type))

const auditFates = (orderId: string, own: readonly AuditEvent[]): Violation[] => {
  const found: Violation[] = []
  const placed = ofType(own, 'OrderPlaced')
  if (placed.length > 1)
    found.push(violation('9.3 orders', `order '${orderId}' was placed ${placed.length} times`, ...placed))
  for (const pair of exclusive) {
    const [one, other] = pair.map((type) => ofType(own, type)[0])
    if (one !== undefined && other !== undefined)
      found.push(violation('9.3 orders', `order '${orderId}' has both ${pair.join(' and ')}`, one, other))
  }
  return found
}

/** An order's end against what others say of it. */
const auditAgainst = (
  orderId: string,
  own: readonly AuditEvent[],
  paid: readonly AuditEvent[],
  shipped: readonly AuditEvent[]
): Violation[] => {
  const found: Violation[] = []
  const sent = ofType(shipped, 'ShippingScheduled', 'ItemShipped')
  const [undone] = ofType(own, 'OrderCancelled', 'OrderRejected')
  if (undone !== undefined && sent.length > 0) {
    const say = `order '${orderId}' is ${statusOf[undone.type]}`
    found.push(violation('9.3 orders', `${say}, but it was shipped`, undone, ...sent))
  }
  const [completed] = ofType(own, 'OrderCompleted')
  const refunds = ofType(paid, 'PaymentRefunded')
  if (completed !== undefined && refunds.length > 0)
    found.push(violation('9.2 money', `order '${orderId}' is COMPLETED, but it was refunded`, completed, ...refunds))
  return found
}

/**
 * Confirmed and rejected do not exclude one another: a saga whose deadline passes before it hears of the confirmation
 * turns back.
 */
const exclusive = [
  ['OrderConfirmed', 'OrderCancelled'],
  ['OrderCompleted', 'OrderCancelled'],
  ['OrderCompleted', 'OrderRejected'],
  ['OrderRejected', 'OrderCancelled']
] as const

/**
 * What the journals of all services together say of an order that has come to rest: goods and money went the way of its
 * end.
 * Part of rules 9.1, 9.2 and 9.3. `isOpen`: its saga is parked or has not ended, so nothing can be said yet.
 */
export const auditEnds = (journals: Journals, flow: Flow, isOpen: (orderId: string) => boolean): Violation[] => {
  const stock = journals.by('stock-events', 'orderId')
  const payments = journals.by('payment-events', 'orderId')
  const shipments = journals.by('shipping-events', 'orderId')
  return [...journals.by('order-events', 'orderId')].flatMap(([orderId, events]) => {
    if (isOpen(orderId)) return []
    const moved = (stock.get(orderId) ?? []).filter((event) => linesOf(event).length > 0)
    const paid = payments.get(orderId) ?? []
    const shipped = (shipments.get(orderId) ?? []).filter(({ type }) => type === 'ItemShipped')
    const end = { orderId, status: foldOrder(events), evidence: [events.at(-1)!] }
    if (end.status === 'COMPLETED') return whatIsMissing(end, moved, paid, shipped)
    return flow === 'choreography' && isAtSilentBank(end, moved, paid) ? [] : whatIsLeft(end, moved, paid, flow)
  })
}

type End = { readonly orderId: string; readonly status: OrderStatus; readonly evidence: AuditEvent[] }

/** Nobody gives up on a bank that never answers in choreography: that takes a saga. */
const isAtSilentBank = ({ status }: End, moved: readonly AuditEvent[], paid: readonly AuditEvent[]): boolean =>
  status === 'PENDING' &&
  moved.every(({ type }) => type === 'StockReserved') &&
  moved.length > 0 &&
  paid.every(({ type }) => type === 'PaymentExpected' || type === 'PaymentDue')

const whatIsMissing = (
  { orderId, evidence }: End,
  moved: readonly AuditEvent[],
  paid: readonly AuditEvent[],
  shipped: readonly AuditEvent[]
): Violation[] => {
  const found: Violation[] = []
  if (!moved.some(({ type }) => type === 'StockDispatched'))
    found.push(
      violation(
        '9.1 stock',
        `order '${orderId}' is completed, but its goods were not dispatched`,
        ...evidence,
        ...moved
      )
    )
  if (foldPayment(paid) !== 'captured')
    found.push(violation('9.2 money', `order '${orderId}' is completed, but not paid`, ...evidence, ...paid))
  if (shipped.length === 0)
    found.push(violation('9.3 orders', `order '${orderId}' is completed, but not shipped`, ...evidence))
  return found
}

const whatIsLeft = (
  { orderId, status, evidence }: End,
  moved: readonly AuditEvent[],
  paid: readonly AuditEvent[],
  flow: Flow
): Violation[] => {
  const found: Violation[] = []
  const say = `order '${orderId}' is ${status}`
  if (status === 'PENDING' || status === 'CONFIRMED')
    found.push(violation('9.4 progress', `${say}, and nothing more will happen to it`, ...evidence))
  const last = moved.at(-1)
  // In choreography the goods of an order that was not paid stay reserved, as nobody gives them back.
  const isKept = flow === 'choreography' && status === 'REJECTED' && last?.type === 'StockReserved'
  if (last !== undefined && last.type !== 'StockReleased' && !isKept)
    found.push(violation('9.1 stock', `${say}, but its goods are not back`, ...evidence, ...moved))
  if (foldPayment(paid) === 'captured')
    found.push(violation('9.2 money', `${say}, but its payment was not refunded`, ...evidence, ...paid))
  return found
}
