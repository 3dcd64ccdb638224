import { type Clock, ParcomoloError } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import {
  type JournalWriter,
  type Log,
  type LogRecord,
  placeName,
  type Reader,
  type TopicPartition
} from '../log/index.ts'
import type { Component, Event, Input } from './component.ts'
import { DeadLetters } from './dead-letters.ts'
import { Entities } from './entities.ts'
import { Forwarder } from './forwarder.ts'
import { header } from './headers.ts'
import { inputPlaces, Inputs } from './inputs.ts'
import { markerOf } from './marker.ts'
import { Patience } from './patience.ts'
import { Positions } from './positions.ts'
import { recover } from './recover.ts'
import { type AtBoundary, Snapshots } from './snapshots.ts'
import { type TimerEntry, Timers } from './timers.ts'

export type TaskDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly clock: Clock
  /** The full record name of an event of the component's own, by its short name. */
  readonly fullNameOf: (type: string) => string
  /** Named in markers, so that a reader of the journal sees who took over. */
  readonly owner: string
  /** A task has failed for good, not by being fenced; the process should stop. */
  readonly onFailure: (error: unknown) => void
  /** An input could not be read and is among the dead letters; `at` is `<topic>/<partition>/<offset>`. */
  readonly onPoison: (at: string, error: unknown) => void
  /**
   * A task (by the partition of its journal) waits for something that may pass, such as a registry that cannot be
   * reached; with undefined, it goes on. Told once each.
   */
  readonly onHeldUp?: (task: string, error: unknown) => void
  /**
   * Makes the codec know the schemas of these values; undefined where it knows them all. Those that there are not, or
   * that cannot be used, are left for `decode` to refuse; it rejects, retryable, where that cannot be told now.
   */
  readonly learn?: (values: Iterable<Uint8Array | null>) => Promise<void> | undefined
  readonly limits?: Partial<TaskLimits>
}

export type TaskLimits = {
  /** Inputs taken in one round, so one batch's bound. */
  readonly inputsPerRoundMax: number
  /** Inputs passed over after which the positions are journaled although nothing has happened. */
  readonly idlePositionsMax: number
  /**
   * A round of snapshots begins when this many inputs have been taken, or this much time has passed, since the last.
   */
  readonly inputsPerSnapshot: number
  readonly snapshotEveryMs: number
}

export const taskLimits: TaskLimits = {
  inputsPerRoundMax: 1000,
  idlePositionsMax: 10_000,
  inputsPerSnapshot: 50_000,
  snapshotEveryMs: 10_000
}

/** What a task has done since it started; counts. */
export type TaskStats = { rounds: number; inputs: number; events: number; snapshots: number; deadLetters: number }

/**
 * One component × one partition of its journal: single-threaded, the only writer of that partition.
 *
 *              claim, fence, read up to it          inputs or timers
 *   starting ──────────────────────────────▶ idle ───────────────────▶ deciding
 *                                             │ ▲      appended            │
 *                                             │ └──────────────────────────┤
 *                                        stop └─────────▶ stopped ◀────────┘ fenced
 *
 * T1. One append is state change, outbox and progress at once: a batch holds all events of a round and the input
 *     positions that it covers.
 * T2. One batch is in flight; what arrives meanwhile forms the next.
 * T3. Memory runs ahead of the journal only within a round. If the append fails, the task ends and its memory with it.
 * T4. Nothing leaves before the batch that decided it is acknowledged: commands are forwarded after the append. Only
 *     dead letters leave before, since the batch that passes what cannot be read is what would lose it.
 */
export class Task<S> {
  readonly journal: TopicPartition
  readonly stats: TaskStats = { rounds: 0, inputs: 0, events: 0, snapshots: 0, deadLetters: 0 }
  readonly #component: Component<S>
  readonly #deps: TaskDeps
  readonly #limits: TaskLimits
  readonly #timers: Timers
  readonly #entities: Entities<S>
  readonly #positions = new Positions()
  readonly #snapshots: Snapshots<S>
  readonly #inputs: Inputs
  readonly #patience: Patience
  readonly #deadLetters: DeadLetters
  #forwarder!: Forwarder
  #writer!: JournalWriter
  #reader: Reader | undefined
  #journalEnd = 0
  #forwardedRecorded = 0
  #passedOver = 0
  #inputsAtSnapshot = 0
  #snapshotAt = 0
  #snapshotting: Promise<void> | undefined
  #cancelSnapshotAlarm: (() => void) | undefined
  #boundaryWork: (() => void)[] = []
  #wake: (() => void) | undefined
  #woken = false
  #readerArmed = false
  #stopping = false
  readonly #stop = Promise.withResolvers<void>()
  #running: Promise<void> | undefined

  constructor(component: Component<S>, journal: TopicPartition, deps: TaskDeps) {
    this.journal = journal
    this.#component = component
    this.#deps = deps
    this.#limits = { ...taskLimits, ...deps.limits }
    this.#timers = new Timers(deps.clock, () => this.#resume())
    this.#entities = new Entities(component, this.#timers)
    this.#snapshots = new Snapshots(deps.log, component, journal, this.#entities)
    const { codec, clock, log, onPoison } = deps
    const patience = new Patience(clock, (error) => deps.onHeldUp?.(placeName(journal), error))
    this.#patience = patience
    this.#deadLetters = new DeadLetters({ log, clock, component: component.name, patience, onPoison })
    this.#inputs = new Inputs({
      ...{ codec, component, positions: this.#positions, journal },
      partitionCount: (topic) => log.partitionCount(topic),
      onPoison: (place, record, error) => this.#deadLetters.add(place, record, error)
    })
  }

  /** Takes the journal partition over and begins to work; resolves when it does, or was stopped before. */
  async start(): Promise<void> {
    const { log, codec, clock, owner, learn } = this.#deps
    const writer = await log.claim(this.journal)
    const recovered = await recover(
      writer,
      {
        ...{ log, codec, owner, learn, patience: this.#patience, component: this.#component },
        ...{ entities: this.#entities, positions: this.#positions, snapshots: this.#snapshots }
      },
      clock.now()
    )
    if (recovered === undefined || !(await this.#hasLearntKept())) return
    await Promise.race([this.#component.caughtUp?.(), this.#stop.promise])
    if (this.#stopping) return
    this.#writer = writer
    this.#journalEnd = recovered.journalEnd
    this.#forwarder = new Forwarder({
      ...{ log, patience: this.#patience, journal: this.journal, from: recovered.forwarded },
      fail: (error) => this.#fail(error)
    })
    for (const { commands, offset, timestamp } of recovered.unforwarded)
      this.#forwarder.add(commands, offset, timestamp)
    this.#forwarder.add([], this.#journalEnd - 1, 0)
    this.#forwarder.kick()
    this.#forwardedRecorded = recovered.forwarded
    this.#snapshotAt = clock.now() + this.#limits.snapshotEveryMs
    this.#reader = log.reader(this.nexts(), 'visible')
    this.#running = this.#run().catch((error: unknown) => this.#fail(error))
  }

  /** Ends after the round under way; resolves when nothing of it runs any more. A start under way ends by itself. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#stop.resolve()
    this.#patience.stop()
    this.#forwarder?.stop()
    this.#resume()
    await this.#running
    this.#reader?.close()
    this.#timers.stop()
    this.#cancelSnapshotAlarm?.()
    for (const work of this.#boundaryWork.splice(0)) work()
    await this.#snapshotting
  }

  /** The state of an entity in memory; for tests and inspection. */
  entity(key: string): S | undefined {
    return this.#entities.get(key)
  }

  /** How far it has read each of its inputs. */
  nexts(): (TopicPartition & { readonly offset: number })[] {
    const { log } = this.#deps
    const places = inputPlaces(this.#component, this.journal, (topic) => log.partitionCount(topic))
    return places.map((place) => ({ ...place, offset: this.#positions.get(placeName(place)) }))
  }

  get entityCount(): number {
    return this.#entities.size
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#maybeSnapshot()
      await this.#idle()
      await this.#forwarder.relief()
      if (this.#stopping) return
      await this.#round()
      for (const work of this.#boundaryWork.splice(0)) work()
    }
  }

  /** Waits for an input, a timer, boundary work, or the stop. */
  async #idle(): Promise<void> {
    if (!this.#readerArmed) {
      this.#readerArmed = true
      this.#reader!.ready().then(
        () => this.#readerIsReady(),
        (error: unknown) => this.#fail(error)
      )
    }
    if (!this.#woken) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#woken = false
  }

  #readerIsReady(): void {
    this.#readerArmed = false
    this.#resume()
  }

  /** A wake-up that comes while a round is under way counts for the next. */
  #resume(): void {
    this.#woken = true
    this.#wake?.()
    this.#wake = undefined
  }

  async #round(): Promise<void> {
    const chunks = this.#reader!.take(this.#limits.inputsPerRoundMax)
    const values = chunks.flatMap(({ records }) => records.map(({ value }) => value))
    const learning = this.#patience.until(() => this.#deps.learn?.(values))
    if (learning !== undefined && !(await learning)) return
    const taken = chunks.flatMap((chunk) => this.#inputs.of(chunk))
    this.#passedOver += values.length
    if (this.#deadLetters.waiting > 0 && !(await this.#sendDeadLetters())) return
    const fetching = this.#snapshots.fetch(() => taken.flatMap(({ keys }) => keys))
    if (fetching !== undefined && !(await this.#hasLearntKept(await fetching))) return
    const now = this.#deps.clock.now()
    const records: LogRecord[] = []
    const events: Event[] = []
    for (const { input } of taken) this.#decide(input, now, records, events)
    for (const entry of this.#takeTimers(now)) this.#fire(entry, now, records, events)
    this.stats.rounds++
    this.stats.inputs += taken.length
    if (events.length > 0) await this.#append(records, events, now)
    else await this.#appendPositions(now)
  }

  /** Learns what these entities keep, or all; false where the stop came first. */
  async #hasLearntKept(keys?: readonly string[]): Promise<boolean> {
    if (this.#component.keeps === undefined) return true
    return (await this.#patience.until(() => this.#deps.learn?.(this.#entities.kept(keys)))) !== false
  }

  /** False where the stop came first: nothing of the round may be journaled then. */
  async #sendDeadLetters(): Promise<boolean> {
    this.stats.deadLetters += this.#deadLetters.waiting
    // Their positions are journaled with this round, whatever else follows from it: a restart would double the letters.
    this.#passedOver += this.#limits.idlePositionsMax
    return this.#deadLetters.send()
  }

  #decide(input: Input, now: number, records: LogRecord[], events: Event[]): void {
    for (const decided of this.#component.decide(this.#entities.get, input, now)) {
      const event: Event = { ...decided, at: now }
      this.#entities.apply(event, this.#journalEnd + events.length)
      events.push(event)
      records.push(this.#record(event, now))
    }
  }

  /** A timer that is due and has no consequence would be due for ever, so that is a defect. */
  #fire(entry: TimerEntry, now: number, records: LogRecord[], events: Event[]): void {
    if (!this.#entities.isDue(entry, now)) return
    const before = events.length
    this.#decide({ kind: 'timer', key: entry.key }, now, records, events)
    if (events.length === before) throw timerWithoutConsequence(this.#component.name, entry.key)
    this.#entities.rescheduled(entry.key)
  }

  #takeTimers(now: number): TimerEntry[] {
    const entries: TimerEntry[] = []
    while (entries.length < this.#limits.inputsPerRoundMax) {
      const entry = this.#timers.take(now)
      if (entry === undefined) break
      entries.push(entry)
    }
    return entries
  }

  #record({ key, type, fullName, value, causationId }: Event, timestamp: number): LogRecord {
    const bytes = this.#deps.codec.encode(fullName ?? this.#deps.fullNameOf(type), value)
    const headers =
      causationId === undefined ? { [header.type]: type } : { [header.type]: type, [header.causationId]: causationId }
    return { key, value: bytes, timestamp, headers }
  }

  async #append(records: LogRecord[], events: readonly Event[], now: number): Promise<void> {
    records[0] = { ...records[0]!, headers: { ...records[0]!.headers, ...this.#progress() } }
    const base = await this.#writer.append(records)
    if (base !== this.#journalEnd) throw strangeOffset(this.journal, base, this.#journalEnd)
    for (const [i, event] of events.entries()) this.#forwarder.add(this.#component.commandsOf(event), base + i, now)
    this.#journalEnd += records.length
    this.stats.events += events.length
    this.#forwarder.kick()
  }

  /**
   * Inputs without consequence move the positions too; now and then that is journaled, so that a restart need not read
   * them all again.
   */
  async #appendPositions(now: number): Promise<void> {
    if (this.#passedOver < this.#limits.idlePositionsMax || !this.#positions.hasChanged) return
    const { codec, owner } = this.#deps
    await this.#append([markerOf(codec, owner, now)], [], now)
  }

  #progress(): Record<string, string> {
    this.#passedOver = 0
    const progress: Record<string, string> = {}
    if (this.#positions.hasChanged) progress[header.positions] = JSON.stringify(this.#positions.takeChanged())
    const { forwarded } = this.#forwarder
    if (forwarded > this.#forwardedRecorded) progress[header.forwarded] = String(forwarded)
    this.#forwardedRecorded = forwarded
    return progress
  }

  #maybeSnapshot(): void {
    const now = this.#deps.clock.now()
    const taken = this.stats.inputs - this.#inputsAtSnapshot
    if (this.#snapshotting !== undefined || this.#entities.dirty.size === 0) return
    if (taken < this.#limits.inputsPerSnapshot && now < this.#snapshotAt) return this.#wakeForSnapshot()
    this.#inputsAtSnapshot = this.stats.inputs
    this.#snapshotAt = now + this.#limits.snapshotEveryMs
    this.#snapshotting = this.#snapshots
      .write(this.#atBoundary, () => this.#marker())
      .then(
        (isWhole) => void (this.stats.snapshots += isWhole ? 1 : 0),
        (error: unknown) => this.#fail(error)
      )
      .finally(() => {
        this.#snapshotting = undefined
        this.#resume()
      })
  }

  /** A task that has nothing to do, any more or yet, snapshots too, or the next start would have all of it to read. */
  #wakeForSnapshot(): void {
    this.#cancelSnapshotAlarm ??= this.#deps.clock.at(this.#snapshotAt, () => {
      this.#cancelSnapshotAlarm = undefined
      this.#resume()
    })
  }

  #marker(): { offset: number; positions: Record<string, number>; forwarded: number } {
    return { offset: this.#journalEnd, positions: this.#positions.all(), forwarded: this.#forwarder.forwarded }
  }

  readonly #atBoundary: AtBoundary = <T>(work: (journalEnd: number) => T) =>
    new Promise<T | undefined>((resolve, reject) => {
      if (this.#stopping) return resolve(undefined)
      this.#boundaryWork.push(() => {
        if (this.#stopping) return resolve(undefined)
        try {
          resolve(work(this.#journalEnd))
        } catch (error) {
          reject(error)
        }
      })
      this.#resume()
    })

  #fail(error: unknown): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#resume()
    this.#deps.onFailure(error)
  }
}

const strangeOffset = (journal: TopicPartition, got: number, expected: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `the journal '${placeName(journal)}' gave offset '${got}' to a batch that belongs at '${expected}', ` +
      'so somebody else wrote to it; only its task may'
  )

const timerWithoutConsequence = (component: string, key: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `the timer of '${key}' in '${component}' is due but nothing follows from it; an event has to move it on`
  )
