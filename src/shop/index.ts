import { type Application, serviceOf } from '../application/index.ts'
import type { Flow } from './flow.ts'
import { inventoryComponent } from './inventory/index.ts'
import { shopNames } from './names.ts'
import { orderComponent } from './order/index.ts'
import { paymentComponent } from './payment/index.ts'
import { shippingComponent } from './shipping/index.ts'

export type { Flow }
export { Intake } from './intake/index.ts'
export { inventoryPrices } from './inventory/index.ts'
export { agreeOnFlow } from './one-flow.ts'
export { shopRoutes } from './routes.ts'
export { fillCatalogue, fillCatalogueBehind, isCatalogueKnown } from './shelves.ts'
export { Stockroom } from './stockroom.ts'

/** The reference application. In choreography its services react to one another, and no saga runs. */
export const shop = (flow: Flow): Application => ({
  name: 'shop',
  services: [
    serviceOf(orderComponent(flow)),
    // One order may touch any SKU.
    serviceOf(inventoryComponent(flow), { partitions: 1 }),
    serviceOf(paymentComponent(flow)),
    serviceOf(shippingComponent(flow))
  ],
  reserved: shopNames,
  runsSagas: flow === 'orchestration'
})
