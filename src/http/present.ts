import type { InboxWait } from './deps.ts'
import { type OrderRow, type SagaRow, type StockRow, timelineEntries } from '../view/index.ts'

/** The view's rows as users see them: times in RFC 3339, and nothing that only the view needs. */
export const orderJson = (row: OrderRow) => {
  const { orderId, customerId, status, lines, totalCents, currency, stock, payment, shipping } = row
  const saga = row.saga === null ? null : sagaOfOrder(row.saga)
  const timeline = timelineEntries(row.timeline).map((entry) => ({ ...entry, at: time(entry.at) }))
  return { orderId, customerId, status, lines, totalCents, currency, stock, payment, shipping, saga, timeline }
}

const sagaOfOrder = ({ name, revision, status, step }: NonNullable<OrderRow['saga']>) => ({
  name,
  revision,
  status,
  step
})

export const stockJson = ({ sku, name, priceCents, onHand, reserved }: Omit<StockRow, 'isSet'>) => ({
  sku,
  name,
  priceCents,
  onHand,
  reserved,
  available: onHand - reserved
})

export const sagaSummaryJson = (row: SagaRow) => {
  const { saga, key, revision, status, step, failure } = row
  const parked = row.active.find((active) => active.state === 'parked')
  return {
    saga,
    key,
    revision,
    status,
    step,
    startedAt: time(row.startedAt),
    endedAt: row.endedAt === null ? null : time(row.endedAt),
    failure,
    parked: parked === undefined ? null : { step: parked.step, undo: parked.undo, reason: parked.reason ?? '' }
  }
}

export const sagaJson = (row: SagaRow, waits: readonly InboxWait[] = []) => ({
  ...sagaSummaryJson(row),
  waiting: waits.map(waitJson),
  timelineOmitted: row.omitted,
  timeline: timelineEntries(row.timeline).map((entry) => ({ ...entry, at: time(entry.at) }))
})

const waitJson = ({ step, undo, inbox, partition, before, isCounted }: InboxWait) => ({
  ...{ step, undo, inbox, partition, before },
  detail: `waits in the inbox, ${isCounted ? '' : 'at least '}${before} before it`
})

export const time = (ms: number): string => new Date(ms).toISOString()
