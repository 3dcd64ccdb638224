import { sha256Hex } from '../../base/index.ts'
import type { ItemShipped, ScheduleShipping, ShippingCommand, ShippingDue, ShippingEvent } from './types.generated.ts'

/**
 * The shipment of one order.
 *
 *   (none) ──ScheduleShipping──▶ scheduled ──the carrier has taken it──▶ shipped
 *
 * Choreography: where it goes is known, it is paid, and the order is confirmed, in whatever order that is heard of;
 * with the last of the three it is scheduled, as by ScheduleShipping. Or the order is cancelled before that.
 *
 *   (none) ──▶ expected ──▶ paid or cleared ──▶ scheduled
 *      └─────▶ due ───────▶ paid
 *   each of these before scheduled ──▶ cancelled
 *
 * S1. An order is shipped once: a command that comes again is told what is known, and that changes nothing.
 * S2. What was cancelled is never scheduled. In choreography shipping waits for the order's own word, since a payment
 *     may be heard of before the cancel that has overtaken it.
 */
export type Shipment =
  | { readonly status: Waiting | 'cancelled' | 'shipped' }
  | { readonly status: 'scheduled'; readonly at: number; readonly commandId: string }

/** Known are: `expected` the order, `due` the payment, `paid` both, `cleared` the order and that it is confirmed. */
type Waiting = 'expected' | 'due' | 'paid' | 'cleared'

/** Beside that of the contract there are shipping's own, made of other services' events and of its timer. */
export type Command =
  | ShippingCommand
  | { readonly type: 'ExpectShipping'; readonly value: ScheduleShipping }
  | { readonly type: 'ShipPaid' | 'ShipConfirmed' | 'StopShipping' | 'HandOver'; readonly value: ShippingDue }

type Answer = ShippingEvent & { readonly causationId?: string; readonly at?: number }

/** How long the simulated carrier takes to fetch a parcel, in ms. At 0 both of its events are one decision. */
export const carrierMs = 0

export const decide = (shipment: Shipment | undefined, command: Command, delayMs: number): readonly Answer[] => {
  switch (command.type) {
    case 'ScheduleShipping':
      return schedule(shipment, command.value.orderId, delayMs)
    case 'ExpectShipping':
      return hear(shipment, { type: 'ShippingExpected', value: command.value }, delayMs)
    case 'ShipPaid':
      return hear(shipment, { type: 'ShippingDue', value: command.value }, delayMs)
    case 'ShipConfirmed':
      return hear(shipment, { type: 'ShippingCleared', value: command.value }, delayMs)
    case 'StopShipping':
      return stop(shipment, command.value)
    case 'HandOver':
      return handOver(shipment, command.value.orderId)
  }
}

export const evolve = (shipment: Shipment | undefined, event: Answer): Shipment | undefined => {
  switch (event.type) {
    case 'ShippingExpected':
    case 'ShippingDue':
    case 'ShippingCleared':
      return afterFact(shipment, event.type)
    case 'ShippingCancelled':
      return { status: 'cancelled' }
    case 'ShippingScheduled':
      return afterSchedule(shipment, event)
    case 'ItemShipped':
      return { status: 'shipped' }
  }
}

export const dueAt = (shipment: Shipment, delayMs: number): number | undefined =>
  shipment.status === 'scheduled' ? shipment.at + delayMs : undefined

export const hasEnded = (shipment: Shipment): boolean =>
  shipment.status === 'shipped' || shipment.status === 'cancelled'

/** The contract has no refusal, so what was cancelled keeps silent, and whoever asks for it goes unanswered. */
const schedule = (shipment: Shipment | undefined, orderId: string, delayMs: number): ShippingEvent[] => {
  if (shipment?.status === 'cancelled') return []
  const isFetched = shipment?.status === 'shipped' || delayMs === 0
  return isFetched ? [scheduled(orderId), shipped(orderId)] : [scheduled(orderId)]
}

type Fact = Extract<ShippingEvent, { type: 'ShippingExpected' | 'ShippingDue' | 'ShippingCleared' }>

/** What is waited for after a fact; a confirmation is heard of after the order itself, as both stand in one journal. */
const after: Readonly<Record<Waiting | 'none', Partial<Record<Fact['type'], Waiting | 'ready'>>>> = {
  none: { ShippingExpected: 'expected', ShippingDue: 'due' },
  expected: { ShippingDue: 'paid', ShippingCleared: 'cleared' },
  due: { ShippingExpected: 'paid' },
  paid: { ShippingCleared: 'ready' },
  cleared: { ShippingDue: 'ready' }
}

const isWaiting = (status: Shipment['status'] | 'none'): status is Waiting | 'none' => status in after

const nextOf = (shipment: Shipment | undefined, fact: Fact['type']): Waiting | 'ready' | undefined => {
  const status = shipment?.status ?? 'none'
  return isWaiting(status) ? after[status][fact] : undefined
}

const hear = (shipment: Shipment | undefined, fact: Fact, delayMs: number): ShippingEvent[] => {
  const next = nextOf(shipment, fact.type)
  if (next === undefined) return []
  return next === 'ready' ? schedule(shipment, fact.value.orderId, delayMs) : [fact]
}

const afterFact = (shipment: Shipment | undefined, fact: Fact['type']): Shipment | undefined => {
  const next = nextOf(shipment, fact)
  return next === undefined || next === 'ready' ? shipment : { status: next }
}

/** A parcel that is on its way is not called back: the order was confirmed, and so it is not cancelled. */
const stop = (shipment: Shipment | undefined, { orderId }: ShippingDue): ShippingEvent[] =>
  isWaiting(shipment?.status ?? 'none') ? [{ type: 'ShippingCancelled', value: { orderId } }] : []

const handOver = (shipment: Shipment | undefined, orderId: string): Answer[] =>
  shipment?.status === 'scheduled' ? [{ ...shipped(orderId), causationId: shipment.commandId }] : []

const afterSchedule = (shipment: Shipment | undefined, { at = 0, causationId = '' }: Answer): Shipment =>
  shipment?.status === 'scheduled' || shipment?.status === 'shipped'
    ? shipment
    : { status: 'scheduled', at, commandId: causationId }

const scheduled = (orderId: string): ShippingEvent => ({ type: 'ShippingScheduled', value: parcel(orderId) })

const shipped = (orderId: string): ShippingEvent => ({ type: 'ItemShipped', value: parcel(orderId) })

const parcel = (orderId: string): ItemShipped => ({
  orderId,
  trackingNumber: `PM${sha256Hex(orderId).slice(0, 12).toUpperCase()}`
})
