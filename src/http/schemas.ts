import { orderStatuses, orderStockStatuses, sagaStatuses } from '../view/index.ts'

/** JSON Schema of what goes in and out: Fastify checks and writes by it, and the OpenAPI document shows it. */
export type Schema = Readonly<Record<string, unknown>>

/** What no database and no other language keeps as it is: NUL, and one half of a surrogate pair without the other. */
const whole = '^[^\\u0000\\ud800-\\udfff]*$'

const text = (charsMax: number): Schema => ({
  type: 'string',
  minLength: 1,
  maxLength: charsMax,
  pattern: whole,
  description: 'text without NUL, and without half a surrogate pair'
})

/** Refuses members that it does not name; all are required but those named `optional`. */
const object = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties
})

const listOf = (items: Schema): Schema => ({ type: 'array', items })
const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema['type'], 'null'] })

const cents = { type: 'integer', minimum: 0, maximum: 1_000_000_000_000 }
const time = { type: 'string', format: 'date-time', examples: ['2026-11-23T08:26:00.000Z'] }
const string = { type: 'string' }
const integer = { type: 'integer' }
const boolean = { type: 'boolean' }

export const sku: Schema = {
  type: 'string',
  maxLength: 64,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
  description: "letters, digits, '.', '_' and '-', a letter or digit first"
}

export const customerId: Schema = {
  type: 'string',
  maxLength: 128,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._~@:-]*$',
  description: "letters, digits, '.', '_', '~', '@', ':' and '-', a letter or digit first"
}

/** Any id that a path or a body may name; one that was never given out is simply not found. */
export const anyId: Schema = text(256)

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

const place = { topic: string, partition: integer, offset: integer }

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

const sagaMembers = {
  saga: string,
  key: string,
  revision: string,
  status: { type: 'string', enum: sagaStatuses },
  step: orNull(string),
  startedAt: time,
  endedAt: orNull(time),
  failure: orNull(object({ type: string, step: string, message: string })),
  parked: orNull(object({ step: string, undo: boolean, reason: string }))
}

export const sagaSummary: Schema = object(sagaMembers)
export const saga: Schema = object({
  ...sagaMembers,
  waiting: {
    ...listOf(
      object({ step: string, undo: boolean, inbox: string, partition: integer, before: integer, detail: string })
    ),
    description: 'commands that their participant has not read yet, and how many of others stand before each'
  },
  timelineOmitted: integer,
  timeline: listOf(
    object({ type: string, at: time, step: string, undo: boolean, attempt: integer, detail: string, ...place }, [
      'step',
      'undo',
      'attempt',
      'detail'
    ])
  )
})

const revisionMembers = {
  revision: string,
  current: boolean,
  retired: boolean,
  publishedAt: time,
  source: string,
  running: { type: 'integer', description: 'instances of this revision that have not ended' }
}

export const definitionSummary: Schema = object({ saga: string, revisions: listOf(object(revisionMembers)) })
export const definition: Schema = object({
  saga: string,
  revisions: listOf(object({ ...revisionMembers, yaml: string }))
})

export const health: Schema = object({
  status: { type: 'string', enum: ['ok', 'failing'] },
  checks: listOf(object({ name: string, ok: boolean, detail: string }))
})

export const errorExplanation: Schema = object({ code: string, cause: string, remedy: string })

export const pageOf = (items: Schema): Schema =>
  object({
    items: listOf(items),
    nextCursor: { ...orNull(string), description: 'for the next page; null on the last' }
  })

export const problem: Schema = object(
  {
    type: string,
    title: string,
    status: integer,
    code: string,
    detail: string,
    instance: string,
    errors: listOf(object({ path: string, message: string })),
    requestId: string,
    progress: object({ done: integer, of: integer, secondsLeft: orNull(integer) })
  },
  ['errors', 'requestId', 'progress']
)

/** Query parameters are texts; `limit` is made a number before it is checked (query.ts). */
export const pageParameters = (pageSizeMax: number, pageSizeDefault: number): Readonly<Record<string, Schema>> => ({
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: pageSizeMax,
    description: `at most this many; ${pageSizeDefault} if not given`
  },
  cursor: { type: 'string', maxLength: 1000, description: '`nextCursor` of the page before' }
})

export const parameters = (properties: Readonly<Record<string, Schema>>): Schema =>
  object(properties, Object.keys(properties))
export const pathParameters = (properties: Readonly<Record<string, Schema>>): Schema => object(properties)

export const positionHeader: Readonly<Record<string, Schema>> = {
  'parcomolo-position': {
    type: 'string',
    maxLength: 4096,
    description: 'Of an earlier answer: this one waits until the read model has seen it.'
  }
}
