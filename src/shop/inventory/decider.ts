import type { InventoryCommand, InventoryEvent, Line, ReleaseStock, ReserveStock, SetStock } from './types.generated.ts'

/**
 * Stock by SKU, and one reservation an order.
 *
 *           ReserveStock ┌──▶ reserved ──DispatchStock──▶ dispatched
 *   (none) ──────────────┤       │
 *      │                 └──▶ refused
 *      │ ReleaseStock            │ ReleaseStock
 *      └─────────────────────────┴──▶ released
 *
 * I1. 0 ≤ reserved ≤ on hand, for every SKU.
 * I2. An order reserves all of its lines or none, and once.
 * I3. The lines of an event are what moved with it: an answer given again has none, and whoever adds up lines is right.
 */
export type Stock = {
  readonly name: string
  readonly priceCents: number
  readonly onHand: number
  readonly reserved: number
  /** The SetStock that was last obeyed: a repeat of it must not bring back what has left since. */
  readonly setBy: string
}

export type Reservation =
  | { readonly status: 'reserved'; readonly lines: readonly Line[] }
  | { readonly status: 'refused'; readonly skus: readonly string[] }
  | { readonly status: 'dispatched' | 'released' }

type Warehouse = {
  stock(sku: string): Stock | undefined
  reservation(orderId: string): Reservation | undefined
}

/** Events of one SKU's stock; all others are of a reservation. */
type StockEvent = Extract<InventoryEvent, { type: 'StockSet' | 'StockBelowReserved' }>
type ReservationEvent = Exclude<InventoryEvent, StockEvent>

export const decide = (warehouse: Warehouse, command: InventoryCommand, commandId: string): InventoryEvent => {
  switch (command.type) {
    case 'ReserveStock':
      return reserve(warehouse, command.value)
    case 'ReleaseStock':
      return { type: 'StockReleased', value: reservedBy(warehouse, command.value) }
    case 'DispatchStock':
      return { type: 'StockDispatched', value: reservedBy(warehouse, command.value) }
    case 'SetStock':
      return set(warehouse.stock(command.value.sku), command.value, commandId)
  }
}

export const evolveReservation = (
  reservation: Reservation | undefined,
  event: ReservationEvent
): Reservation | undefined => {
  switch (event.type) {
    case 'StockReserved':
      return reservation ?? { status: 'reserved', lines: event.value.lines }
    case 'OutOfStock':
      return { status: 'refused', skus: event.value.skus }
    case 'StockReleased':
      return reservation?.status === 'dispatched' ? reservation : { status: 'released' }
    case 'StockDispatched':
      return reservation?.status === 'reserved' ? { status: 'dispatched' } : reservation
    default:
      return reservation
  }
}

/** A SKU that the event's lines name. */
export const moveStock = (stock: Stock, event: ReservationEvent, sku: string): Stock => {
  const moved = 'lines' in event.value ? (event.value.lines.find((line) => line.sku === sku)?.quantity ?? 0) : 0
  switch (event.type) {
    case 'StockReserved':
      return { ...stock, reserved: stock.reserved + moved }
    case 'StockReleased':
      return { ...stock, reserved: stock.reserved - moved }
    case 'StockDispatched':
      return { ...stock, reserved: stock.reserved - moved, onHand: stock.onHand - moved }
    default:
      return stock
  }
}

export const setStock = (stock: Stock | undefined, event: StockEvent, commandId: string): Stock | undefined => {
  if (event.type === 'StockBelowReserved') return stock
  const { name, priceCents, onHand } = event.value
  return { name, priceCents, onHand, reserved: stock?.reserved ?? 0, setBy: commandId }
}

export const hasEnded = (reservation: Reservation): boolean => reservation.status !== 'reserved'

const reserve = (warehouse: Warehouse, { orderId, lines }: ReserveStock): InventoryEvent => {
  const reservation = warehouse.reservation(orderId)
  switch (reservation?.status) {
    case 'reserved':
    case 'dispatched':
      return { type: 'StockReserved', value: { orderId, lines: [] } }
    case 'refused':
      return { type: 'OutOfStock', value: { orderId, skus: reservation.skus } }
    case 'released':
      return { type: 'ReservationClosed', value: { orderId } }
    case undefined:
      return reserveFirst(warehouse, orderId, lines)
  }
}

const reserveFirst = (warehouse: Warehouse, orderId: string, lines: readonly Line[]): InventoryEvent => {
  const wanted = new Map<string, number>()
  for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + countable(quantity))
  const merged = [...wanted].map(([sku, quantity]) => ({ sku, quantity }))
  const missing = merged.filter(({ sku, quantity }) => quantity > available(warehouse.stock(sku)))
  return missing.length > 0
    ? { type: 'OutOfStock', value: { orderId, skus: missing.map(({ sku }) => sku) } }
    : { type: 'StockReserved', value: { orderId, lines: merged } }
}

/** Less than one is never available: a line must not make goods out of nothing, nor make room for another line. */
const countable = (quantity: number): number => (quantity >= 1 ? quantity : Infinity)

const available = (stock: Stock | undefined): number =>
  stock === undefined ? 0 : Math.min(stock.onHand - stock.reserved, quantityMax)

/** A line's quantity is an Avro int; lines of the same SKU may add up to more. */
const quantityMax = 2 ** 31 - 1

const reservedBy = (warehouse: Warehouse, { orderId }: ReleaseStock): { orderId: string; lines: readonly Line[] } => {
  const reservation = warehouse.reservation(orderId)
  return { orderId, lines: reservation?.status === 'reserved' ? reservation.lines : [] }
}

const set = (stock: Stock | undefined, value: SetStock, commandId: string): InventoryEvent => {
  const { sku, onHand } = value
  const reserved = stock?.reserved ?? 0
  if (stock?.setBy === commandId)
    return {
      type: 'StockSet',
      value: { sku, name: stock.name, priceCents: stock.priceCents, onHand: stock.onHand, reserved }
    }
  if (onHand < reserved) return { type: 'StockBelowReserved', value: { sku, onHand, reserved } }
  return { type: 'StockSet', value: { ...value, reserved } }
}
