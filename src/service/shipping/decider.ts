import { sha256Hex } from '../../base/index.ts'
import type {
  ItemShipped,
  ScheduleShipping,
  ShippingCommand,
  ShippingDue,
  ShippingEvent
} from '../../contract/generated/shipping.ts'

/**
 * The shipment of one order.
 *
 *   (none) ──ScheduleShipping──▶ scheduled ──the carrier has taken it──▶ shipped
 *
 * Choreography: (none) ──▶ expected (where it goes is known) or due (it is paid), whichever is heard of first;
 * with the second it is scheduled, as by ScheduleShipping.
 *
 * S1. An order is shipped once: a command that comes again is told what is known, and that changes nothing.
 */
export type Shipment =
  | { readonly status: 'expected' | 'due' | 'shipped' }
  | { readonly status: 'scheduled'; readonly at: number; readonly commandId: string }

/** Beside that of the contract there are shipping's own, made of other services' events and of its timer. */
export type Command =
  | ShippingCommand
  | { readonly type: 'ExpectShipping'; readonly value: ScheduleShipping }
  | { readonly type: 'ShipPaid'; readonly value: ShippingDue }
  | { readonly type: 'HandOver'; readonly value: ShippingDue }

type Answer = ShippingEvent & { readonly causationId?: string; readonly at?: number }

/** How long the simulated carrier takes to fetch a parcel, in ms. At 0 both of its events are one decision. */
export const carrierMs = 0

export const decide = (shipment: Shipment | undefined, command: Command, delayMs: number): readonly Answer[] => {
  switch (command.type) {
    case 'ScheduleShipping':
      return schedule(shipment, command.value.orderId, delayMs)
    case 'ExpectShipping':
      return expect(shipment, command.value, delayMs)
    case 'ShipPaid':
      return shipPaid(shipment, command.value, delayMs)
    case 'HandOver':
      return handOver(shipment, command.value.orderId)
  }
}

export const evolve = (shipment: Shipment | undefined, event: Answer): Shipment => {
  switch (event.type) {
    case 'ShippingExpected':
      return { status: 'expected' }
    case 'ShippingDue':
      return { status: 'due' }
    case 'ShippingScheduled':
      return afterSchedule(shipment, event)
    case 'ItemShipped':
      return { status: 'shipped' }
  }
}

export const dueAt = (shipment: Shipment, delayMs: number): number | undefined =>
  shipment.status === 'scheduled' ? shipment.at + delayMs : undefined

export const hasEnded = (shipment: Shipment): boolean => shipment.status === 'shipped'

const schedule = (shipment: Shipment | undefined, orderId: string, delayMs: number): ShippingEvent[] => {
  const isFetched = shipment?.status === 'shipped' || delayMs === 0
  return isFetched ? [scheduled(orderId), shipped(orderId)] : [scheduled(orderId)]
}

const expect = (shipment: Shipment | undefined, value: ScheduleShipping, delayMs: number): ShippingEvent[] => {
  if (shipment === undefined) return [{ type: 'ShippingExpected', value }]
  return shipment.status === 'due' ? schedule(shipment, value.orderId, delayMs) : []
}

const shipPaid = (shipment: Shipment | undefined, value: ShippingDue, delayMs: number): ShippingEvent[] => {
  if (shipment === undefined) return [{ type: 'ShippingDue', value }]
  return shipment.status === 'expected' ? schedule(shipment, value.orderId, delayMs) : []
}

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
