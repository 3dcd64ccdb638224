import type { StockRow } from './projection.ts'

export const stockJson = ({ sku, name, priceCents, onHand, reserved }: Omit<StockRow, 'isSet'>) => ({
  sku,
  name,
  priceCents,
  onHand,
  reserved,
  available: onHand - reserved
})
