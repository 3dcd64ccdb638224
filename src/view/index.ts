export { type Flow, type OrderRow, type OrderStatus, orderStatuses, orderStockStatuses } from './orders.ts'
export { LogSnapshots, snapshotsTopic } from './log-snapshots.ts'
export { foreignTo, placesOf } from './opening.ts'
export { formatPosition, type Mark, parsePosition } from './position.ts'
export type { ViewHealth, ViewProgress, ViewQuery, ViewState } from './query.ts'
export { decodeRecord, type Place, type Topics, type ViewRecord } from './record.ts'
export { type SagaRow, type SagaStatus, sagaStatuses } from './sagas.ts'
export type { StockRow } from './stock.ts'
export {
  losesStore,
  type OrderFilter,
  type Page,
  type PageMark,
  type PageRequest,
  type RunningCount,
  type SagaFilter,
  type ViewStore
} from './store.ts'
export type { Snapshot, StoreCopy, ViewSnapshots } from './snapshots.ts'
export { timelineEntries } from './timeline.ts'
export { openView, type View, type ViewDeps, type ViewLimits, type ViewLogger } from './view.ts'
export { type Waiter, Waiters } from './waiters.ts'
