import avro from 'avsc'
import type { AuditRecord } from '../helpers/auditor.ts'

/** Writes journals by hand, for tests of the auditor: a fact is a place, a type and a value. */
export type Fact = {
  readonly topic: string
  readonly type: string
  readonly value: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  readonly at?: number
}

const lines = {
  type: 'array',
  items: { type: 'record', name: 'Line', fields: fields({ sku: 'string', quantity: 'int' }) }
}
const step = { saga: 'string', key: 'string', step: 'string' }
const instance = { saga: 'string', key: 'string' }

/** As many fields of each record as the auditor looks at. */
const shapes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  OrderPlaced: { orderId: 'string', lines, totalCents: 'long' },
  OrderConfirmed: { orderId: 'string' },
  OrderCompleted: { orderId: 'string' },
  OrderRejected: { orderId: 'string' },
  OrderCancelled: { orderId: 'string' },
  StockSet: { sku: 'string', name: 'string', priceCents: 'long', onHand: 'long' },
  StockReserved: { orderId: 'string', lines },
  StockReleased: { orderId: 'string', lines },
  StockDispatched: { orderId: 'string', lines },
  OutOfStock: { orderId: 'string' },
  PaymentExpected: { orderId: 'string' },
  PaymentPending: { orderId: 'string' },
  PaymentSucceeded: { orderId: 'string', paymentId: 'string', amountCents: 'long' },
  PaymentFailed: { orderId: 'string' },
  PaymentRefunded: { orderId: 'string', amountCents: 'long' },
  ShippingScheduled: { orderId: 'string' },
  ItemShipped: { orderId: 'string' },
  JournalMarker: { owner: 'string' },
  SagaStarted: { ...instance, revision: { type: 'string', default: '' }, start: { type: 'bytes', default: '' } },
  CommandIssued: {
    ...{ ...step, undo: 'boolean', attempt: 'int' },
    ...{ commandId: 'string', command: 'string', inbox: 'string', dueAt: 'long' }
  },
  RetryScheduled: { ...step, undo: 'boolean', dueAt: 'long' },
  StepUnknown: step,
  StepProgressed: step,
  StepSucceeded: step,
  StepRejected: step,
  StepCompensated: step,
  PivotReached: step,
  SagaParked: step,
  SagaResumed: step,
  CancelRequested: instance,
  CompensationStarted: instance,
  SagaCompleted: instance,
  SagaCompensated: instance,
  ReserveStock: { orderId: 'string' },
  ReleaseStock: { orderId: 'string' },
  ProcessPayment: { orderId: 'string' },
  RefundPayment: { orderId: 'string' },
  ConfirmOrder: { orderId: 'string' },
  RejectOrder: { orderId: 'string' },
  ScheduleShipping: { orderId: 'string' },
  DispatchStock: { orderId: 'string' },
  CompleteOrder: { orderId: 'string' },
  DefinitionPublished: { saga: 'string', revision: 'string', yaml: 'string' },
  ParticipantPublished: { yaml: 'string' }
}

const names = Object.keys(shapes)

function fields(shape: Readonly<Record<string, unknown>>): { name: string; type: avro.Schema }[] {
  return Object.entries(shape).map(([name, type]) =>
    hasDefault(type) ? { name, ...type } : { name, type: type as avro.Schema }
  )
}

/** What older facts need not say. */
function hasDefault(type: unknown): type is { readonly type: avro.Schema; readonly default: unknown } {
  return typeof type === 'object' && type !== null && 'default' in type
}

const schemaOf = (name: string): { type: 'record'; name: string; fields: { name: string; type: avro.Schema }[] } => ({
  type: 'record',
  name: `made.${name}`,
  fields: fields(shapes[name]!)
})

export const schemas: ReadonlyMap<number, object> = new Map(names.map((name, i) => [i + 1, schemaOf(name)]))

const types = new Map(names.map((name) => [name, avro.Type.forSchema(structuredClone(schemaOf(name)))]))

/** Records at the offsets that follow from their order. */
export const written = (facts: readonly Fact[]): AuditRecord[] => {
  const ends = new Map<string, number>()
  return facts.map(({ topic, type, value, headers = {}, at = 0 }) => {
    const offset = ends.get(topic) ?? 0
    ends.set(topic, offset + 1)
    return { topic, partition: 0, offset, key: '', value: encoded(type, value), timestamp: at, headers }
  })
}

/** In the wire format. */
export const encoded = (type: string, value: Readonly<Record<string, unknown>>): Uint8Array => {
  const head = Buffer.alloc(5)
  head.writeInt32BE(names.indexOf(type) + 1, 1)
  return Buffer.concat([head, types.get(type)!.toBuffer(value)])
}
