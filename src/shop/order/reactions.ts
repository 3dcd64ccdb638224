import type { OutOfStock } from '../inventory/types.generated.ts'
import type { OrderCommand, OrderEvent } from './types.generated.ts'
import type { PaymentFailed, PaymentSucceeded } from '../payment/types.generated.ts'
import type { ItemShipped } from '../shipping/types.generated.ts'
import { bind, type Component, type Reactions } from '../../task/index.ts'
import type { Flow } from '../flow.ts'
import { decide, evolve, hasEnded, type Order } from './decider.ts'

export const orderComponent = (flow: Flow): Component<Order> =>
  bind<Order, OrderCommand, OrderEvent>({
    name: 'order',
    journal: 'order-events',
    inbox: 'order-commands',
    commands: ['PlaceOrder', 'CancelOrder', 'ConfirmOrder', 'CompleteOrder', 'RejectOrder'],
    reactions: flow === 'choreography' ? choreography : {},
    keysOf: (command) => [command.value.orderId],
    decide: (entity, command) => decide(entity(command.value.orderId), command),
    touches: (event) => [event.value.orderId],
    evolve,
    hasEnded
  })

/** Nobody tells the order what has become of it, so it listens; otherwise a late cancel would find it PENDING. */
const choreography: Reactions<OrderCommand> = {
  'stock-events': { OutOfStock: ({ orderId }: OutOfStock) => rejected(orderId, 'OutOfStock') },
  'payment-events': {
    PaymentFailed: ({ orderId }: PaymentFailed) => rejected(orderId, 'PaymentFailed'),
    PaymentSucceeded: ({ orderId }: PaymentSucceeded) => ({ type: 'ConfirmOrder', value: { orderId } })
  },
  'shipping-events': { ItemShipped: ({ orderId }: ItemShipped) => ({ type: 'CompleteOrder', value: { orderId } }) }
}

/** The reason is the event's name, as it is in the saga. */
const rejected = (orderId: string, reason: string): OrderCommand => ({
  type: 'RejectOrder',
  value: { orderId, reason }
})
