import type { SQLOutputValue } from 'node:sqlite'
import {
  type OrderLine,
  type OrderRow,
  type OrderStatus,
  orderStatuses,
  orderStockStatuses,
  type PaymentStatus,
  type ShippingStatus
} from '../orders.ts'
import { type ActiveStep, type SagaRow, sagaStatuses, type SagaStatus, type SagaSummary } from '../sagas.ts'
import { itemsPerEntry, type Shape, type Timeline } from '../timeline.ts'

/**
 * A row's body: what is not in its columns, as a JSON array without names, words of a known set as their number, and a
 * timeline as differences with its shapes by number. A quarter of the row's own JSON, and as much quicker to write.
 * What a column of text cannot keep, half of a surrogate pair, makes the texts stand in the body as well (`exact`).
 */

/** The numbers under which a store keeps shapes (stored-shapes.ts). */
export type ShapeNumbers = {
  /** The shape itself where there is no number to be had. */
  numberOf(shape: Shape): number | Shape
  shapeOf(number: number): Shape
}

type Columns = Readonly<Record<string, SQLOutputValue>>

type PackedOrder = [
  lines: (string | number)[],
  totalCents: number,
  currency: string,
  requestHash: string,
  statuses: [own: number, stock: number, payment: number, shipping: number],
  trackingNumber: string | null,
  saga: PackedSummary | 0,
  timeline: PackedTimeline,
  exact?: [orderId: string, customerId: string]
]
type PackedSummary = [name: string, revision: string, status: number, step: string | null, ended: 0 | 1]
type PackedTimeline = (number | Shape)[]

export const packOrder = (row: OrderRow, shapes: ShapeNumbers): string => {
  const { orderId, customerId, totalCents, currency, requestHash, shipping } = row
  const packed: PackedOrder = [
    packLines(row.lines),
    ...([totalCents, currency, requestHash] as const),
    [
      orderStatuses.indexOf(row.ownStatus),
      orderStockStatuses.indexOf(row.stock.status),
      paymentStatuses.indexOf(row.payment.status),
      shippingStatuses.indexOf(shipping.status)
    ],
    shipping.trackingNumber,
    row.saga === null ? 0 : packSummary(row.saga),
    packTimeline(row.timeline, shapes)
  ]
  if (!orderId.isWellFormed() || !customerId.isWellFormed()) packed.push([orderId, customerId])
  return JSON.stringify(packed)
}

export const unpackOrder = (columns: Columns, shapes: ShapeNumbers): OrderRow => {
  const { id, customer_id: customer, placed_at: placedAt, status, body } = columns
  const packed = JSON.parse(String(body)) as PackedOrder
  const [lines, totalCents, currency, requestHash, [own, stock, payment, shipping], trackingNumber, saga] = packed
  const [orderId, customerId] = packed[8] ?? [String(id), String(customer)]
  return {
    ...{ orderId, customerId },
    placedAt: placedAt === null ? null : Number(placedAt),
    lines: linesOf(lines),
    ...{ totalCents, currency, requestHash },
    status: String(status) as OrderStatus,
    ownStatus: orderStatuses[own]!,
    stock: { status: orderStockStatuses[stock]! },
    payment: { status: paymentStatuses[payment]! },
    shipping: { status: shippingStatuses[shipping]!, trackingNumber },
    saga: saga === 0 ? null : unpackSummary(saga),
    timeline: unpackTimeline(packed[7], shapes)
  }
}

type PackedSaga = [
  step: string | null,
  startedBy: string,
  failure: SagaRow['failure'],
  isAborted: 0 | 1,
  isCompensating: 0 | 1,
  active: readonly ActiveStep[],
  omitted: number,
  timeline: PackedTimeline,
  exact?: [saga: string, key: string, revision: string]
]

export const packSaga = (row: SagaRow, shapes: ShapeNumbers): string => {
  const { saga, key, revision, step, startedBy, failure, active, omitted } = row
  const packed: PackedSaga = [
    ...([step, startedBy, failure, row.isAborted ? 1 : 0, row.isCompensating ? 1 : 0, active, omitted] as const),
    packTimeline(row.timeline, shapes)
  ]
  if (!saga.isWellFormed() || !key.isWellFormed() || !revision.isWellFormed()) packed.push([saga, key, revision])
  return JSON.stringify(packed)
}

export const unpackSaga = (columns: Columns, shapes: ShapeNumbers): SagaRow => {
  const { status, started_at: startedAt, ended_at: endedAt, body } = columns
  const packed = JSON.parse(String(body)) as PackedSaga
  const [step, startedBy, failure, isAborted, isCompensating, active, omitted, timeline, exact] = packed
  const [saga, key, revision] = exact ?? [String(columns['saga']), String(columns['key']), String(columns['revision'])]
  return {
    ...{ saga, key, revision },
    status: String(status) as SagaStatus,
    step,
    startedAt: Number(startedAt),
    startedBy,
    endedAt: endedAt === null ? null : Number(endedAt),
    failure,
    isAborted: isAborted === 1,
    isCompensating: isCompensating === 1,
    ...{ active, omitted },
    timeline: unpackTimeline(timeline, shapes)
  }
}

const paymentStatuses: readonly PaymentStatus[] = ['PENDING', 'SUCCEEDED', 'FAILED', 'REFUNDED']
const shippingStatuses: readonly ShippingStatus[] = ['PENDING', 'SCHEDULED', 'SHIPPED']

const packLines = (lines: readonly OrderLine[]): PackedOrder[0] => {
  const items: PackedOrder[0] = []
  for (const { sku, quantity, priceCents } of lines) items.push(sku, quantity, priceCents)
  return items
}

const linesOf = (items: PackedOrder[0]): OrderLine[] =>
  Array.from({ length: items.length / 3 }, (_, i) => {
    const [sku, quantity, priceCents] = items.slice(3 * i, 3 * i + 3) as [string, number, number]
    return { sku, quantity, priceCents }
  })

const packSummary = ({ name, revision, status, step, ended }: SagaSummary): PackedSummary => [
  ...([name, revision, sagaStatuses.indexOf(status), step] as const),
  ended ? 1 : 0
]

const unpackSummary = ([name, revision, status, step, ended]: PackedSummary): SagaSummary => ({
  ...{ name, revision, step },
  status: sagaStatuses[status]!,
  ended: ended === 1
})

/** Times and offsets as differences to those of the entry before. */
const packTimeline = (timeline: Timeline, shapes: ShapeNumbers): PackedTimeline => {
  const packed = timeline.slice()
  let [at, offset] = [0, 0]
  for (let i = 1; i < packed.length; i += itemsPerEntry) {
    const [nextAt, nextOffset] = [packed[i + 1] as number, packed[i + 3] as number]
    packed[i] = shapes.numberOf(packed[i] as Shape)
    packed[i + 1] = nextAt - at
    packed[i + 3] = nextOffset - offset
    at = nextAt
    offset = nextOffset
  }
  return packed
}

const unpackTimeline = (timeline: PackedTimeline, shapes: ShapeNumbers): Timeline => {
  let [at, offset] = [0, 0]
  for (let i = 1; i < timeline.length; i += itemsPerEntry) {
    const shape = timeline[i]!
    if (typeof shape === 'number') timeline[i] = shapes.shapeOf(shape)
    at += timeline[i + 1] as number
    offset += timeline[i + 3] as number
    timeline[i + 1] = at
    timeline[i + 3] = offset
  }
  return timeline
}
