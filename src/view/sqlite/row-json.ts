import type { OrderRow } from '../orders.ts'
import type { SagaRow } from '../sagas.ts'
import type { StockRow } from '../stock.ts'

/** A row as it is stored: JSON, and beside it the timeline, which is text already. */
export type StoredBody = { readonly body: string; readonly timeline?: string }

export const encodeOrder = ({ timeline: _, ...rest }: OrderRow): string => JSON.stringify(rest)

export const decodeOrder = ({ body, timeline = '' }: StoredBody): OrderRow => ({
  ...(JSON.parse(body) as Omit<OrderRow, 'timeline'>),
  timeline
})

export const encodeSaga = ({ timeline: _, ...rest }: SagaRow): string => JSON.stringify(rest)

export const decodeSaga = ({ body, timeline = '' }: StoredBody): SagaRow => ({
  ...(JSON.parse(body) as Omit<SagaRow, 'timeline'>),
  timeline
})

export const encodeStock = (row: StockRow): string => JSON.stringify(row)
export const decodeStock = ({ body }: StoredBody): StockRow => JSON.parse(body) as StockRow
