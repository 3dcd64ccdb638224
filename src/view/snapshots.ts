import type { Positions } from './store.ts'

/**
 * Copies of a view's store in a place that outlives its process: a port, so that they may lie in the log or elsewhere.
 * A copy is a cache of a cache: a new view begins with the newest and folds the rest; without one it folds everything.
 *
 * N1. A copy that `newest` has named is whole, or `load` says that it is not: half a copy is never taken for one.
 * N2. Whoever dies while he saves leaves the copy before as it was.
 * N3. Of several savers one succeeds; another one's `save` resolves with false, and nothing of his is seen.
 */
export type ViewSnapshots = {
  /** The newest copy of a store of this layout. */
  newest(): Promise<Snapshot | undefined>
  /** Hands over all parts of it in any order; or resolves with the reason why it cannot be had. */
  load(snapshot: Snapshot, write: (at: number, bytes: Uint8Array) => Promise<void>): Promise<string | undefined>
  save(copy: StoreCopy, signal: AbortSignal): Promise<boolean>
}

export type Snapshot = {
  /** How far the journals have been folded in it. */
  readonly positions: Positions
  readonly bytes: number
}

/** A store as it was at a moment, held still until `release`. */
export type StoreCopy = Snapshot & {
  read(at: number, length: number): Promise<Uint8Array>
  release(): Promise<void>
}
