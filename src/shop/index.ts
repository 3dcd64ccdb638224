import { type Application, serviceOf } from '../application/index.ts'
import { firstSteps } from './about.ts'
import type { Flow } from './flow.ts'
import { inventoryComponent, stock } from './inventory/index.ts'
import { shopNames } from './names.ts'
import { orderComponent, orders } from './order/index.ts'
import { paymentComponent } from './payment/index.ts'
import { serveShop } from './serving.ts'
import { shippingComponent } from './shipping/index.ts'

export { aboutShop } from './about.ts'
export type { Flow }
export { shopRoutes } from './routes.ts'
export { shopSettings } from './settings.ts'

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
  projections: [orders[flow], stock],
  reserved: shopNames,
  runsSagas: flow === 'orchestration',
  variant: { setting: 'FLOW', value: flow, withSagas: 'orchestration' },
  firstSteps,
  serve: serveShop(flow)
})
