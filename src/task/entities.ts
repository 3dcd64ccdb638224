import type { AttemptOf, Component, Event } from './component.ts'
import type { TimerEntry, Timers } from './timers.ts'
import type { Change, Unanswered } from './unanswered.ts'

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
  readonly #unanswered: Unanswered | undefined

  /** `unanswered`: of a component that waits for answers. */
  constructor(component: Component<S>, timers: Timers, unanswered?: Unanswered) {
    this.#component = component
    this.#timers = timers
    this.#unanswered = unanswered
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

  /** Takes in an entity from a snapshot; its commands were sent before `version`, and nobody knows what was read. */
  restore(key: string, state: S, version: number): void {
    this.#insert(key, state, version)
    this.#tellAwaited(key, undefined, state, { offset: version - 1, now: 0, isAnswer: false, isRestored: true })
  }

  /** Lets an entity leave memory; the caller knows that the archive holds it. */
  evict(key: string): void {
    const cell = this.#cells.get(key)
    this.#cells.delete(key)
    this.#tellAwaited(key, cell?.state, undefined, { offset: 0, now: 0, isAnswer: false })
  }

  /**
   * Folds one event, which stands (or will stand) at this journal offset; `isAnswer`: an answer to one of its commands
   * has led to it.
   */
  apply(event: Event, offset: number, isAnswer = false): void {
    for (const key of this.#component.touches(event)) {
      const cell = this.#cells.get(key)
      if (cell !== undefined && offset < cell.version) continue
      const before = cell?.state
      const state = this.#component.evolve(before, event, key)
      if (state !== undefined || cell !== undefined) this.dirty.add(key)
      this.#tellAwaited(key, before, state, { offset, now: event.at ?? 0, isAnswer })
      this.#replace(key, cell, state, offset + 1)
    }
  }

  /** How the attempts of an entity stand now. */
  attemptOf(key: string, now: number): AttemptOf | undefined {
    return this.#unanswered?.attemptOf(key, now)
  }

  /** The clock of one of its attempts runs, after its timer had fired in vain. */
  clockRuns(key: string, now: number): void {
    const cell = this.#cells.get(key)
    if (cell !== undefined) this.#schedule(key, cell, this.attemptOf(key, now))
  }

  /**
   * An entry was taken out of the timers. True when the entity's time has come; otherwise the entry is stale, or early,
   * and is set again if need be.
   * When it is true, `rescheduled` must follow.
   */
  isDue({ key, dueAt }: TimerEntry, now: number): boolean {
    const cell = this.#cells.get(key)
    if (cell === undefined || cell.timerAt !== dueAt) return false
    const wanted = this.#component.dueAt(cell.state, this.attemptOf(key, now))
    if (wanted !== undefined && wanted <= now) return true
    this.#unanswered?.firedInVain(key)
    cell.timerAt = undefined
    this.#schedule(key, cell, this.attemptOf(key, now))
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
      this.#insert(key, state, version)
      return
    }
    cell.state = state
    cell.version = version
    this.#schedule(key, cell)
  }

  #insert(key: string, state: S, version: number): void {
    const cell: Cell<S> = { state, version, timerAt: undefined }
    this.#cells.set(key, cell)
    this.#schedule(key, cell)
  }

  #tellAwaited(key: string, before: S | undefined, after: S | undefined, change: Change): void {
    const waits = this.#component.waits
    if (waits === undefined || this.#unanswered === undefined) return
    const awaitedBefore = before === undefined ? none : waits.of(before)
    const awaited = after === undefined ? none : waits.of(after)
    if (awaited === awaitedBefore) return
    this.#unanswered.change(key, waits.keyOf((after ?? before)!), awaited, change)
  }

  /**
   * Only an earlier time needs an entry of its own: a timer that fires too early is set again then. So whether a
   * command was read is not asked before its timer has fired, which most never do.
   */
  #schedule(key: string, cell: Cell<S>, attemptOf?: AttemptOf): void {
    const dueAt = this.#component.dueAt(cell.state, attemptOf)
    if (dueAt === undefined || (cell.timerAt !== undefined && cell.timerAt <= dueAt)) return
    cell.timerAt = dueAt
    this.#timers.add(key, dueAt)
  }
}

const none: readonly never[] = []
