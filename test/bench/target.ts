import type { Pool } from 'undici'

/** What an order's customer sends. */
export type OrderRequest = {
  readonly customerId: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly paymentToken: string
  readonly shippingAddress: Readonly<Record<'name' | 'street' | 'city' | 'postalCode' | 'country', string>>
}

/** Which saga an order runs through: the seed's (reserve, pay, ship) or the shop's own. */
export const sagas = ['seed', 'order'] as const
export type Saga = (typeof sagas)[number]

/** Something that takes orders, running: our product in one of its forms, or a rival of it. */
export type Target = {
  readonly name: string
  readonly url: string
  readonly readyMs: number
  setStock(pool: Pool, sku: string, onHand: number): Promise<void>
  /** Places an order, given as JSON, and waits for its end: COMPLETED, REJECTED, or what went wrong. */
  order(pool: Pool, json: string): Promise<string>
  counters(): Promise<Counters>
}

/** Totals of all processes since they began; NaN where it is not known. */
export type Counters = {
  readonly cpuSeconds: number
  readonly residentBytes: number
  readonly fsyncs: number
  readonly logBytes: number
}
