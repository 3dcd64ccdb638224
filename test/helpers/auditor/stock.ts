import { type AuditEvent, isEqual, type Journals, linesOf, total, type Violation, violation } from './events.ts'

/** Rule 9.1: goods are conserved, and reservations are kept. */
export type StockLevel = { readonly name: string; readonly priceCents: number; onHand: number; reserved: number }

type Rule = (message: string, ...evidence: AuditEvent[]) => void

const rule = '9.1 stock'

export const auditStock = (journals: Journals): Violation[] => {
  const found: Violation[] = []
  const report: Rule = (message, ...evidence) => found.push(violation(rule, message, ...evidence))
  foldStock(journals, report)
  const placed = new Map(
    journals
      .events('order-events')
      .filter(({ type }) => type === 'OrderPlaced')
      .map((event) => [event.value['orderId'], event])
  )
  for (const [orderId, events] of journals.by('stock-events', 'orderId')) {
    auditReservation(orderId, events, placed.get(orderId), report)
  }
  return found
}

/** The levels after all events; what breaks a level on the way is reported. */
export const foldStock = (journals: Journals, report: Rule = () => undefined): ReadonlyMap<string, StockLevel> => {
  const levels = new Map<string, StockLevel>()
  const causes = new Map<string, AuditEvent>()
  for (const event of journals.events('stock-events')) {
    if (event.type === 'StockSet') set(levels, causes, event, report)
    for (const { sku, quantity } of linesOf(event)) move(levels, event, { sku, quantity }, report)
  }
  return levels
}

const set = (
  levels: Map<string, StockLevel>,
  causes: Map<string, AuditEvent>,
  event: AuditEvent,
  report: Rule
): void => {
  const { sku, name, priceCents, onHand } = event.value as {
    sku: string
    name: string
    priceCents: number
    onHand: number
  }
  const before = levels.get(sku)
  const first = event.cause === undefined ? undefined : causes.get(event.cause)
  if (first !== undefined && before !== undefined && before.onHand !== onHand)
    report(`a repeated SetStock moved '${sku}' from ${before.onHand} to ${onHand}`, first, event)
  if (event.cause !== undefined) causes.set(event.cause, event)
  const level = { name, priceCents, onHand, reserved: before?.reserved ?? 0 }
  levels.set(sku, level)
  checkLevel(sku, level, event, report)
}

const move = (
  levels: Map<string, StockLevel>,
  event: AuditEvent,
  { sku, quantity }: { sku: string; quantity: number },
  report: Rule
): void => {
  const level = levels.get(sku)
  if (quantity <= 0) report(`'${sku}' was moved by ${quantity}`, event)
  if (level === undefined) return report(`'${sku}' was moved before there was any`, event)
  if (event.type === 'StockReserved') level.reserved += quantity
  if (event.type === 'StockReleased' || event.type === 'StockDispatched') level.reserved -= quantity
  if (event.type === 'StockDispatched') level.onHand -= quantity
  checkLevel(sku, level, event, report)
}

const checkLevel = (sku: string, { onHand, reserved }: StockLevel, event: AuditEvent, report: Rule): void => {
  if (reserved < 0 || reserved > onHand) report(`'${sku}' has ${reserved} reserved of ${onHand} on hand`, event)
}

const auditReservation = (
  orderId: string,
  events: readonly AuditEvent[],
  placed: AuditEvent | undefined,
  report: Rule
): void => {
  const moving = events.filter((event) => linesOf(event).length > 0 && event.type !== 'OutOfStock')
  const reserved = moving.filter(({ type }) => type === 'StockReserved')
  const closed = moving.filter(({ type }) => type !== 'StockReserved')
  if (reserved.length > 1) report(`order '${orderId}' reserved stock ${reserved.length} times`, ...reserved)
  if (closed.length > 1) report(`the reservation of order '${orderId}' was closed ${closed.length} times`, ...closed)
  for (const event of closed) {
    if (!isSameGoods(reserved[0], event))
      report(`${event.type} of order '${orderId}' moved other goods than were reserved`, ...reserved, event)
  }
  const first = reserved[0]
  if (first === undefined) return
  const released = events.find(({ type }) => type === 'StockReleased')
  if (released !== undefined && released.offset < first.offset)
    report(`order '${orderId}' reserved stock after its release`, released, first)
  if (placed !== undefined && !isSameGoods(placed, first))
    report(`order '${orderId}' reserved other goods than were ordered`, placed, first)
}

const isSameGoods = (one: AuditEvent | undefined, other: AuditEvent): boolean =>
  one !== undefined && isEqual(total(linesOf(one)), total(linesOf(other)))
