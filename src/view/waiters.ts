import { type Clock, ParcomoloError } from '../base/index.ts'
import type { OrderRow } from './orders.ts'
import type { Mark } from './position.ts'
import type { ViewRecord } from './record.ts'

/**
 * Something that is waited for. `done` resolves with undefined when the time is up or the wait is cancelled; it rejects
 * when the view has failed.
 */
export type Waiter<T> = { readonly done: Promise<T | undefined>; readonly cancel: () => void }

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
  readonly #orders = new Map<string, Set<OrderEntry>>()
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

  /** For the order's row to be as `isMet` wants it; `by` what the wait belongs to. */
  order(
    orderId: string,
    isMet: (row: OrderRow) => boolean,
    timeoutMs: number,
    by: 'write' | 'read' = 'write'
  ): Waiter<OrderRow> {
    const forget = (): void => {
      const entries = this.#orders.get(orderId)
      entries?.delete(orderEntry)
      if (entries?.size === 0) this.#orders.delete(orderId)
    }
    const { entry, waiter } = this.#open<OrderRow>(by, timeoutMs, forget)
    const orderEntry = { entry, isMet }
    const entries = this.#orders.get(orderId)
    if (entries === undefined) this.#orders.set(orderId, new Set([orderEntry]))
    else entries.add(orderEntry)
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

  /** After a round: these orders have changed, and the positions have moved. */
  onRound(orders: Iterable<string>, rowOf: (orderId: string) => OrderRow | undefined): void {
    if (this.#orders.size > 0) for (const orderId of orders) this.#checkOrder(orderId, rowOf(orderId))
    for (const { entry, isMet } of this.#positions) if (isMet()) entry.finish(true)
  }

  /** Ends all waiters: with this error, or as if their time were up. */
  end(error?: unknown): void {
    for (const entry of [...this.#all.write, ...this.#all.read]) {
      if (error === undefined) entry.finish(undefined)
      else entry.fail(error)
    }
  }

  #checkOrder(orderId: string, row: OrderRow | undefined): void {
    const entries = this.#orders.get(orderId)
    if (entries === undefined || row === undefined) return
    for (const { entry, isMet } of entries) if (isMet(row)) entry.finish(row)
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
type OrderEntry = { readonly entry: Entry; readonly isMet: (row: OrderRow) => boolean }
type PositionEntry = { readonly entry: Entry; readonly isMet: () => boolean }

const tooManyWaiters = (waitersMax: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_WAITERS_EXHAUSTED',
    `${waitersMax} requests already wait for the read model, which is the limit (waitersMax); try again shortly`,
    { retryable: true, details: { waitersMax } }
  )
