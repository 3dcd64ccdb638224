import type { SetStock } from './types.generated.ts'

/** What the shop sells when it opens for the first time. `unicorn` and `last-one` are there to be sold out. */
export const catalogue: readonly SetStock[] = [
  { sku: 'book', name: 'Book', priceCents: 2000, onHand: 1_000_000 },
  { sku: 'lamp', name: 'Lamp', priceCents: 4500, onHand: 1_000_000 },
  { sku: 'unicorn', name: 'Unicorn', priceCents: 99_900, onHand: 0 },
  { sku: 'last-one', name: 'The last one', priceCents: 1500, onHand: 1 }
]
