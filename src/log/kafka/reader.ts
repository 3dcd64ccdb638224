import { type Account, type Budget, isParcomoloError } from '../../base/index.ts'
import { ByteShare } from '../byte-share.ts'
import { type Chunk, type Reader, type StoredRecord, type TopicPartition } from '../log.ts'
import { passes } from './broker-errors.ts'
import type { Losses } from './losses.ts'
import type { Arrived } from './position.ts'
import type { RangeReader } from './range-reader.ts'
import { ReadRoom } from './read-room.ts'
import type { Follower, Tail } from './tail.ts'

export type ReaderDeps = {
  readonly tail: Tail
  readonly ranges: RangeReader
  readonly losses: Pick<Losses, 'accepted'>
  readonly budget: Budget
  /** Of a topic's name in the cluster, the one in this process. */
  readonly topicOf: (name: string) => string
  readonly isClosed: () => boolean
  readonly onClosed: (reader: KafkaReader) => void
}

/**
 * More than this a place at the end does not have in memory: it leaves the end, and reads by itself later. So little
 * that dozens of places, whose reader may need something of each, find room beside one another.
 */
const followedBytesMax = 1024 * 1024

/** Of a place behind the end, whose next answer may be under way while this one is taken. */
const answerBytes = 256 * 1024

/**
 * Follows partitions, each in one of two ways: at the end together with all other readers (`Tail`), or behind it with
 * requests of its own, as fast as it is taken. So a slow reader holds nobody up, and what it has not taken stays in the
 * log.
 *
 * P1. What a place has read and was not taken is held in the budget, answer by answer: until its last record is taken
 *     an answer is in memory as a whole.
 * P2. A place behind the end asks when all is taken, or while its last answer is taken where one more has room, for as
 *     much as there is room for then. So it never waits for others, and has at least one batch.
 * P3. A place whose partition has lost what it was to read waits until somebody accepts that (`Losses`); the others go
 *     on.
 * P4. Who has left the end follows it again only when it has read up to there: a Fetch that waits at the end for all
 *     others hears of a new place only when it is over, and what is there already would wait for it as long.
 */
export class KafkaReader implements Reader {
  readonly #deps: ReaderDeps
  readonly #places: PlaceReader[]
  #turn = 0
  #waiting = Promise.withResolvers<void>()
  #failure: { readonly error: unknown } | undefined
  #isClosed = false

  constructor(starts: readonly (TopicPartition & { readonly offset: number })[], deps: ReaderDeps) {
    this.#deps = deps
    this.#waiting.promise.catch(() => undefined)
    const listener = { onArrived: () => this.#wake(), onFailed: (error: unknown) => this.fail(error) }
    this.#places = starts.map(
      ({ topic, partition, offset }) => new PlaceReader({ topic, partition }, offset, deps, listener)
    )
    for (const place of this.#places) place.start()
  }

  take(recordsMax: number, bytesMax = Infinity): Chunk[] {
    const chunks: Chunk[] = []
    if (this.#isClosed) return chunks
    let left = recordsMax
    const bytes = new ByteShare(bytesMax)
    // Each turn begins with another place, so that a full one does not starve those behind it.
    const count = this.#places.length
    for (let i = 0; i < count && left > 0; i++) {
      const place = this.#places[(this.#turn + i) % count]!
      const share = Math.max(1, Math.ceil(left / (count - i)))
      bytes.begin(count - i)
      const records = place.take(Math.min(left, share), bytes)
      if (records.length === 0) continue
      left -= records.length
      chunks.push({ topic: this.#deps.topicOf(place.place.topic), partition: place.place.partition, records })
    }
    this.#turn = count === 0 ? 0 : (this.#turn + 1) % count
    return chunks
  }

  ready(): Promise<void> {
    if (this.#isClosed || this.#places.some(({ hasRecords }) => hasRecords)) return Promise.resolve()
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error as Error)
    return this.#waiting.promise
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const place of this.#places) place.close()
    this.#waiting.resolve()
    this.#deps.onClosed(this)
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    for (const place of this.#places) place.stop()
    this.#waiting.reject(error)
  }

  #wake(): void {
    this.#waiting.resolve()
    this.#waiting = Promise.withResolvers()
    this.#waiting.promise.catch(() => undefined)
  }
}

type Listener = { onArrived(): void; onFailed(error: unknown): void }

class PlaceReader implements Follower {
  readonly place: TopicPartition
  readonly #deps: ReaderDeps
  readonly #listener: Listener
  readonly #account: Account
  readonly #room: ReadRoom
  /** What has arrived and was not taken, in order; the first from `#taken` on. */
  readonly #lists: Pick<Arrived, 'records' | 'heldBytes'>[] = []
  #taken = 0
  /** The offset after all that has arrived. */
  #next: number
  /** As far as it knows: nothing more stood behind what it has read last by itself. */
  #isAtEnd = true
  #state: 'following' | 'behind' | 'reading' | 'lost' | 'stopped' = 'behind'

  constructor(place: TopicPartition, offset: number, deps: ReaderDeps, listener: Listener) {
    this.place = place
    this.#next = offset
    this.#deps = deps
    this.#listener = listener
    this.#account = deps.budget.account('readers')
    this.#room = new ReadRoom(this.#account, answerBytes)
  }

  get hasRecords(): boolean {
    return this.#lists.length > 0
  }

  start(): void {
    this.#goOn()
  }

  /** Nothing more arrives; what has can be taken. */
  stop(): void {
    this.#state = 'stopped'
    this.#deps.tail.leave(this.place, this)
  }

  close(): void {
    this.stop()
    for (const { heldBytes } of this.#lists.splice(0)) this.#account.release(heldBytes)
  }

  take(recordsMax: number, bytes: ByteShare): readonly StoredRecord[] {
    const parts: (readonly StoredRecord[])[] = []
    for (let left = recordsMax; left > 0 && this.#lists.length > 0; left -= parts.at(-1)!.length) {
      const count = bytes.take(this.#lists[0]!.records, this.#taken, left)
      if (count === 0) break
      parts.push(this.#takePart(count))
    }
    if (this.#state === 'behind' && this.#mayAsk()) this.#goOn()
    return parts.length === 1 ? parts[0]! : parts.flat()
  }

  #mayAsk(): boolean {
    return !this.hasRecords || (this.#lists.length === 1 && this.#room.hasMore)
  }

  #takePart(count: number): readonly StoredRecord[] {
    const { records, heldBytes } = this.#lists[0]!
    const part = count === records.length ? records : records.slice(this.#taken, this.#taken + count)
    this.#taken += count
    if (this.#taken === records.length) {
      this.#lists.shift()
      this.#taken = 0
      this.#account.release(heldBytes)
    }
    return part
  }

  arrive({ records, next, heldBytes }: Arrived): void {
    if (this.#state === 'stopped') return
    const fresh = records.length === 0 || records[0]!.offset >= this.#next ? records : this.#above(records)
    this.#next = Math.max(this.#next, next)
    if (fresh.length > 0) {
      this.#lists.push({ records: fresh, heldBytes })
      this.#account.hold(heldBytes)
      this.#listener.onArrived()
    }
    if (this.#state === 'following' && this.#account.heldBytes >= Math.min(followedBytesMax, this.#account.bytesMax)) {
      this.#state = 'behind'
      this.#isAtEnd = false
      this.#deps.tail.leave(this.place, this)
    }
  }

  missing(): void {
    if (this.#state === 'following') void this.#read()
  }

  fail(error: unknown): void {
    if (this.#hasStopped() || (passes(error) && this.#deps.isClosed())) return
    if (isParcomoloError(error, 'PARCOMOLO_LOG_OUT_OF_RANGE')) void this.#waitForDecision()
    else this.#listener.onFailed(error)
  }

  async #waitForDecision(): Promise<void> {
    this.#state = 'lost'
    try {
      const next = await this.#deps.losses.accepted(this.place, this.#next)
      if (this.#hasStopped()) return
      this.#next = next
      this.#state = 'behind'
      if (!this.hasRecords) this.#goOn()
    } catch (error) {
      if (!this.#hasStopped() && !this.#deps.isClosed()) this.#listener.onFailed(error)
    }
  }

  #above(records: readonly StoredRecord[]): readonly StoredRecord[] {
    return records.filter(({ offset }) => offset >= this.#next)
  }

  /** Follows from the end on, or from where others are who follow it; otherwise reads up to there (P4). */
  #goOn(): void {
    const others = this.#deps.tail.next(this.place)
    if (others === undefined ? this.#isAtEnd : others <= this.#next) {
      this.#state = 'following'
      this.#deps.tail.follow(this.place, this.#next, this)
    } else void this.#read()
  }

  async #read(): Promise<void> {
    this.#state = 'reading'
    try {
      const what = await this.#room.read((bytesMax) => this.#deps.ranges.next(this.place, this.#next, bytesMax))
      if (this.#hasStopped()) return
      this.#state = 'behind'
      this.#isAtEnd = what.isAtEnd
      this.arrive(what)
      if (!this.hasRecords) this.#goOn()
    } catch (error) {
      this.fail(error)
    }
  }

  #hasStopped(): boolean {
    return this.#state === 'stopped'
  }
}
