import type { RowCache } from './cache.ts'
import { type Flow, foldOrder, withSaga } from './orders.ts'
import type { ViewRecord } from './record.ts'
import { foldSaga, instanceOf, sagaSummary } from './sagas.ts'
import { foldStock, skusOf } from './stock.ts'
import { sagaRowKey, type TableName, type Tables } from './store.ts'

/** Which rows an event may read or change, and what it does to them. */
export type Rows = { readonly [T in TableName]: RowCache<Tables[T]> }
export type RowKeys = { readonly [T in TableName]: Set<string> }

/** Adds the keys of the rows that must be in memory before `applyRecord`. */
export const addTouched = (keys: RowKeys, record: ViewRecord): void => {
  if (record.source === 'saga') {
    const instance = instanceOf(record)
    if (instance === undefined) return
    keys.sagas.add(sagaRowKey(instance.saga, instance.key))
    keys.orders.add(instance.key)
    return
  }
  const orderId = orderIdOf(record)
  if (orderId !== undefined) keys.orders.add(orderId)
  if (record.source === 'stock') for (const sku of skusOf(record)) keys.stock.add(sku)
}

/** Folds one event into the rows in memory; `onOrder` is told the order that it has changed. */
export const applyRecord = (rows: Rows, record: ViewRecord, flow: Flow, onOrder: (orderId: string) => void): void => {
  if (record.source === 'saga') return applySagaRecord(rows, record, onOrder)
  if (record.source === 'stock') applyStockRecord(rows, record)
  const orderId = orderIdOf(record)
  if (orderId === undefined) return
  const before = rows.orders.get(orderId)
  const after = foldOrder(before, record, flow)
  if (after === before) return
  rows.orders.change(orderId, after)
  onOrder(orderId)
}

const applyStockRecord = (rows: Rows, record: ViewRecord): void => {
  // Each SKU once, however many lines name it.
  for (const sku of new Set(skusOf(record))) rows.stock.change(sku, foldStock(rows.stock.get(sku), record, sku))
}

const applySagaRecord = (rows: Rows, record: ViewRecord, onOrder: (orderId: string) => void): void => {
  const instance = instanceOf(record)
  if (instance === undefined) return
  const id = sagaRowKey(instance.saga, instance.key)
  const before = rows.sagas.get(id)
  const after = foldSaga(before, record)
  if (after === undefined || after === before) return
  rows.sagas.change(id, after)
  if (after.startedBy !== orderStartEvent) return
  const order = rows.orders.get(after.key)
  const orderAfter = withSaga(order, after.key, sagaSummary(after))
  if (orderAfter === order) return
  rows.orders.change(after.key, orderAfter)
  onOrder(after.key)
}

/** A saga that starts from this event, with the order id as its key, is the order's saga. */
const orderStartEvent = 'OrderPlaced'

const orderIdOf = (record: ViewRecord): string | undefined => {
  const orderId = record.value['orderId']
  return typeof orderId === 'string' ? orderId : undefined
}
