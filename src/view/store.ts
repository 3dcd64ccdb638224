import { isParcomoloError } from '../base/index.ts'
import type { ViewLayout } from './layout.ts'
import type { FilterBy, Projection } from './projection.ts'
import type { Skipped } from './record.ts'
import type { StoreCopy } from './snapshots.ts'

/**
 * The view's store: a port; SQLite for one process, PostgreSQL for any number of them, both held to one contract suite.
 * It is a cache of the journals: whatever is lost with it is folded again.
 *
 * V1. `write` is one transaction: rows and positions are those of one moment, so the store equals the fold of the
 *     journals at its positions.
 * V2. One `write` of a view at a time. It may take several turns of the event loop; a read meanwhile sees each row as
 *     it was or as it will be.
 * V3. Views of the same journals may share a store. A write is made only on top of the moment that it names; where
 *     another view has written since, nothing is written. What is read comes with the moment that it is of.
 */
export type ViewStore = {
  /** What it keeps. */
  readonly layout: ViewLayout
  /** True when rows of another layout or a damaged file were passed over at opening; for a log line. */
  readonly wasReset: boolean
  moment(): Promise<Moment>
  /** The rows of these keys; one that is not there is left out. */
  get<Row extends object>(of: Projection<Row>, keys: readonly string[]): Promise<Read<ReadonlyMap<string, Row>>>
  /** Gives the moment that this makes; undefined where the store has moved on from `last`, and nothing is written. */
  write(change: ViewChange, last: Moment): Promise<Moment | undefined>
  /** In the projection's order, those that are shown. */
  list<Row extends object, Filter extends string>(
    of: Projection<Row, string, Filter>,
    filter: FilterBy<Filter>,
    page: PageRequest
  ): Promise<Read<Page<Row>>>
  /** Of a projection that has `counts`. */
  count(of: Projection): Promise<Read<readonly Count[]>>
  countSkipped(): Promise<number>
  /** Back to empty, for a rebuild; false where the store has moved on from `last`, and nothing is done. */
  clear(last: Moment): Promise<boolean>
  /** The rows are complete: what older layouts have left is of no use any more. */
  dropOlder(): Promise<void>
  /** Why it cannot be reached at the moment; it is looked for until it can. */
  failure(): Error | undefined
  /** Undefined where that is somebody else's to watch. */
  space(): StoreSpace | undefined
  /** A copy of it, until whose release it grows faster; undefined where it outlives its processes by itself. */
  copy(): Promise<StoreCopy | undefined>
  close(): Promise<void>
}

/** What says that the store has lost what this process had seen in it: it is to be opened anew. */
export const losesStore = (error: unknown): boolean =>
  isParcomoloError(error, 'PARCOMOLO_VIEW_STORE_WENT_BACK') || isParcomoloError(error, 'PARCOMOLO_VIEW_STORE_DAMAGED')

/** What it takes on its volume, and what is left there, in bytes. */
export type StoreSpace = { readonly bytes: number; readonly freeBytes: number }

/**
 * The store between two writes: how far its rows have been folded. The version rises with each write, whoever writes;
 * the id is of this moment alone, so that a store that has lost its last writes and got others is told.
 */
export type Moment = { readonly version: number; readonly id: string; readonly positions: Positions }
export type Positions = ReadonlyMap<string, Position>

/** What was found, at a moment. */
export type Read<T> = { readonly found: T; readonly moment: Moment }

/**
 * How far a partition has been folded, with what identifies its last folded record: a log that was deleted and has
 * grown again is told by it.
 */
export type Position = { readonly next: number; readonly key: string; readonly timestamp: number }

export type ViewChange = {
  /** By the name of their projection. */
  readonly rows: ReadonlyMap<string, readonly object[]>
  readonly positions: Positions
  readonly skipped: readonly Skipped[]
}

/** How many rows there are with these values in the columns that are counted by. */
export type Count = { readonly of: readonly string[]; readonly count: number }

/** `after`: the last row of the page before, as its time (0 where lists go by key) and its key. */
export type PageRequest = { readonly limit: number; readonly after?: PageMark | undefined }
export type PageMark = { readonly at: number; readonly key: string }
export type Page<T> = { readonly rows: readonly T[]; readonly next: PageMark | undefined }
