import type { OrderRow } from './orders.ts'
import type { Mark } from './position.ts'
import type { ViewRecord } from './record.ts'
import type { SagaRow } from './sagas.ts'
import type { StockRow } from './stock.ts'
import type { OrderFilter, Page, PageRequest, RunningCount, SagaFilter, StoreSpace } from './store.ts'
import type { Waiter } from './waiters.ts'

/** What others may ask the read model: the query port. */
export type ViewQuery = {
  /** An order that has been placed. */
  order(orderId: string): Promise<OrderRow | undefined>
  orders(filter: OrderFilter, page: PageRequest): Promise<Page<OrderRow>>
  stock(sku: string): Promise<StockRow | undefined>
  allStock(page: PageRequest): Promise<Page<StockRow>>
  saga(saga: string, key: string): Promise<SagaRow | undefined>
  sagas(filter: SagaFilter, page: PageRequest): Promise<Page<SagaRow>>
  /** Instances that have not ended, by saga and revision. */
  countRunning(): Promise<readonly RunningCount[]>
  /** Waits for an order that is about to be placed. One that was placed long ago is found by `order`. */
  whenPlaced(orderId: string, timeoutMs: number): Waiter<OrderRow>
  /**
   * Waits for the order to have reached its end: a final status and, where a saga drives it, that saga's end, so that
   * all undoing is done.
   */
  whenEnded(orderId: string, timeoutMs: number): Waiter<OrderRow>
  /** Waits for the event that answers this command. Ask before the command is sent. */
  whenAnswered(commandId: string, timeoutMs: number): Waiter<ViewRecord>
  /** Waits until all these records have been folded. */
  whenSeen(marks: readonly Mark[], timeoutMs: number): Waiter<true>
  /** False for a place of which no record will ever be seen. */
  follows(mark: Mark): boolean
  /** The first of these that no record of the log has yet; asks the log only about those that are not folded. */
  beyondEnd(marks: readonly Mark[]): Promise<Mark | undefined>
  /** Cheap enough for every request. */
  state(): ViewState
  /** Whether nothing more is folded at the moment, though what is shown is right. As cheap. */
  isStalled(): boolean
  /** How far it has come with what was durable when it was opened. */
  progress(): ViewProgress
  health(): ViewHealth
}

/** `failed`: it will see nothing more. */
export type ViewState = 'catching-up' | 'following' | 'failed'

/** In records. */
export type ViewProgress = {
  readonly done: number
  readonly of: number
  /** At the pace since the opening; undefined while there is none. */
  readonly secondsLeft: number | undefined
}

export type ViewHealth = {
  /** All that was durable when the view was opened has been folded. */
  readonly isCaughtUp: boolean
  /** Why it will see nothing more. */
  readonly failure: string | undefined
  /** Why its store does not take writes at the moment; answers are still right. */
  readonly storeFailure: string | undefined
  /** Why nothing more is folded at the moment; it goes on by itself when that has passed. */
  readonly stalledBy: string | undefined
  /** Records that could not be decoded, and so are missing. */
  readonly skippedCount: number
  readonly waiterCount: number
  readonly changedRowCount: number
  /** Of a store that is a file of this machine. */
  readonly space?: StoreSpace | undefined
  /** Next offset by place. */
  readonly positions: Readonly<Record<string, number>>
}
