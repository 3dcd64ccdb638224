import { type Clock, ParcomoloError } from '../base/index.ts'
import type { Mark } from './position.ts'
import type { Projection } from './projection.ts'
import type { RowWait } from './query.ts'
import type { ViewRecord } from './record.ts'

/**
 * Something that is waited for. `done` resolves with undefined when the time is up or the wait is cancelled; it rejects
 * when the view has failed.
 */
export type Waiter<T> = { readonly done: Promise<T | undefined>; readonly cancel: () => void }

/** What is folded, by projection and key. */
export type RowsInMemory = {
  /** It has what is not folded here yet. */
  isAhead(name: string, key: string): boolean
  rowOf(name: string, key: string): object | undefined
}

/**
 * Who waits for the view to see something. In memory, told by each round of folding; nothing polls.
 *
 * W1. Every waiter ends: by what it waits for, by its deadline, by its cancellation, or by the view's end.
 * W2. At most `waitersMax` writes wait at once, and as many reads: neither takes the other's places. One more is
 *     refused with PARCOMOLO_VIEW_WAITERS_EXHAUSTED.
 */
export class Waiters {
  readonly #clock: Clock
  readonly #waitersMax: number
  readonly #all = { write: new Set<Entry>(), read: new Set<Entry>() }
  readonly #answers = new Map<string, Entry>()
  readonly #rows = new Map<string, RowEntries>()
  readonly #positions = new Set<PositionEntry>()

  constructor(clock: Clock, waitersMax: number) {
    this.#clock = clock
    this.#waitersMax = waitersMax
  }

  get count(): number {
    return this.#all.write.size + this.#all.read.size
  }

  /** For the event that answers the command of this id. */
  answer(commandId: string, timeoutMs: number): Waiter<ViewRecord> {
    const { entry, waiter } = this.#open<ViewRecord>('write', timeoutMs, () => this.#answers.delete(commandId))
    this.#answers.set(commandId, entry)
    return waiter
  }

  /** For a projection's row to be as `isMet` wants it. */
  row<Row extends object>(
    { name }: Projection<Row>,
    key: string,
    isMet: (row: Row) => boolean,
    { timeoutMs, by }: RowWait
  ): Waiter<Row> {
    const { byKey } = this.#rowsOf(name)
    const forget = (): void => {
      const entries = byKey.get(key)
      entries?.delete(rowEntry)
      if (entries?.size === 0) byKey.delete(key)
    }
    const { entry, waiter } = this.#open<Row>(by, timeoutMs, forget)
    const rowEntry: RowEntry = { entry, isMet: isMet as RowEntry['isMet'] }
    const entries = byKey.get(key)
    if (entries === undefined) byKey.set(key, new Set([rowEntry]))
    else entries.add(rowEntry)
    return waiter
  }

  /** For all these records to have been folded. */
  position(marks: readonly Mark[], hasSeen: (mark: Mark) => boolean, timeoutMs: number): Waiter<true> {
    const { entry, waiter } = this.#open<true>('read', timeoutMs, () => this.#positions.delete(positionEntry))
    const positionEntry = { entry, isMet: () => marks.every(hasSeen) }
    this.#positions.add(positionEntry)
    return waiter
  }

  awaits(commandId: string): boolean {
    return this.#answers.has(commandId)
  }

  onAnswer(record: ViewRecord): void {
    if (record.causationId !== undefined) this.#answers.get(record.causationId)?.finish(record)
  }

  /** A row has changed: whoever waits is told after the round; of one that is ahead, also who comes later. */
  onChange(name: string, key: string, isAhead: boolean): void {
    const rows = isAhead ? this.#rowsOf(name) : this.#rows.get(name)
    if (rows !== undefined && (isAhead || rows.byKey.size > 0)) rows.changed.add(key)
  }

  /** After a round: rows have changed, and the positions have moved. One that is ahead is looked at again later. */
  onRound(memory: RowsInMemory): void {
    for (const [name, rows] of this.#rows) {
      if (rows.changed.size === 0) continue
      const { changed } = rows
      rows.changed = new Set()
      for (const key of changed)
        if (memory.isAhead(name, key)) rows.changed.add(key)
        else if (rows.byKey.has(key)) this.tell(name, key, memory.rowOf(name, key))
    }
    for (const { entry, isMet } of this.#positions) if (isMet()) entry.finish(true)
  }

  /** Of a row that was found. */
  tell(name: string, key: string, row: object | undefined): void {
    const entries = this.#rows.get(name)?.byKey.get(key)
    if (entries === undefined || row === undefined) return
    for (const { entry, isMet } of entries) if (isMet(row)) entry.finish(row)
  }

  /** Ends all waiters: with this error, or as if their time were up. */
  end(error?: unknown): void {
    for (const entry of [...this.#all.write, ...this.#all.read]) {
      if (error === undefined) entry.finish(undefined)
      else entry.fail(error)
    }
  }

  #rowsOf(name: string): RowEntries {
    const known = this.#rows.get(name)
    if (known !== undefined) return known
    const rows = { byKey: new Map<string, Set<RowEntry>>(), changed: new Set<string>() }
    this.#rows.set(name, rows)
    return rows
  }

  #open<T>(by: 'write' | 'read', timeoutMs: number, forget: () => void): { entry: Entry; waiter: Waiter<T> } {
    const all = this.#all[by]
    if (all.size >= this.#waitersMax) throw tooManyWaiters(this.#waitersMax)
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>()
    // Whoever waits sees the failure; one who has gone away meanwhile must not turn it into a crash.
    promise.catch(() => undefined)
    const stopTimer = this.#clock.at(this.#clock.now() + timeoutMs, () => entry.finish(undefined))
    const release = (): void => {
      stopTimer()
      all.delete(entry)
      forget()
    }
    const entry: Entry = {
      finish: (value) => {
        release()
        resolve(value as T | undefined)
      },
      fail: (error) => {
        release()
        reject(error)
      }
    }
    all.add(entry)
    return { entry, waiter: { done: promise, cancel: () => entry.finish(undefined) } }
  }
}

type Entry = { finish(value: unknown): void; fail(error: unknown): void }
type RowEntry = { readonly entry: Entry; readonly isMet: (row: object) => boolean }
/** Of one projection; `changed`: keys of rows that have changed since waiters were told. */
type RowEntries = { readonly byKey: Map<string, Set<RowEntry>>; changed: Set<string> }
type PositionEntry = { readonly entry: Entry; readonly isMet: () => boolean }

const tooManyWaiters = (waitersMax: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_WAITERS_EXHAUSTED',
    `${waitersMax} requests already wait for the read model, which is the limit (waitersMax); try again shortly`,
    { retryable: true, details: { waitersMax } }
  )
