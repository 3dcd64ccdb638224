import type {
  CancelOrder,
  CompleteOrder,
  ConfirmOrder,
  OrderCommand,
  OrderEvent,
  OrderPlaced,
  PlaceOrder,
  RejectOrder
} from './types.generated.ts'

/**
 * An order: the one place where "cancel" and "confirm" meet. Whichever is decided first wins, and the other is refused.
 *
 *              ConfirmOrder               CompleteOrder
 *   PENDING ─────────────────▶ CONFIRMED ───────────────▶ COMPLETED
 *    │   │     RejectOrder         │ RejectOrder             ▲
 *    │   ├────────────▶ REJECTED ◀─┘                         │
 *    │   └────────────────── CompleteOrder ──────────────────┘
 *    └─ CancelOrder ──▶ CANCELLED
 *
 * O1. What is COMPLETED, REJECTED or CANCELLED stays so.
 * O2. A command whose effect is there already is answered with the same event again, and that event changes nothing.
 *     But OrderPlaced starts what follows from an order, so a repeat of PlaceOrder is answered with OrderAlreadyPlaced.
 */
export type Order = (
  | { readonly status: 'PENDING' | 'CONFIRMED' | 'COMPLETED' }
  | { readonly status: 'REJECTED' | 'CANCELLED'; readonly reason: string }
) & {
  /** Absent where it was rejected before it came, and in snapshots from before this was kept. */
  readonly placed?: Placed
}

/**
 * What tells a repeated request from another one under the same id, and the answer to it: how the request's hash
 * begins, the cents and the currency. As short as that, because every order that has ended keeps it for ever.
 */
type Placed = readonly [requestHash: string, totalCents: number, currency: string]

const hashCharsKept = 16

export const decide = (order: Order | undefined, command: OrderCommand): readonly OrderEvent[] => {
  switch (command.type) {
    case 'PlaceOrder':
      return [place(order, command.value)]
    case 'CancelOrder':
      return [cancel(order, command.value)]
    case 'ConfirmOrder':
      return [confirm(order, command.value)]
    case 'CompleteOrder':
      return complete(order, command.value)
    case 'RejectOrder':
      return [reject(order, command.value)]
  }
}

export const evolve = (order: Order | undefined, event: OrderEvent): Order | undefined => {
  switch (event.type) {
    case 'OrderPlaced':
      return { status: 'PENDING', placed: placedBy(event.value) }
    case 'OrderConfirmed':
      return order?.status === 'PENDING' ? { ...kept(order), status: 'CONFIRMED' } : order
    case 'OrderCompleted':
      return { ...kept(order), status: 'COMPLETED' }
    case 'OrderCancelled':
      return { ...kept(order), status: 'CANCELLED', reason: event.value.reason }
    case 'OrderRejected':
      return { ...kept(order), status: 'REJECTED', reason: event.value.reason }
    default:
      return order
  }
}

export const hasEnded = (order: Order): boolean => order.status !== 'PENDING' && order.status !== 'CONFIRMED'

const placedBy = ({ requestHash, totalCents, currency }: OrderPlaced): Placed => [
  requestHash.slice(0, hashCharsKept),
  totalCents,
  currency
]

const kept = (order: Order | undefined): Pick<Order, 'placed'> =>
  order?.placed === undefined ? {} : { placed: order.placed }

/** An id is taken once, also by an order that was rejected before it came. */
const place = (order: Order | undefined, value: PlaceOrder): OrderEvent => {
  if (order === undefined) return { type: 'OrderPlaced', value }
  const [requestHash, totalCents, currency] = order.placed ?? ['', 0, '']
  return { type: 'OrderAlreadyPlaced', value: { orderId: value.orderId, requestHash, totalCents, currency } }
}

const cancel = (order: Order | undefined, { orderId, reason }: CancelOrder): OrderEvent => {
  switch (order?.status) {
    case 'PENDING':
      return { type: 'OrderCancelled', value: { orderId, reason } }
    case 'CANCELLED':
      return { type: 'OrderCancelled', value: { orderId, reason: order.reason } }
    default:
      return { type: 'OrderNotCancellable', value: { orderId, status: order?.status ?? 'UNKNOWN' } }
  }
}

const confirm = (order: Order | undefined, { orderId }: ConfirmOrder): OrderEvent => {
  switch (order?.status) {
    case 'PENDING':
    case 'CONFIRMED':
    case 'COMPLETED':
      return { type: 'OrderConfirmed', value: { orderId } }
    default:
      return { type: 'OrderNotConfirmable', value: { orderId, status: order?.status ?? 'UNKNOWN' } }
  }
}

/**
 * Also from PENDING: a saga need not confirm.
 * The contract has no refusal, since the saga is past its pivot. So an order that was rejected, cancelled or never
 * placed keeps silent: "completed" would be a lie, and what goes unanswered is brought before an operator.
 */
const complete = (order: Order | undefined, { orderId }: CompleteOrder): OrderEvent[] => {
  switch (order?.status) {
    case 'PENDING':
    case 'CONFIRMED':
    case 'COMPLETED':
      return [{ type: 'OrderCompleted', value: { orderId } }]
    default:
      return []
  }
}

/** The undo of PlaceOrder: accepted for an order that never was, and then its id is taken. */
const reject = (order: Order | undefined, { orderId, reason }: RejectOrder): OrderEvent => {
  switch (order?.status) {
    case 'COMPLETED':
      return { type: 'OrderNotRejectable', value: { orderId, status: order.status } }
    case 'CANCELLED':
      return { type: 'OrderCancelled', value: { orderId, reason: order.reason } }
    case 'REJECTED':
      return { type: 'OrderRejected', value: { orderId, reason: order.reason } }
    default:
      return { type: 'OrderRejected', value: { orderId, reason } }
  }
}
