import { timeText } from '../../http/index.ts'
import { timelineEntries } from '../../view/index.ts'
import type { OrderRow } from './projection.ts'

/** An order as users see it. */
export const orderJson = (row: OrderRow) => {
  const { orderId, customerId, status, lines, totalCents, currency, stock, payment, shipping } = row
  const saga = row.saga === null ? null : sagaOfOrder(row.saga)
  const timeline = timelineEntries(row.timeline).map((entry) => ({ ...entry, at: timeText(entry.at) }))
  return { orderId, customerId, status, lines, totalCents, currency, stock, payment, shipping, saga, timeline }
}

const sagaOfOrder = ({ name, revision, status, step }: NonNullable<OrderRow['saga']>) => ({
  name,
  revision,
  status,
  step
})
