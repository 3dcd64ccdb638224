import { integer, object, type Schema, string, text } from '../../http/index.ts'

const cents = { type: 'integer', minimum: 0, maximum: 1_000_000_000_000 }

export const stockRequest: Schema = {
  ...object({
    name: text(200),
    priceCents: cents,
    onHand: { type: 'integer', minimum: 0, maximum: 1_000_000_000_000 }
  }),
  examples: [{ name: 'Book', priceCents: 2000, onHand: 1_000_000 }]
}

export const stock: Schema = object({
  sku: string,
  name: string,
  priceCents: integer,
  onHand: integer,
  reserved: integer,
  available: integer
})
