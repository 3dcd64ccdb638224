import { projection, type ViewRecord } from '../../src/view/index.ts'

/**
 * A small read model such as an application adds, as one value: what was ordered of each SKU in each country. It is
 * shown once more than one piece was.
 */
export type SoldRow = {
  readonly country: string
  readonly sku: string
  readonly quantity: number
  readonly firstAt: number
  readonly demand: 'low' | 'high'
  /** When it became much. */
  readonly highAt: number | null
}

type Placed = {
  readonly shippingAddress: { readonly country: string }
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

const keysOf = ({ type, value }: ViewRecord): string | readonly string[] | undefined => {
  if (type !== 'OrderPlaced') return undefined
  const { lines, shippingAddress } = value as Placed
  return lines.map(({ sku }) => `${shippingAddress.country}/${sku}`)
}

const foldSold = (before: SoldRow | undefined, { value, at }: ViewRecord, key: string): SoldRow => {
  const { lines, shippingAddress } = value as Placed
  const { country } = shippingAddress
  const sku = key.slice(country.length + 1)
  const more = lines.reduce((sum, line) => (line.sku === sku ? sum + line.quantity : sum), 0)
  const quantity = (before?.quantity ?? 0) + more
  const isHigh = quantity >= 10
  return {
    ...{ country, sku, quantity },
    firstAt: before?.firstAt ?? at,
    demand: isHigh ? 'high' : 'low',
    highAt: before?.highAt ?? (isHigh ? at : null)
  }
}

export const sold = projection({
  name: 'sold',
  layout: 1,
  reads: ['order-events'],
  keyOf: keysOf,
  fold: foldSold,
  bytesOf: ({ country, sku }) => 150 + country.length + sku.length,
  columns: {
    country: { type: 'text', of: ({ country }) => country },
    sku: { type: 'text', of: ({ sku }) => sku },
    firstAt: { type: 'integer', of: ({ firstAt }) => firstAt, isFixed: true },
    demand: { type: 'text', of: ({ demand }) => demand },
    highAt: { type: 'integer', of: ({ highAt }) => highAt },
    shown: { type: 'integer', of: ({ quantity }) => (quantity > 1 ? 1 : null) }
  },
  key: ['country', 'sku'],
  shownBy: 'shown',
  newestBy: 'firstAt',
  lists: [{ by: ['sku'] }, { by: ['country', 'demand'] }, { by: ['country'] }, { by: ['demand'] }, { by: [] }],
  usual: { column: 'demand', value: 'low' },
  counts: { by: ['country'], until: 'highAt' }
})
