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
  /** What it takes in memory. */
  bytes: number
}

/** True for an event that the row had when it was read. */
export const hasBefore = (holder: Holder<unknown>, event: TopicPartition & { readonly offset: number }): boolean =>
  holder.base !== undefined && (holder.base.positions.get(placeName(event))?.next ?? 0) > event.offset

/**
 * The rows of one projection that are in memory: those that differ from the store, and others up to so many bytes.
 *
 * C1. A row leaves memory only when the store has it.
 * C2. Nothing leaves memory but by `trim`, between rounds: a holder that a round has taken stays the one of its key.
 * C3. After `trim` a holder is changed, being written, or idle; the idle ones are in the order in which they became so.
 */
export class RowCache<T> {
  readonly #holders = new Map<string, Holder<T>>()
  readonly #idle = new Set<Holder<T>>()
  readonly #idleBytesMax: number
  readonly #bytesOf: (row: T) => number
  #idleBytes = 0
  #busyBytes = 0
  #missing: Holder<T>[] = []
  #turn = 0
  #changed: Holder<T>[] = []
  #writing: Holder<T>[] = []

  constructor(idleBytesMax: number, bytesOf: (row: T) => number) {
    this.#idleBytesMax = idleBytesMax
    this.#bytesOf = bytesOf
  }

  /** Rows that the store does not have yet. */
  get changedCount(): number {
    return this.#changed.length + this.#writing.length
  }

  get changedBytes(): number {
    return this.#busyBytes
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
      isBeingWritten: false,
      bytes: holderBytes + key.length
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
    const bytes = holderBytes + holder.key.length + this.#bytesOf(row)
    if (isBusy(holder)) this.#busyBytes += bytes - holder.bytes
    else {
      if (this.#idle.delete(holder)) this.#idleBytes -= holder.bytes
      this.#busyBytes += bytes
    }
    holder.bytes = bytes
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
      else {
        holder.isChanged = false
        this.#settle(holder)
      }
    }
    this.#changed = later
  }

  /** After a round: forgets what turned out not to be there, and of the idle rows the oldest beyond the limit. */
  trim(): void {
    for (const holder of this.#missing) {
      if (holder.row === undefined) this.#holders.delete(holder.key)
      else if (!isBusy(holder)) this.#rest(holder)
    }
    this.#missing = []
    for (const holder of this.#idle) {
      if (this.#idleBytes <= this.#idleBytesMax) return
      this.#idle.delete(holder)
      this.#idleBytes -= holder.bytes
      this.#holders.delete(holder.key)
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
    for (const holder of this.#writing) {
      holder.isBeingWritten = false
      this.#settle(holder)
    }
    this.#writing = []
  }

  failed(): void {
    for (const holder of this.#writing) {
      holder.isBeingWritten = false
      if (!holder.isChanged) this.#changed.push(holder)
      holder.isChanged = true
    }
    this.#writing = []
  }

  #settle(holder: Holder<T>): void {
    if (isBusy(holder)) return
    this.#busyBytes -= holder.bytes
    this.#rest(holder)
  }

  #rest(holder: Holder<T>): void {
    if (this.#idle.has(holder)) return
    if (holder.row !== undefined) holder.bytes = holderBytes + holder.key.length + this.#bytesOf(holder.row)
    this.#idle.add(holder)
    this.#idleBytes += holder.bytes
  }
}

/** A holder, its key's entry in the map, and its entries in lists. */
const holderBytes = 250

const isBusy = ({ isChanged, isBeingWritten }: Holder<unknown>): boolean => isChanged || isBeingWritten
