import { projection, type ViewRecord } from '../../view/index.ts'

/**
 * The stock projection: one row a SKU.
 *
 * K1. The lines of a stock event are what moved with it; an answer that is given again has none
 *     (src/shop/inventory). So adding them up is exact.
 */
export type StockRow = {
  readonly sku: string
  readonly name: string
  readonly priceCents: number
  readonly onHand: number
  readonly reserved: number
  /** False while only reservations have told of this SKU; readers do not see it then. */
  readonly isSet: boolean
}

/** The rows that an event changes. */
export const skusOf = (record: ViewRecord): readonly string[] => {
  if (record.type === 'StockSet') return [String(record.value['sku'])]
  return signs[record.type] === undefined ? [] : linesOf(record).map((line) => line.sku)
}

export const foldStock = (before: StockRow | undefined, record: ViewRecord, sku: string): StockRow => {
  const row = before ?? { sku, name: '', priceCents: 0, onHand: 0, reserved: 0, isSet: false }
  const { value } = record
  if (record.type === 'StockSet') {
    const [name, priceCents, onHand] = [String(value['name']), Number(value['priceCents']), Number(value['onHand'])]
    return { ...row, name, priceCents, onHand, isSet: true }
  }
  const sign = signs[record.type]
  if (sign === undefined) return row
  let moved = 0
  for (const line of linesOf(record)) if (line.sku === sku) moved += line.quantity
  return { ...row, onHand: row.onHand + sign.onHand * moved, reserved: row.reserved + sign.reserved * moved }
}

/** What a moved unit does. */
const signs: Readonly<Record<string, { readonly onHand: number; readonly reserved: number }>> = {
  StockReserved: { onHand: 0, reserved: 1 },
  StockReleased: { onHand: 0, reserved: -1 },
  StockDispatched: { onHand: -1, reserved: -1 }
}

const linesOf = (record: ViewRecord): readonly { sku: string; quantity: number }[] => {
  const lines = record.value['lines']
  return Array.isArray(lines) ? (lines as { sku: string; quantity: number }[]) : []
}

export const stock = projection({
  name: 'stock',
  layout: 1,
  reads: ['stock-events'],
  keyOf: skusOf,
  fold: foldStock,
  bytesOf: ({ sku, name }) => stockBytes + sku.length + name.length,
  columns: {
    sku: { type: 'text', of: ({ sku }) => sku },
    shown: { type: 'integer', of: ({ isSet }) => (isSet ? 1 : null) }
  },
  key: ['sku'],
  shownBy: 'shown',
  lists: []
})

const stockBytes = 250
