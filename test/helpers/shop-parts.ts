import { ownRecordsOf } from '../../src/main/system.ts'
import { shop } from '../../src/shop/index.ts'

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
  saga: 'saga-events'
} as const
