/**
 * A log in memory whose every effect is an event of a `VirtualTime`: requests arrive, answers come back, news reaches
 * readers, each after a delay of its own.
 * Each process has its own handle, which dies with it (SimulatedProcess).
 *
 * Faults, each with a probability in `Faults`: a request that is slow, one that is lost, an answer that is lost, a copy
 * that arrives late.
 * A writer repeats a batch until it knows the outcome, as the port asks; `send` repeats, or gives up with an error that
 * may be retried.
 */
import { ParcomoloError } from '../../src/base/index.ts'
import {
  type Isolation,
  type JournalWriter,
  type Log,
  type LogRecord,
  type LogHealth,
  type Membership,
  placeName,
  type Reader,
  type StoredRecord,
  type TopicPartition,
  type TopicSpec
} from '../../src/log/index.ts'
import { type BrokerVariant, SimulatedBroker, type SimulatedPartition } from './simulated-broker.ts'
import { SimulatedGroups } from './simulated-groups.ts'
import { SimulatedProcess } from './simulated-process.ts'
import { SimulatedReader } from './simulated-reader.ts'
import type { VirtualTime } from './virtual-time.ts'

export type Faults = {
  /** A request or an answer takes up to `slowMsMax` instead of a few milliseconds. */
  readonly slow: number
  readonly slowMsMax: number
  readonly requestLost: number
  readonly answerLost: number
  /** A copy of the request arrives later. */
  readonly duplicated: number
  /** `send` gives up after a lost request or answer. */
  readonly sendRejected: number
  /** `lookup` does not see what another owner has appended last. */
  readonly lookupLags: number
  /** The longest time until a member hears of its share. */
  readonly assignmentMsMax: number
  /** A sync of the disk takes up to half a second, so that a crash of the machine has something to lose. */
  readonly slowDisk: number
}

export const noFaults: Faults = {
  slow: 0,
  slowMsMax: 0,
  requestLost: 0,
  answerLost: 0,
  duplicated: 0,
  sendRejected: 0,
  lookupLags: 0,
  assignmentMsMax: 2,
  slowDisk: 0
}

/** A request without an answer is repeated after this long. */
const retryMs = 500

/** The brokers, the network, and the processes on them. */
export class SimulatedCluster {
  readonly time: VirtualTime
  readonly broker: SimulatedBroker
  readonly groups: SimulatedGroups
  faults: Faults
  #syncing = false

  constructor(time: VirtualTime, variant: BrokerVariant, faults: Faults = noFaults) {
    this.time = time
    this.broker = new SimulatedBroker(variant)
    this.faults = faults
    this.groups = new SimulatedGroups(time, faults.assignmentMsMax)
  }

  process(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this.time)
  }

  log(process: SimulatedProcess): Log {
    return new SimulatedLog(this, process)
  }

  /** A process stands still; when that takes too long its groups go on without it, until it is back. */
  pause(process: SimulatedProcess, ms: number): void {
    process.pause(ms)
    this.groups.suspend(process, ms)
  }

  /** How long one way over the network takes. */
  delayMs(): number {
    const { slow, slowMsMax } = this.faults
    return this.time.chance(slow) ? this.time.between(5, slowMsMax) : this.time.between(0.05, 2)
  }

  /** A request under way: in a cluster it goes on when its sender has crashed; within one machine it does not. */
  travel(process: SimulatedProcess, extraMs: number, arrive: () => void): void {
    const delayMs = this.delayMs() + extraMs
    if (this.broker.variant === 'kafka') this.time.after(delayMs, arrive)
    else process.after(delayMs, arrive)
  }

  /** Group commit: one sync at a time, for all that was there when it began. */
  syncSoon(process: SimulatedProcess): void {
    if (this.#syncing || !this.broker.hasUnsynced) return
    this.#syncing = true
    const appendCount = this.broker.appendCount
    process.onCrash(() => (this.#syncing = false))
    const isSlow = this.time.chance(this.faults.slowDisk)
    process.after(isSlow ? this.time.between(5, 500) : this.time.between(0.2, 4), () => {
      this.#syncing = false
      this.broker.sync(appendCount)
      this.syncSoon(process)
    })
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: ParcomoloError }

class SimulatedLog implements Log {
  readonly #cluster: SimulatedCluster
  readonly #process: SimulatedProcess
  readonly #readers = new Set<SimulatedReader>()
  readonly #rejectPending = new Set<(error: Error) => void>()
  #closed = false

  constructor(cluster: SimulatedCluster, process: SimulatedProcess) {
    this.#cluster = cluster
    this.#process = process
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    await this.#ask(() => this.#broker.ensure(specs))
  }

  partitionCount(topic: string): number {
    return this.#broker.partitionCount(topic)
  }

  async claim(place: TopicPartition): Promise<JournalWriter> {
    const partition = this.#broker.partition(place)
    const epoch = await this.#ask(() => ++partition.claimedEpoch)
    this.#cluster.time.note(`${this.#process.name} has claimed ${placeName(place)} (epoch ${epoch})`)
    let sequence = 0
    let isInFlight = false
    return {
      ...partition.place,
      append: async (records) => {
        if (isInFlight) throw new TypeError(`two appends at once to '${placeName(place)}'`)
        isInFlight = true
        const request = { epoch, sequence: sequence++, records: checked(place, records) }
        try {
          return await this.#repeat(placeName(place), () => this.#append(partition, request))
        } finally {
          isInFlight = false
        }
      }
    }
  }

  async send(records: readonly (LogRecord & TopicPartition)[]): Promise<void> {
    const batches = new Map<SimulatedPartition, LogRecord[]>()
    for (const record of records) {
      const partition = this.#broker.partition(record)
      const batch = batches.get(partition)
      if (batch === undefined) batches.set(partition, [record])
      else batch.push(record)
    }
    await Promise.all(
      [...batches].map(([partition, batch]) => {
        const sent = checked(partition.place, batch)
        const add = (): Outcome<number> => ({ value: this.#add(partition, sent) })
        return this.#repeat(placeName(partition.place), add, this.#cluster.faults.sendRejected)
      })
    )
  }

  reader(starts: readonly (TopicPartition & { readonly offset: number })[], isolation: Isolation): Reader {
    this.#checkOpen()
    const sources = starts.map((start) => ({ partition: this.#broker.partition(start), offset: start.offset }))
    const reader = new SimulatedReader(sources, isolation, (arrive) => {
      this.#process.after(this.#cluster.delayMs(), arrive)
    })
    this.#process.onCrash(() => reader.abandon())
    this.#readers.add(reader)
    return reader
  }

  async *read(place: TopicPartition, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    const partition = this.#broker.partition(place)
    if (from < 0 || to > partition.end)
      throw new ParcomoloError('PARCOMOLO_LOG_OUT_OF_RANGE', `'${placeName(place)}' has no range ${from} to ${to}`)
    for (let next = from; next < to;) {
      const size = Math.ceil(this.#cluster.time.between(1, 100))
      const chunk = await this.#ask(() => partition.between(next, to).slice(0, size))
      if (chunk.length === 0) return
      next = chunk.at(-1)!.offset + 1
      yield chunk
    }
  }

  end(place: TopicPartition): Promise<number> {
    return this.#ask(() => this.#broker.partition(place).end)
  }

  async durable(place: TopicPartition, offset: number): Promise<void> {
    const partition = this.#broker.partition(place)
    while (partition.durableEnd < offset) {
      await this.#settled<void>((settle) => {
        const listener = (): void => {
          partition.listeners.delete(listener)
          this.#process.after(this.#cluster.delayMs(), () => settle({ value: undefined }))
        }
        partition.listeners.add(listener)
      })
    }
  }

  lookup(place: TopicPartition, keys: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> {
    const partition = this.#broker.partition(place)
    const lags = this.#cluster.time.chance(this.#cluster.faults.lookupLags)
    return this.#ask(() => {
      const found = new Map<string, StoredRecord>()
      const end = lags ? Math.floor(partition.end * this.#cluster.time.random()) : partition.end
      for (const record of partition.between(0, end)) {
        if (!keys.includes(record.key)) continue
        if (record.value === null) found.delete(record.key)
        else found.set(record.key, record)
      }
      return found
    })
  }

  async join(
    group: string,
    places: readonly TopicPartition[],
    onAssignment: (mine: readonly TopicPartition[]) => void
  ): Promise<Membership> {
    const leave = await this.#ask(() =>
      this.#cluster.groups.join(group, { process: this.#process, places, onAssignment })
    )
    return {
      confirm: () => this.#ask(() => undefined),
      report: () => undefined,
      leave: async () => leave()
    }
  }

  health(): LogHealth {
    return { ok: true }
  }

  stats(): Readonly<Record<string, number>> {
    return {}
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const reader of this.#readers) reader.fail(closedError())
    for (const reject of this.#rejectPending) reject(closedError())
  }

  get #broker(): SimulatedBroker {
    return this.#cluster.broker
  }

  #append(partition: SimulatedPartition, request: Parameters<SimulatedBroker['append']>[1]): Outcome<number> {
    const { time } = this.#cluster
    const place = placeName(partition.place)
    const before = partition.end
    const offset = this.#broker.append(partition, request)
    this.#cluster.syncSoon(this.#process)
    if (offset === undefined) {
      time.note(`${this.#process.name} is refused at ${place} (epoch ${request.epoch})`)
      return { error: new ParcomoloError('PARCOMOLO_LOG_FENCED', `'${place}' has been claimed by another owner`) }
    }
    const what = partition.end > before ? `appends ${request.records.length}` : 'repeats a batch'
    time.note(`${this.#process.name} ${what} at ${place}/${offset}`)
    return { value: offset }
  }

  #add(partition: SimulatedPartition, records: readonly LogRecord[]): number {
    const offset = this.#broker.add(partition, records)
    this.#cluster.syncSoon(this.#process)
    const what = `${this.#process.name} sends ${records.length} to ${placeName(partition.place)}/${offset}`
    this.#cluster.time.note(what)
    return offset
  }

  /** A question that changes nothing, or may be asked twice: only its delay matters. */
  #ask<T>(serve: () => T): Promise<T> {
    return this.#settled((settle) => {
      this.#cluster.travel(this.#process, 0, () => {
        const outcome = attempt(serve)
        this.#process.after(this.#cluster.delayMs(), () => settle(outcome))
      })
    })
  }

  /** Sends a request until there is an answer; with `giveUp`, this part of the failures is told to the caller. */
  #repeat<T>(what: string, serve: () => Outcome<T>, giveUp = 0): Promise<T> {
    const { time, faults } = this.#cluster
    return this.#settled((settle, isSettled) => {
      const send = (): void => {
        if (isSettled()) return
        const isAnswerLost = time.chance(faults.answerLost)
        const arrive = (): void => {
          const outcome = serve()
          if (!isAnswerLost) this.#process.after(this.#cluster.delayMs(), () => settle(outcome))
        }
        if (!time.chance(faults.requestLost)) this.#cluster.travel(this.#process, 0, arrive)
        if (time.chance(faults.duplicated))
          this.#cluster.travel(this.#process, time.between(1, 4 * retryMs), () => serve())
        this.#process.after(retryMs, () => {
          if (!isSettled() && time.chance(giveUp)) settle({ error: unknownOutcome(what) })
          else send()
        })
      }
      send()
    })
  }

  #settled<T>(start: (settle: (outcome: Outcome<T>) => void, isSettled: () => boolean) => void): Promise<T> {
    this.#checkOpen()
    return new Promise((resolve, reject) => {
      let isSettled = false
      this.#rejectPending.add(reject)
      const settle = (outcome: Outcome<T>): void => {
        if (isSettled) return
        isSettled = true
        this.#rejectPending.delete(reject)
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.value)
      }
      start(settle, () => isSettled)
    })
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError()
  }
}

const attempt = <T>(serve: () => T): Outcome<T> => {
  try {
    return { value: serve() }
  } catch (error) {
    return { error: error as ParcomoloError }
  }
}

/** A copy, since the sender may go on to use its arrays. */
const checked = (place: TopicPartition, records: readonly LogRecord[]): readonly LogRecord[] => {
  if (records.length > 0) return records.map((record) => ({ ...record, headers: { ...record.headers } }))
  throw new ParcomoloError('PARCOMOLO_LOG_BATCH_REFUSED', `a batch for '${placeName(place)}' has no records`)
}

const closedError = (): ParcomoloError => new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'the log is closed')

const unknownOutcome = (place: string): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_LOG_STALLED', `nobody knows whether '${place}' has taken a batch`, { retryable: true })
