import type { OrderRow, OrderStatus } from './orders.ts'
import type { Skipped } from './record.ts'
import type { SagaRow, SagaStatus } from './sagas.ts'
import type { StockRow } from './stock.ts'

/**
 * The view's store: a port; SQLite now, PostgreSQL later, both held to one contract suite. It is a cache of the
 * journals: whatever is lost with it is folded again.
 *
 * V1. `write` is one transaction: rows and positions are those of one moment, so the store equals the fold of the
 *     journals at its positions.
 * V2. One `write` at a time. It may take several turns of the event loop; a read meanwhile sees each row as it was or
 *     as it will be.
 */
export type ViewStore = {
  /** True when an older layout or a damaged file was thrown away at opening; for a log line. */
  readonly wasReset: boolean
  positions(): Promise<ReadonlyMap<string, Position>>
  /** The rows of these keys; one that is not there is left out. */
  get<T extends TableName>(table: T, keys: readonly string[]): Promise<ReadonlyMap<string, Tables[T]>>
  write(change: ViewChange): Promise<void>
  /** Newest first; only orders that have been placed. */
  listOrders(filter: OrderFilter, page: PageRequest): Promise<Page<OrderRow>>
  /** Newest first. */
  listSagas(filter: SagaFilter, page: PageRequest): Promise<Page<SagaRow>>
  /** By SKU; only those that have been set. */
  listStock(page: PageRequest): Promise<Page<StockRow>>
  /** Instances that have not ended, by saga and revision. */
  countRunning(): Promise<readonly RunningCount[]>
  countSkipped(): Promise<number>
  /** Back to empty, for a rebuild. */
  clear(): Promise<void>
  close(): Promise<void>
}

export type Tables = { readonly orders: OrderRow; readonly stock: StockRow; readonly sagas: SagaRow }
export type TableName = keyof Tables

/**
 * How far a partition has been folded, with what identifies its last folded record: a log that was deleted and has
 * grown again is told by it.
 */
export type Position = { readonly next: number; readonly key: string; readonly timestamp: number }

export type ViewChange = {
  readonly [T in TableName]: readonly Tables[T][]
} & {
  readonly positions: ReadonlyMap<string, Position>
  readonly skipped: readonly Skipped[]
}

export type OrderFilter = { readonly customerId?: string | undefined; readonly status?: OrderStatus | undefined }
export type SagaFilter = {
  readonly saga?: string | undefined
  readonly key?: string | undefined
  readonly status?: SagaStatus | undefined
}
export type RunningCount = { readonly saga: string; readonly revision: string; readonly count: number }

/** `after`: the last row of the page before, as its time (0 for stock) and its key. */
export type PageRequest = { readonly limit: number; readonly after?: PageMark | undefined }
export type PageMark = { readonly at: number; readonly key: string }
export type Page<T> = { readonly rows: readonly T[]; readonly next: PageMark | undefined }

/** The key of an instance's row. */
export const sagaRowKey = (saga: string, key: string): string => `${saga}/${key}`
