import type { Counters } from './counters.ts'

/** What an order's customer sends. */
export type OrderRequest = {
  readonly customerId: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly paymentToken: string
  readonly shippingAddress: Readonly<Record<'name' | 'street' | 'city' | 'postalCode' | 'country', string>>
}

/** The same as it goes over HTTP, made once since many are alike. */
export type Order = { readonly request: OrderRequest; readonly json: string }

/** Which saga an order runs through: the seed's (reserve, pay, ship) or the shop's own. */
export const sagas = ['seed', 'order'] as const
export type Saga = (typeof sagas)[number]

/** Something that takes orders, running: our product in one of its forms, or a rival of it. */
export type Target = {
  readonly name: string
  readonly readyMs: number
  /** A way in for so many clients. */
  connect(clients: number): Promise<Connection>
  counters(): Promise<Counters>
}

export type Connection = AsyncDisposable & {
  setStock(sku: string, onHand: number): Promise<void>
  /**
   * Places an order and waits for its end: COMPLETED, REJECTED, or what went wrong; undefined where it was sent away
   * and told to come again after the end of the run.
   */
  order(order: Order, patience: Patience): Promise<string | undefined>
}

/** Of a client that is sent away: it comes again when it has been told to. */
export type Patience = {
  readonly onRefused: (afterMs: number) => void
  /** Who has placed an order asks for it at once, and is told how long it took until the read model had it. */
  readonly onSeen?: (afterMs: number) => void
  /** As `performance.now()` counts. */
  readonly endAt: number
}

export type Start = (resources: AsyncDisposableStack, saga: Saga) => Promise<Target>
