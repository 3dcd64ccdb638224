import type { ReleaseService } from '../contract/index.ts'

const service = (name: string, events: string): ReleaseService => ({
  ...{ name, events },
  inbox: `${name}-commands`,
  namespace: `parcomolo.${name}`
})

/** What the services are called, for who has to know no more of them. */
export const shopNames: readonly ReleaseService[] = [
  service('order', 'order-events'),
  service('inventory', 'stock-events'),
  service('payment', 'payment-events'),
  service('shipping', 'shipping-events')
]
