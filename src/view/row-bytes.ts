import type { OrderRow } from './orders.ts'
import type { SagaRow } from './sagas.ts'
import type { StockRow } from './stock.ts'
import type { TableName, Tables } from './store.ts'

/** What a row takes in memory, rounded up; a text a byte a character. */
export const rowBytes: { readonly [T in TableName]: (row: Tables[T]) => number } = {
  orders: ({ customerId, requestHash, lines, timeline }: OrderRow) =>
    orderBytes + customerId.length + requestHash.length + lines.length * lineBytes + timeline.length * itemBytes,
  sagas: ({ key, failure, active, timeline }: SagaRow) =>
    sagaBytes + key.length + (failure?.message.length ?? 0) + active.length * stepBytes + timeline.length * itemBytes,
  stock: ({ sku, name }: StockRow) => stockBytes + sku.length + name.length
}

const orderBytes = 600
const sagaBytes = 400
const stockBytes = 250
const lineBytes = 120
const stepBytes = 120
const itemBytes = 8
