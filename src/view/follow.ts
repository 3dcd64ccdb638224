import type { Clock } from '../base/index.ts'
import type { Log } from '../log/index.ts'
import { CausalOrder } from './causal-order.ts'
import type { FoldListener, ReadModel } from './model.ts'
import { PlaceReaders, type TakeLimits } from './place-readers.ts'
import type { Place } from './record.ts'
import { losesStore } from './store.ts'

export type FollowDeps = {
  readonly log: Log
  readonly model: ReadModel
  readonly places: readonly Place[]
  readonly clock: Clock
  readonly limits: FollowLimits
  readonly listener: FoldListener
  /** After every round, its rows told to the listener: whoever waits may be answered. */
  readonly onRound: () => void
  /** The store refuses to write, or (undefined) does so again. */
  readonly onStore: (error: unknown) => void
  /** The log or a fold has failed, or the store has gone back: nothing more will be seen. */
  readonly onFailed: (error: unknown) => void
}

export type FollowLimits = {
  /** What is folded without letting the event loop turn. */
  readonly roundRecordsMax: number
  readonly roundBytesMax: number
  /** What may wait for its causes. */
  readonly heldBytesMax: number
  /** A changed row reaches the store after this time at the latest. */
  readonly writeDelayMs: number
  /** Changed rows that make a write due at once. */
  readonly writeBytesMax: number
  /** Changed rows that may wait for the store; beyond it the view stands still, or nearly so. */
  readonly waitingBytesMax: number
  /** How long an effect is held for a cause that does not come; then it is folded without. */
  readonly causePatienceMs: number
}

export const followLimits: FollowLimits = {
  roundRecordsMax: 500,
  roundBytesMax: 1024 * 1024,
  heldBytesMax: 8 * 1024 * 1024,
  writeDelayMs: 500,
  writeBytesMax: 2 * 1024 * 1024,
  waitingBytesMax: 32 * 1024 * 1024,
  causePatienceMs: 5_000
}

/**
 * Follows the journals: read, order by cause, fold, tell whoever waits; and write behind.
 *
 * F1. One round at a time. F2. A failed write is tried again every `writeDelayMs`; nothing is lost, as the journals
 *     have it.
 */
export class Follower {
  readonly #deps: FollowDeps
  readonly #order: CausalOrder
  readonly #readers: PlaceReaders
  #cancelWrite: (() => void) | undefined
  #writing: Promise<void> | undefined
  /** The last turn wrote nothing: the next one keeps its time. */
  #isHeldBack = false
  #isClosed = false
  #running: Promise<void> = Promise.resolve()

  constructor(deps: FollowDeps) {
    this.#deps = deps
    const { log, places, model, clock, limits } = deps
    const next = new Map(places.map(({ name }) => [name, model.next(name)]))
    this.#order = new CausalOrder(next, clock, limits.causePatienceMs)
    this.#readers = new PlaceReaders(log, places, next)
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => this.fail(error))
  }

  /** Stops after the round under way and writes what has changed. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelWrite?.()
    this.#deps.model.stop()
    this.#readers.close()
    this.#order.close()
    await this.#running
    await this.#deps.model.write()
  }

  /** Nothing more is folded nor written. */
  fail(error: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelWrite?.()
    this.#readers.wake()
    this.#deps.onFailed(error)
  }

  async #run(): Promise<void> {
    const { model, listener } = this.#deps
    const isHeld = (place: Place): boolean => this.#order.holds(place)
    this.#order.onPatienceOver = () => this.#readers.wake()
    while (!this.#isClosed) {
      await this.#readers.ready(isHeld)
      if (this.#isClosed) return
      const taken = this.#readers.take(this.#takeLimits(), isHeld)
      const arrived = this.#order.offer(taken)
      if (arrived.length > 0) {
        await model.fold(arrived, listener)
        this.#deps.onRound()
        this.#planWrite()
      }
      await nextTurn()
      await this.#waitForStore()
    }
  }

  /** A partition that is held is not read, so each adds the least amount once at most to what is held. */
  #takeLimits(): TakeLimits {
    const { roundRecordsMax, roundBytesMax, heldBytesMax } = this.#deps.limits
    const bytesMax = Math.min(roundBytesMax, Math.max(roundBytesMin, heldBytesMax - this.#order.heldBytes))
    return { recordsMax: roundRecordsMax, bytesMax }
  }

  /**
   * Where too much waits for the store. But a view that may not write before it has folded what another has written
   * goes on all the same, round by round at each pause, or it would wait for ever.
   */
  async #waitForStore(): Promise<void> {
    const { model, limits } = this.#deps
    let isFirst = true
    while (model.changedBytes > limits.waitingBytesMax && !this.#isClosed && (isFirst || !model.isBehind)) {
      isFirst = false
      await (this.#writing ?? this.#pause())
    }
  }

  /** Plans the next write, at once where there is much to be written. */
  #planWrite(): void {
    const { model, limits, clock } = this.#deps
    if (this.#writing !== undefined || this.#isClosed) return
    if (model.changedBytes >= limits.writeBytesMax && !this.#isHeldBack) return this.#write()
    this.#cancelWrite ??= clock.at(clock.now() + limits.writeDelayMs, () => this.#write())
  }

  #write(): void {
    this.#cancelWrite?.()
    this.#cancelWrite = undefined
    this.#writing = this.#writeOnce().finally(() => {
      this.#writing = undefined
      if (this.#deps.model.hasChanged) this.#planWrite()
    })
  }

  async #writeOnce(): Promise<void> {
    try {
      this.#isHeldBack = !(await this.#deps.model.write())
      this.#deps.onStore(undefined)
    } catch (error) {
      if (losesStore(error)) return this.fail(error)
      this.#isHeldBack = true
      this.#deps.onStore(error)
    }
  }

  #pause(): Promise<void> {
    const { clock, limits } = this.#deps
    return new Promise((resolve) => void clock.at(clock.now() + limits.writeDelayMs, resolve))
  }
}

const roundBytesMin = 64 * 1024

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
