import { hasBefore, type Holder, type RowCache } from './cache.ts'
import { type Flow, foldOrder, type OrderRow, withSaga } from './orders.ts'
import type { ViewRecord } from './record.ts'
import { foldSaga, instanceOf, type SagaRow, sagaSummary } from './sagas.ts'
import { foldStock, skusOf, type StockRow } from './stock.ts'
import { sagaRowKey, type TableName, type Tables } from './store.ts'

export type Rows = { readonly [T in TableName]: RowCache<Tables[T]> }

/** An event with the rows that it may read or change. */
export type Touch = {
  readonly record: ViewRecord
  readonly order: Holder<OrderRow> | undefined
  readonly saga: Holder<SagaRow> | undefined
  readonly stock: readonly Holder<StockRow>[]
}

/**
 * Takes hold of the rows of an event, before it is folded. `previous`: the event before it, often of the same instance.
 */
export const touch = (rows: Rows, record: ViewRecord, previous: Touch | undefined): Touch => {
  if (record.source === 'saga') return touchSaga(rows, record, previous)
  const orderId = record.value['orderId']
  const order = typeof orderId === 'string' ? rows.orders.hold(orderId) : undefined
  const stock = record.source === 'stock' ? stockOf(rows, record) : none
  return { record, order, saga: undefined, stock }
}

const touchSaga = (rows: Rows, record: ViewRecord, previous: Touch | undefined): Touch => {
  const instance = instanceOf(record)
  if (instance === undefined) return { record, order: undefined, saga: undefined, stock: none }
  const { saga: name, key } = instance
  if (previous?.saga !== undefined && previous.order?.key === key && previous.saga.key === sagaRowKey(name, key))
    return { record, order: previous.order, saga: previous.saga, stock: none }
  return { record, order: rows.orders.hold(key), saga: rows.sagas.hold(sagaRowKey(name, key)), stock: none }
}

/**
 * Folds one event into its rows, but for those that had it when they were read; `onOrder` is told the order that it has
 * changed, or would have.
 */
export const applyTouch = (rows: Rows, touched: Touch, flow: Flow, onOrder: (orderId: string) => void): void => {
  const { record, order, saga, stock } = touched
  for (const holder of stock)
    if (!hasBefore(holder, record)) rows.stock.change(holder, foldStock(holder.row, record, holder.key))
  if (saga !== undefined) return applySagaEvent(rows, touched, onOrder)
  if (order === undefined) return
  if (hasBefore(order, record)) return onOrder(order.key)
  const after = foldOrder(order.row, record, flow)
  if (after === order.row) return
  rows.orders.change(order, after)
  onOrder(order.key)
}

const applySagaEvent = (rows: Rows, { record, order, saga }: Touch, onOrder: (orderId: string) => void): void => {
  if (saga === undefined || order === undefined) return
  const after = sagaAfter(rows, saga, record)
  if (after === undefined || after.startedBy !== orderStartEvent) return
  if (hasBefore(order, record)) return onOrder(order.key)
  const orderAfter = withSaga(order.row, order.key, sagaSummary(after))
  if (orderAfter === order.row) return
  rows.orders.change(order, orderAfter)
  if (saga.ahead !== undefined) order.ahead = saga.ahead
  onOrder(order.key)
}

/** Undefined where the event changes nothing. */
const sagaAfter = (rows: Rows, saga: Holder<SagaRow>, record: ViewRecord): SagaRow | undefined => {
  // The order may have been read before its saga, and then has not got this event yet.
  if (hasBefore(saga, record)) return saga.row
  const after = foldSaga(saga.row, record)
  if (after === undefined || after === saga.row) return undefined
  rows.sagas.change(saga, after)
  return after
}

/** A saga that starts from this event, with the order id as its key, is the order's saga. */
const orderStartEvent = 'OrderPlaced'

/** Each SKU once, however many lines name it. */
const stockOf = (rows: Rows, record: ViewRecord): readonly Holder<StockRow>[] => {
  const skus = skusOf(record)
  return (skus.length > 1 ? [...new Set(skus)] : skus).map((sku) => rows.stock.hold(sku))
}

const none: readonly never[] = []
