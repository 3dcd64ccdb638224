import { anyId, integer, listOf, object, orNull, place, type Schema, string, text, time } from '../../http/index.ts'
import { sagaStatuses } from '../../view/index.ts'
import { sku } from '../schemas.ts'
import { orderStatuses, orderStockStatuses } from './projection.ts'

export const customerId: Schema = {
  type: 'string',
  maxLength: 128,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._~@:-]*$',
  description: "letters, digits, '.', '_', '~', '@', ':' and '-', a letter or digit first"
}

export const orderRequest: Schema = {
  ...object(
    {
      customerId,
      lines: {
        type: 'array',
        minItems: 1,
        maxItems: 100,
        items: object({ sku, quantity: { type: 'integer', minimum: 1, maximum: 10_000 } })
      },
      paymentToken: text(200),
      shippingAddress: object({
        name: text(200),
        street: text(200),
        city: text(200),
        postalCode: text(32),
        country: text(100)
      }),
      voucher: { type: 'null', description: 'there are no vouchers yet; leave it out' }
    },
    ['voucher']
  ),
  examples: [
    {
      customerId: 'customer-1',
      lines: [{ sku: 'book', quantity: 2 }],
      paymentToken: 'tok_visa',
      shippingAddress: { name: 'Ada', street: '1 High Street', city: 'London', postalCode: 'N1', country: 'GB' }
    }
  ]
}

export const orderAnswer: Schema = object({
  orderId: string,
  status: { type: 'string', enum: ['PENDING'] },
  totalCents: integer,
  currency: string
})

export const cancelRequest: Schema = object({ orderId: anyId, reason: text(200) }, ['reason'])
export const cancelAnswer: Schema = object({ orderId: string, status: { type: 'string', enum: ['CANCELLED'] } })

export const order: Schema = object({
  orderId: string,
  customerId: string,
  status: { type: 'string', enum: orderStatuses },
  lines: listOf(object({ sku: string, quantity: integer, priceCents: integer })),
  totalCents: integer,
  currency: string,
  stock: object({ status: { type: 'string', enum: orderStockStatuses } }),
  payment: object({ status: { type: 'string', enum: ['PENDING', 'SUCCEEDED', 'FAILED', 'REFUNDED'] } }),
  shipping: object({
    status: { type: 'string', enum: ['PENDING', 'SCHEDULED', 'SHIPPED'] },
    trackingNumber: orNull(string)
  }),
  saga: orNull(
    object({
      name: string,
      revision: string,
      status: { type: 'string', enum: sagaStatuses },
      step: orNull(string)
    })
  ),
  timeline: listOf(object({ type: string, at: time, ...place }))
})
