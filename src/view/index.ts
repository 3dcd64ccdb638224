export { type LayoutMark, viewLayout, type ViewLayout } from './layout.ts'
export { LogSnapshots, snapshotsTopic } from './log-snapshots.ts'
export { foreignTo, placesOf } from './opening.ts'
export { formatPosition, type Mark, parsePosition } from './position.ts'
export {
  type ColumnValues,
  type FilterBy,
  follows,
  type Projection,
  projection,
  type ShapeNumbers
} from './projection.ts'
export type { RowWait, ViewHealth, ViewProgress, ViewQuery, ViewState } from './query.ts'
export { decodeRecord, type Place, type ViewRecord } from './record.ts'
export {
  instanceKey,
  type RunningCount,
  runningCounts,
  type SagaRow,
  sagaRowKey,
  sagas,
  type SagaStatus,
  sagaStatuses,
  sagaSummary,
  type SagaSummary
} from './sagas.ts'
export { losesStore, type Page, type PageMark, type PageRequest, type ViewStore } from './store.ts'
export type { Snapshot, StoreCopy, ViewSnapshots } from './snapshots.ts'
export { appended, hasEntry, type Timeline, timelineBytes, timelineEntries } from './timeline.ts'
export { type PackedTimeline, packTimeline, unpackTimeline } from './timeline-pack.ts'
export { openView, type View, type ViewDeps, type ViewLimits, type ViewLogger } from './view.ts'
export { type Waiter, Waiters } from './waiters.ts'
