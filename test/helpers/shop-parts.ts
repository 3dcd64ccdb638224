import { ownRecordsOf } from '../../src/main/system.ts'
import { shop } from '../../src/shop/index.ts'
import { stock } from '../../src/shop/inventory/index.ts'
import { orders as ordersOfFlow } from '../../src/shop/order/index.ts'
import { viewLayout, type ViewQuery } from '../../src/view/index.ts'

/** What the engine makes of the shop, for tests that put it together in their own way. */
export const theShop = shop('orchestration')

/** The names of its services, and their inboxes. */
export const serviceNames = theShop.services.map(({ name }) => name)
export const inboxes = theShop.reserved.map(({ inbox }) => inbox)

/** The same in both flows. */
export const ownRecords = ownRecordsOf(theShop)

/** The journals that the read model follows. */
export const viewTopics = {
  order: 'order-events',
  stock: 'stock-events',
  payment: 'payment-events',
  shipping: 'shipping-events',
  saga: 'saga-events',
  calls: 'http-calls'
} as const

/** What its read model keeps. */
export const shopLayout = viewLayout(theShop.projections)

export const orders = ordersOfFlow.orchestration
export { stock }

/** A read model as that what the shelves are filled by. */
export const shelvesOf = (view: Pick<ViewQuery, 'row' | 'whenAnswered'>) => ({
  stock: (sku: string): Promise<object | undefined> => view.row(stock, sku),
  whenAnswered: (commandId: string, timeoutMs: number) => view.whenAnswered(commandId, timeoutMs)
})
