import type { StockSet } from './types.generated.ts'
import type { Stock } from './decider.ts'
import { inventoryComponent, stockPrefix } from './reactions.ts'

export type Price = { readonly sku: string; readonly priceCents: number }

const { name, journal, snapshot } = inventoryComponent('orchestration')

/** Where the prices of all SKUs stand, for whoever has to know them without the read model. */
export const inventoryPrices = {
  component: name,
  journal,
  /** The one event that sets a price, by its short name. */
  eventType: 'StockSet',
  /** Undefined for an entity of another kind. */
  ofEntity: (key: string, bytes: Uint8Array): Price | undefined =>
    key.startsWith(stockPrefix)
      ? { sku: key.slice(stockPrefix.length), priceCents: (snapshot.decode(bytes) as Stock).priceCents }
      : undefined,
  ofEvent: (value: object): Price => {
    const { sku, priceCents } = value as StockSet
    return { sku, priceCents }
  }
}
