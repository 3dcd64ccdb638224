import type { Mark } from './position.ts'
import type { FilterBy, Projection } from './projection.ts'
import type { ViewRecord } from './record.ts'
import type { Count, Page, PageRequest, StoreSpace } from './store.ts'
import type { Waiter } from './waiters.ts'

/** What others may ask the read model: the query port. */
export type ViewQuery = {
  /** The row of this key, if it is shown. */
  row<Row extends object>(of: Projection<Row>, key: string): Promise<Row | undefined>
  list<Row extends object, Filter extends string>(
    of: Projection<Row, string, Filter>,
    filter: FilterBy<Filter>,
    page: PageRequest
  ): Promise<Page<Row>>
  /** Of a projection that has `counts`. */
  count(of: Projection): Promise<readonly Count[]>
  /** Waits for the row of this key to be shown, and to be as `isMet` wants it. */
  whenRow<Row extends object>(
    of: Projection<Row>,
    key: string,
    isMet: (row: Row) => boolean,
    wait: RowWait
  ): Waiter<Row>
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

/**
 * `by`: what the wait belongs to, as neither takes the other's places. A write waits for what is about to happen; a
 * read also for what has happened long ago, for which the store is asked.
 */
export type RowWait = { readonly timeoutMs: number; readonly by: 'write' | 'read' }

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
