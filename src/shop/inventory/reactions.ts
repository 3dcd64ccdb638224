import type { InventoryCommand, InventoryEvent } from './types.generated.ts'
import type { OrderCancelled, OrderPlaced } from '../order/types.generated.ts'
import type { ItemShipped } from '../shipping/types.generated.ts'
import { bind, type Component, type Reactions } from '../../task/index.ts'
import type { Flow } from '../flow.ts'
import { decide, evolveReservation, hasEnded, moveStock, type Reservation, setStock, type Stock } from './decider.ts'

/** Two kinds of entities, told apart by their keys: `stock/<sku>` and `order/<orderId>`, an order's reservation. */
export const inventoryComponent = (flow: Flow): Component<Stock | Reservation> =>
  bind<Stock | Reservation, InventoryCommand, InventoryEvent>({
    name: 'inventory',
    journal: 'stock-events',
    inbox: 'inventory-commands',
    commands: ['ReserveStock', 'ReleaseStock', 'DispatchStock', 'SetStock'],
    reactions: flow === 'choreography' ? choreography : {},
    keysOf,
    decide: (entity, command, { id }) => [decide(warehouse(entity), command, id ?? '')],
    touches,
    evolve: (entity, event, key) => {
      if (event.type === 'StockSet' || event.type === 'StockBelowReserved')
        return setStock(entity as Stock | undefined, event, event.causationId ?? '')
      if (isReservation(key)) return evolveReservation(entity as Reservation | undefined, event)
      return entity === undefined ? undefined : moveStock(entity as Stock, event, key.slice(stockPrefix.length))
    },
    hasEnded: (entity) => 'status' in entity && hasEnded(entity),
    // What is given back or leaves is known by the reservation alone.
    staysAwake: (key) => !isReservation(key)
  })

export const stockPrefix = 'stock/'
const stockKey = (sku: string): string => stockPrefix + sku
const reservationKey = (orderId: string): string => `order/${orderId}`
const isReservation = (key: string): boolean => !key.startsWith(stockPrefix)

const warehouse = (entity: (key: string) => Stock | Reservation | undefined) => ({
  stock: (sku: string) => entity(stockKey(sku)) as Stock | undefined,
  reservation: (orderId: string) => entity(reservationKey(orderId)) as Reservation | undefined
})

const keysOf = (command: InventoryCommand): string[] => {
  switch (command.type) {
    case 'SetStock':
      return [stockKey(command.value.sku)]
    case 'ReserveStock':
      return [reservationKey(command.value.orderId), ...command.value.lines.map(({ sku }) => stockKey(sku))]
    default:
      return [reservationKey(command.value.orderId)]
  }
}

const touches = ({ value }: InventoryEvent): string[] => {
  if (!('orderId' in value)) return [stockKey(value.sku)]
  const lines = 'lines' in value ? value.lines : []
  return [reservationKey(value.orderId), ...lines.map(({ sku }) => stockKey(sku))]
}

/**
 * Goods are reserved when they are ordered, leave when they are shipped, and come back when the order is cancelled.
 * Nobody gives back those of an order that is not paid: that takes a saga.
 */
const choreography: Reactions<InventoryCommand> = {
  'order-events': {
    OrderPlaced: ({ orderId, lines }: OrderPlaced) => ({
      type: 'ReserveStock',
      value: { orderId, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }
    }),
    OrderCancelled: ({ orderId }: OrderCancelled) => ({ type: 'ReleaseStock', value: { orderId } })
  },
  'shipping-events': { ItemShipped: ({ orderId }: ItemShipped) => ({ type: 'DispatchStock', value: { orderId } }) }
}
