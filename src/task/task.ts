import { LedClock } from '../base/index.ts'
import { type JournalWriter, placeName, type Reader, type TopicPartition } from '../log/index.ts'
import { Boundary } from './boundary.ts'
import type { Census, Component, Event, Home } from './component.ts'
import { DeadLetters } from './dead-letters.ts'
import { Entities } from './entities.ts'
import { Forwarder } from './forwarder.ts'
import { GatedReader } from './gated-reader.ts'
import { GroupReadings } from './group-readings.ts'
import { inputPlaces, Inputs } from './inputs.ts'
import { Lanes } from './lanes.ts'
import { OwnJournal } from './own-journal.ts'
import { Patience } from './patience.ts'
import { Positions } from './positions.ts'
import { checkReach, fenceOff, recover, type Recovered } from './recover.ts'
import { Rounds } from './rounds.ts'
import { SnapshotSchedule } from './snapshot-schedule.ts'
import { behindMax, forwardedOf, Snapshots } from './snapshots.ts'
import { type TaskDeps, type TaskLimits, taskLimits, type TaskStats } from './task-deps.ts'
import { Timers } from './timers.ts'
import { Unanswered } from './unanswered.ts'

/** What a task has once it has taken its journal over. */
type Work<S> = {
  readonly journal: OwnJournal
  readonly forwarder: Forwarder
  readonly rounds: Rounds<S>
  readonly schedule: SnapshotSchedule<S>
  readonly reader: Reader | GatedReader
}

/** Two machines' clocks may differ by less. */
const aheadMsTold = 1_000

/**
 * One component × one partition of its journal: single-threaded, the only writer of that partition.
 *
 *              claim, fence, read up to it          inputs or timers
 *   starting ──────────────────────────────▶ idle ───────────────────▶ deciding
 *                                             │ ▲      appended            │
 *                                             │ └──────────────────────────┤
 *                                        stop └─────────▶ stopped ◀────────┘ fenced
 *
 * T1. One append is state change, outbox and progress at once: a batch holds events and the positions of exactly the
 *     inputs that were decided by then. A round is one batch, or where that is too much, several.
 * T2. One batch is in flight; what arrives meanwhile forms the next.
 * T3. Memory runs ahead of the journal by one batch at most. If the append fails, the task ends and its memory with it.
 * T4. Nothing leaves before the batch that decided it is acknowledged: commands are forwarded after the append. Only
 *     dead letters leave before, since the batch that passes what cannot be read is what would lose it.
 * T5. What follows from one input is in one batch. Where none would take that, or it cannot be decided or folded,
 *     nothing follows: the input is a dead letter, and an entity whose timer it was stands still until its next change.
 * T6. What is taken, decided and appended at once is bounded in bytes, whatever waits.
 */
export class Task<S> {
  readonly journal: TopicPartition
  readonly stats: TaskStats = { rounds: 0, inputs: 0, events: 0, snapshots: 0, deadLetters: 0, foreign: 0 }
  readonly #component: Component<S>
  readonly #deps: TaskDeps
  readonly #clock: LedClock
  readonly #limits: TaskLimits
  readonly #timers: Timers
  readonly #entities: Entities<S>
  readonly #unanswered: Unanswered | undefined
  readonly #groupReadings: GroupReadings | undefined
  readonly #census: Census<S> | undefined
  readonly #positions = new Positions()
  readonly #lanes: Lanes
  readonly #snapshots: Snapshots<S>
  readonly #inputs: Inputs
  readonly #patience: Patience
  readonly #deadLetters: DeadLetters
  #work: Work<S> | undefined
  readonly #boundary = new Boundary(() => this.#resume())
  #wake: (() => void) | undefined
  #cancelWake: (() => void) | undefined
  #woken = false
  #readerArmed = false
  #stopping = false
  readonly #stop = Promise.withResolvers<void>()
  #running: Promise<void> | undefined
  /** Nothing is decided, or passed by the positions, that is not journaled. */
  #isSettled = true
  #snapshotting: Promise<void> | undefined
  /** While it recovers. */
  #leaveTurn: (() => void) | undefined

  constructor(component: Component<S>, journal: TopicPartition, given: TaskDeps) {
    this.journal = journal
    this.#component = component
    this.#clock = new LedClock(given.clock)
    const deps = { ...given, clock: this.#clock }
    this.#deps = deps
    this.#limits = { ...taskLimits, ...deps.limits }
    this.#timers = new Timers(deps.clock, () => this.#resume())
    this.#lanes = new Lanes({ log: deps.log, resume: () => this.#resume(), fail: (error) => this.#fail(error) })
    this.#unanswered = this.#watchOver(component)
    this.#groupReadings = this.#groupReadingsOf(component)
    this.#census = component.census?.()
    this.#entities = new Entities(component, this.#timers, {
      perPeriod: this.#limits.entitiesPerPeriod,
      unanswered: this.#unanswered,
      census: this.#census,
      ...(deps.living && { account: deps.living.account('entities') })
    })
    const { codec, clock, log, onPoison } = deps
    this.#snapshots = new Snapshots({
      ...{ log, component, journal, entities: this.#entities, bytesAim: this.#limits.batchBytesAim },
      onTooLarge: (key, error) => deps.onTooLarge?.(component.name, key, error)
    })
    const patience = new Patience(clock, (error) => this.#heldUp(error))
    this.#patience = patience
    this.#deadLetters = new DeadLetters({ log, clock, component: component.name, patience, onPoison })
    this.#inputs = new Inputs({
      ...{ codec, component, positions: this.#positions, lanes: this.#lanes, journal },
      partitionCount: (topic) => log.partitionCount(topic),
      ...(deps.recordsOf && { recordsOf: deps.recordsOf }),
      onForeign: () => this.stats.foreign++,
      onPoison: (place, record, error) => this.#deadLetters.add(place, record, error)
    })
  }

  /** Takes the journal partition over and begins to work; resolves when it does, or was stopped before. */
  async start(): Promise<void> {
    try {
      await this.#takeOver()
    } finally {
      // What came into memory after the stop is of no use to anybody, and is not to be counted for ever.
      if (this.#stopping) this.#holdNothing()
    }
  }

  async #takeOver(): Promise<void> {
    const { log, codec, clock, owner } = this.#deps
    const writer = await log.claim(this.journal)
    const fence = await fenceOff(writer, codec, owner, clock.now())
    this.#unanswered?.sendsFrom(fence)
    await this.#snapshots.claim()
    const recovered = await this.#recoverInTurn(fence)
    if (recovered === undefined) return
    this.#goOnFrom(recovered.writtenAt)
    await Promise.race([this.#component.caughtUp?.(), this.#stop.promise])
    if (this.#stopping) return
    const work = this.#workOn(writer, recovered)
    this.#work = work
    if (this.#lanes.names.size > 0) this.#resume()
    this.#groupReadings?.start()
    this.#running = this.#run(work).catch((error: unknown) => this.#fail(error))
  }

  /** What is due lies as far ahead as time had come for the last owner, also where this machine's clock is behind. */
  #goOnFrom(writtenAt: number): void {
    const aheadMs = this.#clock.notBefore(writtenAt)
    if (aheadMs > 0) this.#timers.rearm()
    if (aheadMs >= aheadMsTold) this.#deps.onAhead?.(placeName(this.journal), aheadMs)
  }

  /** Ends after the round under way; resolves when nothing of it runs any more. A start under way ends by itself. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#stop.resolve()
    this.#patience.stop()
    this.#groupReadings?.stop()
    this.#work?.forwarder.stop()
    this.#resume()
    await this.#running
    this.#work?.reader.close()
    this.#lanes.close()
    this.#timers.stop()
    this.#cancelWake?.()
    await (this.#snapshotting ??= this.#lastSnapshot(this.#work))
    this.#holdNothing()
  }

  #holdNothing(): void {
    this.#entities.close()
    this.#unanswered?.close()
    this.#census?.close()
  }

  /** Where memory equals the journal, and the next start would have much to read, it gets a snapshot. */
  async #lastSnapshot(work: Work<S> | undefined): Promise<void> {
    if (this.#isSettled && work?.schedule.isDueAtStop === true) this.#boundary.settle(work.journal.end)
    else this.#boundary.close()
    await work?.schedule.stop()
    this.#boundary.close()
  }

  /** The state of an entity in memory; for tests and inspection. */
  entity(key: string): S | undefined {
    return this.#entities.get(key)
  }

  /** How far it has done with each of its inputs: what was put off is still to be done. */
  nexts(): (TopicPartition & { readonly offset: number })[] {
    return this.#reads().map((place) => ({
      ...place,
      offset: Math.min(place.offset, this.#lanes.firstOf(placeName(place)) ?? Infinity)
    }))
  }

  #reads(): (TopicPartition & { readonly offset: number })[] {
    const { log } = this.#deps
    const places = inputPlaces(this.#component, this.journal, (topic) => log.partitionCount(topic))
    return places.map((place) => ({ ...place, offset: this.#positions.get(placeName(place)) }))
  }

  /** Its commands that wait for an answer, by inbox partition; undefined where the component waits for none. */
  get unanswered(): Unanswered['loads'] | undefined {
    return this.#unanswered?.loads
  }

  /** How many lanes have something that is put off. */
  get lanesPutOff(): number {
    return this.#lanes.names.size
  }

  get entityCount(): number {
    return this.#entities.size
  }

  /** Of these, how many lie in the snapshots alone. */
  get sleepingCount(): number {
    return this.#entities.sleepingCount
  }

  /** Undefined where it was stopped before it knew all that it needs. */
  async #recoverInTurn(fence: number): Promise<Recovered | undefined> {
    const { log, codec, turns } = this.#deps
    const leave = turns === undefined ? () => undefined : await turns.enter(this.#stop.promise)
    if (leave === undefined) return undefined
    this.#leaveTurn = leave
    try {
      const recovered = await recover(this.journal, fence, {
        ...{ log, codec, learn: this.#learn, patience: this.#patience, component: this.#component },
        ...{ entities: this.#entities, positions: this.#positions, snapshots: this.#snapshots },
        lanes: this.#lanes,
        ...{ isStopped: () => this.#stopping, bytesPerSnapshot: this.#limits.bytesPerSnapshot }
      })
      if (recovered !== undefined) await checkReach(log, this.#component.name, this.#reads())
      return recovered !== undefined && (await this.#hasLearntKept()) ? recovered : undefined
    } finally {
      leave()
    }
  }

  #heldUp(error: unknown): void {
    if (error !== undefined) this.#leaveTurn?.()
    this.#deps.onHeldUp?.(placeName(this.journal), error)
  }

  #workOn(writer: JournalWriter, recovered: Recovered): Work<S> {
    const forwarder = this.#forwarderFrom(recovered)
    const [positions, lanes, component] = [this.#positions, this.#lanes, this.#component]
    const { get } = this.#entities
    const onAppended = component.appended && ((event: Event) => component.appended!(event, get))
    const journal = new OwnJournal({ writer, component, positions, lanes, forwarder, recovered, onAppended })
    return {
      ...{ forwarder, journal },
      rounds: this.#roundsOn(journal),
      schedule: this.#scheduleOf(journal, forwarder),
      reader: this.#reader()
    }
  }

  #reader(): Reader | GatedReader {
    const [{ log }, census] = [this.#deps, this.#census]
    if (census?.room === undefined) return log.reader(this.#reads(), 'visible')
    const isInbox = ({ topic }: TopicPartition): boolean => topic === this.#component.inbox
    const { inbox = [], others = [] } = Object.groupBy(this.#reads(), (place) => (isInbox(place) ? 'inbox' : 'others'))
    const room = (): number => census.room!()
    return new GatedReader(log.reader(inbox, 'visible'), log.reader(others, 'visible'), room)
  }

  /** Sets out with what the last owner may not have forwarded. */
  #forwarderFrom({ forwarded: from, unforwarded, journalEnd }: Recovered): Forwarder {
    const forwarder = new Forwarder({
      ...{ log: this.#deps.log, patience: this.#patience, journal: this.journal, from },
      fail: (error) => this.#fail(error)
    })
    for (const { commands, offset, timestamp } of unforwarded) forwarder.add(commands, offset, timestamp)
    forwarder.add([], journalEnd - 1, 0)
    forwarder.kick()
    return forwarder
  }

  #roundsOn(journal: OwnJournal): Rounds<S> {
    const { codec, clock, fullNameOf, owner, onTooLarge } = this.#deps
    return new Rounds({
      ...{ codec, clock, fullNameOf, owner, journal, learn: this.#learn, ...(onTooLarge && { onTooLarge }) },
      ...{ component: this.#component, limits: this.#limits, stats: this.stats, patience: this.#patience },
      ...{ entities: this.#entities, timers: this.#timers, positions: this.#positions, inputs: this.#inputs },
      ...{ deadLetters: this.#deadLetters, snapshots: this.#snapshots, unanswered: this.#unanswered },
      ...{ lanes: this.#lanes, stopped: this.#stop.promise, home: this.#home },
      wakeAt: (atMs) => (this.#cancelWake = clock.at(atMs, () => this.#resume()))
    })
  }

  /** Foreign participants say by their group how far they have read. */
  #groupReadingsOf({ waits }: Component<S>): GroupReadings | undefined {
    const [{ log, clock }, unanswered] = [this.#deps, this.#unanswered]
    if (waits === undefined || unanswered === undefined) return undefined
    return new GroupReadings({
      ...{ log, clock, unanswered, journal: this.journal },
      groupOf: (inbox) => waits.groupOf(inbox),
      onRead: () => this.#resume(),
      onFailure: (inbox, error) => this.#deps.onGroupUntold?.(inbox, error)
    })
  }

  #watchOver({ waits }: Component<S>): Unanswered | undefined {
    if (waits === undefined) return undefined
    const { log, clock, living } = this.#deps
    return new Unanswered({
      living,
      partitionCount: (topic) => log.partitionCount(topic),
      tellsReading: (inbox, partition) => waits.tellsReading(inbox) && this.#readsTellerOf(inbox, partition),
      onClock: (entity) => this.#entities.clockRuns(entity, clock.now()),
      limits: this.#limits.unanswered,
      startedAt: clock.now()
    })
  }

  /** A participant tells of an inbox partition in that of its journal: this task reads its own, or all of them. */
  #readsTellerOf(inbox: string, partition: number): boolean {
    const { partition: own, partitions } = this.#home
    return partition === own || this.#deps.log.partitionCount(inbox) !== partitions
  }

  get #home(): Home {
    return { partition: this.journal.partition, partitions: this.#deps.log.partitionCount(this.journal.topic) }
  }

  #scheduleOf(journal: OwnJournal, forwarder: Forwarder): SnapshotSchedule<S> {
    return new SnapshotSchedule({
      ...{ clock: this.#deps.clock, limits: this.#limits, stats: this.stats, journal },
      ...{ entities: this.#entities, snapshots: this.#snapshots, atBoundary: this.#boundary.at },
      marker: () => ({
        ...{ offset: journal.end, positions: this.#positions.all(), lanes: this.#lanes.all() },
        ...forwardedOf(journal.end, forwarder.forwarded, forwarder.behind(behindMax)),
        at: this.#clock.now()
      }),
      resume: () => this.#resume(),
      fail: (error) => this.#fail(error)
    })
  }

  readonly #learn = (values: Iterable<Uint8Array | null>): Promise<void> | undefined => this.#deps.learn?.(values)

  /** Learns what all entities keep; false where the stop came first. */
  async #hasLearntKept(): Promise<boolean> {
    if (this.#component.keeps === undefined) return true
    return (await this.#patience.until(() => this.#learn(this.#entities.keptOfAll()))) !== false
  }

  async #run({ schedule, forwarder, rounds, reader, journal }: Work<S>): Promise<void> {
    while (!this.#stopping) {
      schedule.maybeBegin()
      await this.#idle(reader)
      await forwarder.relief()
      if (this.#stopping) return
      this.#isSettled = false
      this.#isSettled = await rounds.run(reader)
      if ('look' in reader) reader.look()
      if (!this.#stopping) this.#boundary.run(journal.end)
    }
  }

  /** Waits for an input, a timer, boundary work, or the stop. */
  async #idle(reader: Reader): Promise<void> {
    if (!this.#readerArmed) {
      this.#readerArmed = true
      reader.ready().then(
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

  #fail(error: unknown): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#isSettled = false
    this.#resume()
    this.#deps.onFailure(error)
  }
}
