import type { Component, Event } from './component.ts'
import type { TimerEntry, Timers } from './timers.ts'

/** One entity in memory. */
export type Cell<S> = {
  state: S
  /** The journal offset after the last event that changed it: what a snapshot of it stands for. */
  version: number
  /** When its earliest entry among the timers is due; undefined: it has none. */
  timerAt: number | undefined
}

/**
 * The entities of one task that are in memory, as the fold of its journal.
 *
 * E1. `version` never goes back; an event below an entity's version has been folded into it already and is passed over.
 * E2. An entity is out of memory only if it has ended and the archive holds it (see snapshots.ts), or if it has never
 *     been.
 */
export class Entities<S> {
  /** Entities changed since the last snapshot has begun. */
  dirty = new Set<string>()
  readonly #cells = new Map<string, Cell<S>>()
  readonly #component: Component<S>
  readonly #timers: Timers

  constructor(component: Component<S>, timers: Timers) {
    this.#component = component
    this.#timers = timers
  }

  get size(): number {
    return this.#cells.size
  }

  readonly get = (key: string): S | undefined => this.#cells.get(key)?.state

  cell(key: string): Cell<S> | undefined {
    return this.#cells.get(key)
  }

  has(key: string): boolean {
    return this.#cells.has(key)
  }

  keys(): Iterable<string> {
    return this.#cells.keys()
  }

  /** The encoded values that those in memory among these, or all, keep. */
  *kept(keys: Iterable<string> = this.keys()): Iterable<Uint8Array> {
    for (const key of keys) {
      const cell = this.#cells.get(key)
      if (cell !== undefined) yield* this.#component.keeps?.(cell.state) ?? []
    }
  }

  /** Takes in an entity from a snapshot. */
  restore(key: string, state: S, version: number): void {
    const cell: Cell<S> = { state, version, timerAt: undefined }
    this.#cells.set(key, cell)
    this.#schedule(key, cell)
  }

  /** Lets an entity leave memory; the caller knows that the archive holds it. */
  evict(key: string): void {
    this.#cells.delete(key)
  }

  /** Folds one event, which stands (or will stand) at this journal offset. */
  apply(event: Event, offset: number): void {
    for (const key of this.#component.touches(event)) {
      const cell = this.#cells.get(key)
      if (cell !== undefined && offset < cell.version) continue
      const state = this.#component.evolve(cell?.state, event, key)
      if (state !== undefined || cell !== undefined) this.dirty.add(key)
      this.#replace(key, cell, state, offset + 1)
    }
  }

  /**
   * An entry was taken out of the timers. True when the entity's time has come; otherwise the entry is stale, or early,
   * and is set again if need be.
   * When it is true, `rescheduled` must follow.
   */
  isDue({ key, dueAt }: TimerEntry, now: number): boolean {
    const cell = this.#cells.get(key)
    if (cell === undefined || cell.timerAt !== dueAt) return false
    const wanted = this.#component.dueAt(cell.state)
    if (wanted !== undefined && wanted <= now) return true
    this.rescheduled(key)
    return false
  }

  /** Its entry among the timers is out; it gets another one if it wants a later time. */
  rescheduled(key: string): void {
    const cell = this.#cells.get(key)
    if (cell === undefined) return
    cell.timerAt = undefined
    this.#schedule(key, cell)
  }

  /** Its entry among the timers is out, and it gets another one only after its next change. */
  setAside(key: string): void {
    const cell = this.#cells.get(key)
    if (cell !== undefined) cell.timerAt = undefined
  }

  #replace(key: string, cell: Cell<S> | undefined, state: S | undefined, version: number): void {
    if (state === undefined) {
      this.#cells.delete(key)
      return
    }
    if (cell === undefined) {
      this.restore(key, state, version)
      return
    }
    cell.state = state
    cell.version = version
    this.#schedule(key, cell)
  }

  /** Only an earlier time needs an entry of its own: a timer that fires too early is set again then. */
  #schedule(key: string, cell: Cell<S>): void {
    const dueAt = this.#component.dueAt(cell.state)
    if (dueAt === undefined || (cell.timerAt !== undefined && cell.timerAt <= dueAt)) return
    cell.timerAt = dueAt
    this.#timers.add(key, dueAt)
  }
}
