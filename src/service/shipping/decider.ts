import { sha256Hex } from '../../base/index.ts'
import type {
  ItemShipped,
  ScheduleShipping,
  ShippingDue,
  ShippingExpected,
  ShippingScheduled
} from '../../contract/generated/shipping.ts'

/**
 * The shipment of one order.
 *
 *   (none) ──ScheduleShipping──▶ scheduled ──the carrier has taken it──▶ shipped
 *
 *   Choreography: (none) ──▶ expected (where it goes) or due (it is paid), whichever is heard of first; with the second it is scheduled.
 *
 * S1. An order is shipped once: a command that comes again is told what is known, and that changes nothing.
 */
export type Shipment =
  | { readonly status: 'expected' | 'due' | 'shipped' }
  | { readonly status: 'scheduled'; readonly at: number; readonly commandId: string }

/** The last three are shipping's own, made of other services' events and of its timer. */
export type Command =
  | { readonly type: 'ScheduleShipping'; readonly value: ScheduleShipping }
  | { readonly type: 'ExpectShipping'; readonly value: ScheduleShipping }
  | { readonly type: 'ShipPaid'; readonly value: ShippingDue }
  | { readonly type: 'HandOver'; readonly value: { readonly orderId: string } }

export type Event =
  | { readonly type: 'ShippingExpected'; readonly value: ShippingExpected }
  | { readonly type: 'ShippingDue'; readonly value: ShippingDue }
  | { readonly type: 'ShippingScheduled'; readonly value: ShippingScheduled }
  | { readonly type: 'ItemShipped'; readonly value: ItemShipped }

type Answer = Event & { readonly causationId?: string; readonly at?: number }

/** How long the simulated carrier takes to fetch a parcel, in ms. At 0 it has been there by the time that it was asked. */
export const carrierMs = 0

export const decide = (shipment: Shipment | undefined, command: Command, delayMs: number): readonly Answer[] => {
  const { orderId } = command.value
  switch (command.type) {
    case 'ScheduleShipping':
      return schedule(shipment, orderId, delayMs)
    case 'ExpectShipping':
      if (shipment === undefined) return [{ type: 'ShippingExpected', value: command.value }]
      return shipment.status === 'due' ? schedule(shipment, orderId, delayMs) : []
    case 'ShipPaid':
      if (shipment === undefined) return [{ type: 'ShippingDue', value: { orderId } }]
      return shipment.status === 'expected' ? schedule(shipment, orderId, delayMs) : []
    case 'HandOver':
      return shipment?.status === 'scheduled' ? [{ ...shipped(orderId), causationId: shipment.commandId }] : []
  }
}

export const evolve = (shipment: Shipment | undefined, event: Answer): Shipment => {
  switch (event.type) {
    case 'ShippingExpected':
      return shipment ?? { status: 'expected' }
    case 'ShippingDue':
      return shipment ?? { status: 'due' }
    case 'ShippingScheduled':
      if (shipment?.status === 'scheduled' || shipment?.status === 'shipped') return shipment
      return { status: 'scheduled', at: event.at ?? 0, commandId: event.causationId ?? '' }
    case 'ItemShipped':
      return { status: 'shipped' }
  }
}

export const dueAt = (shipment: Shipment, delayMs: number): number | undefined =>
  shipment.status === 'scheduled' ? shipment.at + delayMs : undefined

export const hasEnded = (shipment: Shipment): boolean => shipment.status === 'shipped'

const schedule = (shipment: Shipment | undefined, orderId: string, delayMs: number): Event[] => {
  const isFetched = shipment?.status === 'shipped' || (shipment?.status !== 'scheduled' && delayMs === 0)
  return isFetched ? [scheduled(orderId), shipped(orderId)] : [scheduled(orderId)]
}

const scheduled = (orderId: string): Event => ({ type: 'ShippingScheduled', value: parcel(orderId) })

const shipped = (orderId: string): Event => ({ type: 'ItemShipped', value: parcel(orderId) })

const parcel = (orderId: string): ItemShipped => ({
  orderId,
  trackingNumber: `PM${sha256Hex(orderId).slice(0, 12).toUpperCase()}`
})
