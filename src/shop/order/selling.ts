import type { HealthCheck } from '../../http/index.ts'
import type { Flow } from '../flow.ts'

/** What it takes to accept orders, beside what every route has. */
export type Selling = {
  readonly flow: Flow
  /** Without the read model; only needed where there is an intake. */
  readonly prices?: Prices
  /** False while what is sold may not be known yet, since the inventory has not begun to work. */
  readonly isStocked?: () => Promise<boolean>
  /** Whether an order that is placed now would go on: otherwise none is taken. */
  readonly health?: () => HealthCheck
}

export type Prices = {
  /** False while a SKU that is not known may only not have been read yet. */
  readonly hasAllPrices: boolean
  /** In cents; undefined for an unknown SKU. */
  price(sku: string): number | undefined
  skus(): readonly string[]
}
