import type { OrderCancelled, OrderConfirmed, OrderPlaced } from '../order/types.generated.ts'
import type { PaymentSucceeded } from '../payment/types.generated.ts'
import type { ShippingEvent } from './types.generated.ts'
import { bind, type Component, type Reactions } from '../../task/index.ts'
import type { Flow } from '../flow.ts'
import { carrierMs, type Command, decide, dueAt, evolve, hasEnded, type Shipment } from './decider.ts'

export const shippingComponent = (flow: Flow, delayMs: number = carrierMs): Component<Shipment> =>
  bind<Shipment, Command, ShippingEvent>({
    name: 'shipping',
    journal: 'shipping-events',
    inbox: 'shipping-commands',
    commands: ['ScheduleShipping'],
    reactions: flow === 'choreography' ? choreography : {},
    onTimer: (orderId) => ({ type: 'HandOver', value: { orderId } }),
    keysOf: (command) => [command.value.orderId],
    decide: (entity, command) => decide(entity(command.value.orderId), command, delayMs),
    touches: (event) => [event.value.orderId],
    evolve,
    dueAt: (shipment) => dueAt(shipment, delayMs),
    hasEnded
  })

/**
 * Where it goes stands in the order, that it is paid is said by the payment: two journals, heard in any order. Whether
 * it was confirmed or cancelled in the end, only the order knows.
 */
const choreography: Reactions<Command> = {
  'order-events': {
    OrderPlaced: ({ orderId, lines, shippingAddress }: OrderPlaced) => ({
      type: 'ExpectShipping',
      value: { orderId, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })), address: shippingAddress }
    }),
    OrderConfirmed: ({ orderId }: OrderConfirmed) => ({ type: 'ShipConfirmed', value: { orderId } }),
    OrderCancelled: ({ orderId }: OrderCancelled) => ({ type: 'StopShipping', value: { orderId } })
  },
  'payment-events': { PaymentSucceeded: ({ orderId }: PaymentSucceeded) => ({ type: 'ShipPaid', value: { orderId } }) }
}
