import { type Clock, ParcomoloError } from '../base/index.ts'
import type { Log, Reader } from '../log/index.ts'
import { CausalOrder } from './causal-order.ts'
import type { FoldListener, ReadModel } from './model.ts'
import type { Arrived, Place } from './record.ts'

export type FollowDeps = {
  readonly log: Log
  readonly model: ReadModel
  readonly places: readonly Place[]
  readonly clock: Clock
  readonly limits: FollowLimits
  readonly listener: FoldListener
  /** After every round, its orders told to the listener: whoever waits may be answered. */
  onRound(): void
  /** The store refuses to write, or does so again. */
  onStore(error: unknown): void
  /** The log or a fold has failed: nothing more will be seen. */
  onFailed(error: unknown): void
}

export type FollowLimits = {
  /** Records folded without letting the event loop turn. */
  readonly roundRecordsMax: number
  /** A changed row reaches the store after this time at the latest. */
  readonly writeDelayMs: number
  /** Changed rows that make a write due at once. */
  readonly writeRowsMax: number
  /** Changed rows that may wait for a store that refuses to write; beyond it the view stands still. */
  readonly waitingRowsMax: number
}

export const followLimits: FollowLimits = {
  roundRecordsMax: 500,
  writeDelayMs: 100,
  writeRowsMax: 1_000,
  waitingRowsMax: 50_000
}

/**
 * Follows the journals: read, order by cause, fold, tell whoever waits; and write behind.
 *
 * F1. One round at a time. F2. A failed write is tried again every `writeDelayMs`; nothing is lost, as the journals have it.
 */
export class Follower {
  readonly #deps: FollowDeps
  readonly #placeByName: ReadonlyMap<string, Place>
  readonly #order: CausalOrder
  readonly #reader: Reader
  #cancelWrite: (() => void) | undefined
  #lastWriteFailed = false
  #isClosed = false
  #running: Promise<void> = Promise.resolve()

  constructor(deps: FollowDeps) {
    this.#deps = deps
    const starts = deps.places.map((place) => ({ ...place, offset: deps.model.next(place.name) }))
    this.#placeByName = new Map(deps.places.map((place) => [place.name, place]))
    this.#order = new CausalOrder(new Map(starts.map(({ name, offset }) => [name, offset])))
    this.#reader = deps.log.reader(
      starts.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
      'durable'
    )
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#isClosed) this.#deps.onFailed(error)
    })
  }

  /** Stops after the round under way and writes what has changed. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelWrite?.()
    this.#reader.close()
    await this.#running
    await this.#deps.model.write()
  }

  async #run(): Promise<void> {
    const { limits, model } = this.#deps
    while (!this.#isClosed) {
      await this.#reader.ready()
      if (this.#isClosed) return
      const arrived = this.#order.offer(this.#take())
      if (arrived.length > 0) {
        await model.fold(arrived, this.#deps.listener)
        this.#deps.onRound()
        await this.#planWrite()
      }
      await nextTurn()
      while (model.changedCount > limits.waitingRowsMax && !this.#isClosed) await this.#pause()
    }
  }

  #take(): Arrived[] {
    const arrived: Arrived[] = []
    for (const chunk of this.#reader.take(this.#deps.limits.roundRecordsMax)) {
      const place = this.#placeByName.get(`${chunk.topic}/${chunk.partition}`)
      if (place === undefined) throw unknownPlace(chunk.topic, chunk.partition)
      for (const record of chunk.records) arrived.push({ place, record })
    }
    return arrived
  }

  async #planWrite(): Promise<void> {
    const { model, limits, clock } = this.#deps
    if (model.changedCount >= limits.writeRowsMax && !this.#lastWriteFailed) return this.#write()
    if (this.#cancelWrite !== undefined) return
    this.#cancelWrite = clock.at(clock.now() + limits.writeDelayMs, () => void this.#write())
  }

  async #write(): Promise<void> {
    this.#cancelWrite?.()
    this.#cancelWrite = undefined
    try {
      await this.#deps.model.write()
      this.#lastWriteFailed = false
      this.#deps.onStore(undefined)
    } catch (error) {
      this.#lastWriteFailed = true
      this.#deps.onStore(error)
      if (!this.#isClosed) await this.#planWrite()
    }
  }

  #pause(): Promise<void> {
    const { clock, limits } = this.#deps
    return new Promise((resolve) => void clock.at(clock.now() + limits.writeDelayMs, resolve))
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const unknownPlace = (topic: string, partition: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_DEFECT',
    `the log handed over records of '${topic}/${partition}', which the view does not follow`
  )
