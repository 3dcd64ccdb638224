import { type Clock } from '../../base/index.ts'
import type { Codec } from '../../contract/index.ts'
import {
  type Chunk,
  type Log,
  placeName,
  type Reader,
  type StoredRecord,
  type TopicPartition
} from '../../log/index.ts'
import { header } from '../../task/index.ts'
import { decodeRecord, type Place, placesOf, type ViewRecord, type Waiter, Waiters } from '../../view/index.ts'

export type AnswersDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly clock: Clock
  /** The journals in which answers come. */
  readonly topics: readonly string[]
  readonly learn: (value: Uint8Array) => Promise<unknown> | undefined
  readonly waitersMax: number
  /** From where on a place is followed; its end if undefined. Never from more than `behindMax` before the end. */
  readonly from: (place: string) => number | undefined
  readonly behindMax: number
}

const recordsPerTurnMax = 1_000

/**
 * Follows journals for the answers to commands, from about their end on.
 *
 * A1. What is told is durable, so it is found again after any crash.
 * A2. A command's answer is told to whoever has asked for it before the command was sent, once it is followed.
 * A3. Of a record that nobody waits for only the headers are looked at.
 */
export class Answers {
  readonly #deps: AnswersDeps
  readonly #waiters: Waiters
  #reader: Reader | undefined

  constructor(deps: AnswersDeps) {
    this.#deps = deps
    this.#waiters = new Waiters(deps.clock, deps.waitersMax)
  }

  get waitingCount(): number {
    return this.#waiters.count
  }

  when(commandId: string, timeoutMs: number): Waiter<ViewRecord> {
    return this.#waiters.answer(commandId, timeoutMs)
  }

  /** Resolves when it follows; what was answered before that, and is not told, is the view's to tell. */
  async open(): Promise<{ readonly ended: Promise<void> }> {
    const { log } = this.#deps
    const places = this.#places()
    const starts = await Promise.all(places.map(async (place) => ({ ...place, offset: await this.#start(place) })))
    const reader = log.reader(starts, 'durable')
    this.#reader = reader
    return { ended: this.#follow(reader, new Map(places.map((place) => [place.name, place]))) }
  }

  close(): void {
    this.#reader?.close()
    this.#reader = undefined
  }

  /** Whoever still waits is answered as if the time were up. */
  end(): void {
    this.close()
    this.#waiters.end()
  }

  #places(): Place[] {
    return [...placesOf(this.#deps.topics, this.#deps.log)]
  }

  async #start(place: TopicPartition): Promise<number> {
    const end = await this.#deps.log.end(place)
    const from = this.#deps.from(placeName(place)) ?? end
    return Math.min(end, Math.max(from, end - this.#deps.behindMax))
  }

  async #follow(reader: Reader, places: ReadonlyMap<string, Place>): Promise<void> {
    while (this.#reader === reader) {
      await reader.ready()
      for (const chunk of reader.take(recordsPerTurnMax)) await this.#look(places.get(placeName(chunk))!, chunk)
      await nextTurn()
    }
  }

  async #look(place: Place, { records }: Chunk): Promise<void> {
    for (const record of records) if (this.#isAwaited(record)) await this.#tell(place, record)
  }

  #isAwaited({ headers }: StoredRecord): boolean {
    const causationId = headers[header.causationId]
    return causationId !== undefined && this.#waiters.awaits(causationId)
  }

  async #tell(place: Place, record: StoredRecord): Promise<void> {
    if (record.value !== null) await this.#deps.learn(record.value)
    const decoded = decodeRecord({ place, record }, this.#deps.codec)
    if (decoded !== undefined && 'type' in decoded) this.#waiters.onAnswer(decoded)
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
