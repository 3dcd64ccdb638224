import { placeName, type TopicPartition } from '../log/index.ts'
import type { Moment } from './store.ts'

/** A row in memory. `row` is undefined where there is none in the store either. */
export type Holder<T> = {
  readonly key: string
  row: T | undefined
  /** Where a shared store was further on than this view when the row was read: its moment, whose events the row has. */
  base: Moment | undefined
  /** The moment that this view has to come to before it shows the row; `base`, or that of a row it was folded with. */
  ahead: Moment | undefined
  isLoaded: boolean
  /** Since it was last handed to the store. */
  isChanged: boolean
  /** The turn (`startTurn`) of its last change. */
  changedIn: number
  isBeingWritten: boolean
}

/** True for an event that the row had when it was read. */
export const hasBefore = (holder: Holder<unknown>, event: TopicPartition & { readonly offset: number }): boolean =>
  holder.base !== undefined && (holder.base.positions.get(placeName(event))?.next ?? 0) > event.offset

/**
 * The rows of one table that are in memory: those that differ from the store, and a bounded number of others.
 *
 * C1. A row leaves memory only when the store has it.
 * C2. Nothing leaves memory but by `trim`, between rounds: a holder that a round has taken stays the one of its key.
 */
export class RowCache<T> {
  readonly #holders = new Map<string, Holder<T>>()
  readonly #rowsMax: number
  #missing: Holder<T>[] = []
  #turn = 0
  #changed: Holder<T>[] = []
  #writing: Holder<T>[] = []

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax
  }

  /** Rows that the store does not have yet. */
  get changedCount(): number {
    return this.#changed.length + this.#writing.length
  }

  /** The row where it is known; undefined where only the store can tell. */
  get(key: string): T | undefined {
    return this.#holders.get(key)?.row
  }

  /** The holder of this key, if there is one. */
  find(key: string): Holder<T> | undefined {
    return this.#holders.get(key)
  }

  /** For a round: the holder of this key, which is loaded after `takeMissing` has been served. */
  hold(key: string): Holder<T> {
    const known = this.#holders.get(key)
    if (known !== undefined) return known
    const holder: Holder<T> = {
      key,
      row: undefined,
      base: undefined,
      ahead: undefined,
      isLoaded: false,
      isChanged: false,
      changedIn: 0,
      isBeingWritten: false
    }
    this.#holders.set(key, holder)
    this.#missing.push(holder)
    return holder
  }

  /** The holders that wait for what the store has; `load` must follow. */
  get missing(): readonly Holder<T>[] {
    return this.#missing
  }

  load(rows: ReadonlyMap<string, T>, base?: Moment): void {
    for (const holder of this.#missing) {
      holder.row = rows.get(holder.key)
      holder.base = base
      holder.ahead = base
      holder.isLoaded = true
    }
  }

  change(holder: Holder<T>, row: T): void {
    holder.row = row
    holder.changedIn = this.#turn
    if (holder.isChanged) return
    holder.isChanged = true
    this.#changed.push(holder)
  }

  /** What changes from now on is told from what has changed before. */
  startTurn(): void {
    this.#turn++
  }

  /** The store has, by another's hand, what had changed before this turn. */
  forgetEarlier(): void {
    const later: Holder<T>[] = []
    for (const holder of this.#changed) {
      if (holder.changedIn === this.#turn) later.push(holder)
      else holder.isChanged = false
    }
    this.#changed = later
  }

  /** After a round: forgets what turned out not to be there, and the oldest rows beyond the limit. */
  trim(): void {
    for (const { key, row } of this.#missing) if (row === undefined) this.#holders.delete(key)
    this.#missing = []
    let surplus = this.#holders.size - this.#rowsMax
    if (surplus <= 0) return
    for (const [key, holder] of this.#holders) {
      if (!holder.isChanged && !holder.isBeingWritten) this.#holders.delete(key)
      if (--surplus <= 0) return
    }
  }

  /** The rows that the store does not have, for one write, which `written` or `failed` must follow. */
  startWrite(): readonly T[] {
    this.#writing = this.#changed
    this.#changed = []
    for (const holder of this.#writing) {
      holder.isChanged = false
      holder.isBeingWritten = true
    }
    return this.#writing.map(({ row }) => row!)
  }

  written(): void {
    for (const holder of this.#writing) holder.isBeingWritten = false
    this.#writing = []
  }

  failed(): void {
    const again = this.#writing.filter((holder) => !holder.isChanged)
    this.written()
    for (const holder of again) holder.isChanged = true
    this.#changed.push(...again)
  }
}
