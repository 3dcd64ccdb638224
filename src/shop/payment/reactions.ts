import type { StockReserved } from '../inventory/types.generated.ts'
import type { OrderCancelled, OrderPlaced } from '../order/types.generated.ts'
import type { PaymentEvent } from './types.generated.ts'
import { bind, type Component, type Reactions } from '../../task/index.ts'
import type { Flow } from '../flow.ts'
import { type Command, decide, dueAt, evolve, hasEnded, type Payment } from './decider.ts'

export const paymentComponent = (flow: Flow): Component<Payment> =>
  bind<Payment, Command, PaymentEvent>({
    name: 'payment',
    journal: 'payment-events',
    inbox: 'payment-commands',
    commands: ['ProcessPayment', 'RefundPayment'],
    reactions: flow === 'choreography' ? choreography : {},
    onTimer: (orderId) => ({ type: 'CapturePending', value: { orderId } }),
    keysOf: (command) => [command.value.orderId],
    decide: (entity, command, cause) => decide(entity(command.value.orderId), command, cause),
    touches: (event) => [event.value.orderId],
    evolve,
    dueAt,
    hasEnded
  })

/**
 * What is to be paid stands in the order, that it is due is said by the stock: two journals, heard in any order. A
 * cancelled order gets back what was captured; where nothing was, nothing will be.
 */
const choreography: Reactions<Command> = {
  'order-events': {
    OrderPlaced: ({ orderId, totalCents, currency, paymentToken }: OrderPlaced) => ({
      type: 'ExpectPayment',
      value: { orderId, amountCents: totalCents, currency, token: paymentToken }
    }),
    OrderCancelled: ({ orderId }: OrderCancelled) => ({ type: 'RefundPayment', value: { orderId } })
  },
  'stock-events': { StockReserved: ({ orderId }: StockReserved) => ({ type: 'PayReserved', value: { orderId } }) }
}
