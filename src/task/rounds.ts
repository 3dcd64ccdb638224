import { isParcomoloError, type ParcomoloError } from '../base/index.ts'
import type { LogRecord, Reader } from '../log/index.ts'
import { Batch, bytesMost, type Decided, tooLarge } from './batch.ts'
import type { Component, Event, Home, Input, Needed } from './component.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Entities } from './entities.ts'
import { header } from './headers.ts'
import type { Inputs, Taken } from './inputs.ts'
import type { Lanes } from './lanes.ts'
import { markerOf } from './marker.ts'
import type { OwnJournal } from './own-journal.ts'
import type { Patience } from './patience.ts'
import type { Positions } from './positions.ts'
import type { Snapshots } from './snapshots.ts'
import type { TaskDeps, TaskLimits, TaskStats } from './task-deps.ts'
import type { TimerEntry, Timers } from './timers.ts'
import type { Unanswered } from './unanswered.ts'
import { undecidable } from './undecidable.ts'

export type RoundsDeps<S> = Pick<TaskDeps, 'codec' | 'clock' | 'fullNameOf' | 'owner' | 'onTooLarge'> & {
  readonly component: Component<S>
  readonly limits: TaskLimits
  readonly stats: TaskStats
  readonly patience: Patience
  readonly entities: Entities<S>
  readonly timers: Timers
  readonly positions: Positions
  readonly inputs: Inputs
  readonly lanes: Lanes
  readonly deadLetters: DeadLetters
  readonly snapshots: Snapshots<S>
  readonly journal: OwnJournal
  readonly unanswered: Unanswered | undefined
  /** Wakes the task at this time. */
  readonly wakeAt: (atMs: number) => void
  /** Resolves when the task is to stop. */
  readonly stopped: Promise<void>
  readonly home: Home
  readonly learn: (values: Iterable<Uint8Array | null>) => Promise<void> | undefined
}

/**
 * The rounds of one task: take inputs and due timers, decide, append. It takes only so many bytes, and what it has
 * decided is appended as soon as it is as much as a batch is meant to have: what follows may follow in the same round.
 * T1 to T6 stand at `task.ts`.
 */
export class Rounds<S> {
  readonly #deps: RoundsDeps<S>
  readonly #batch: Batch
  #passedOver = 0
  /** Since when a command has been read that nothing follows from, while the journal does not say so. */
  #silentSince: number | undefined
  /** How many may begin in this round: what is fetched for it may fill the rest of the memory itself. */
  #room = 0
  /** When it looks again whether there is room in memory. */
  #looksForRoomAt = 0

  constructor(deps: RoundsDeps<S>) {
    this.#deps = deps
    this.#batch = new Batch(deps.limits.batchBytesAim)
  }

  /** False where the stop came first; what has been decided by then may not be journaled. */
  async run(reader: Reader): Promise<boolean> {
    const { lanes, clock, stats } = this.#deps
    const taken = await this.#take(reader)
    if (taken === undefined) return false
    const now = clock.now()
    if (!(await this.#decideAll(taken, now))) return false
    const asleep = this.#fireTimers(now, wakenPerRoundMax)
    if (asleep.length > 0 && !(await this.#wakeAndFire(asleep, now))) return false
    if (lanes.names.size > 0 && !(await this.#beginPutOff(now))) return false
    stats.rounds++
    stats.inputs += taken.length
    this.#noteSilence(taken, now)
    return this.#append(now)
  }

  /** False where the stop came first. */
  async #decideAll(taken: readonly Taken[], now: number): Promise<boolean> {
    const { inputs, unanswered } = this.#deps
    let passed = 0
    let decided = 0
    for (const one of taken) {
      this.#decideOn(this.#withoutPutOff(one), now)
      decided++
      if (!this.#batch.isFull) continue
      while (passed < decided) inputs.pass(taken[passed++]!)
      if (!(await this.#append(now))) return false
    }
    inputs.passAll()
    // After the answers, so that most of what was read waits for none any more.
    for (const { place, to } of inputs.takeReadings()) unanswered?.read(place, to, now)
    return true
  }

  /** The inputs that have come, with all that is to be known and in memory before they are decided on. */
  async #take(reader: Reader): Promise<readonly Taken[] | undefined> {
    const { limits, patience, learn, inputs, lanes, snapshots, entities } = this.#deps
    const chunks = reader.take(limits.inputsPerRoundMax, limits.inputBytesPerRoundMax)
    const again = lanes.take(this.#readTo)
    this.#room = entities.room
    const values = [...chunks, ...again].flatMap(({ records }) => records.map(({ value }) => value))
    const learning = patience.until(() => learn(values))
    if (learning !== undefined && !(await learning)) return undefined
    const taken = chunks.flatMap((chunk) => inputs.of(chunk))
    const anew = again.map((chunk) => ({ chunk, held: inputs.again(chunk) }))
    const coming = this.#comingFor([...taken, ...anew.flatMap(({ held }) => held)])
    if (coming !== undefined && !(await coming)) return undefined
    for (const { chunk, held } of anew) chunk.hold(held)
    this.#passedOver += values.length
    const fetching = snapshots.fetch(() => [...taken, ...lanes.held(this.#room)].flatMap(({ keys }) => keys))
    if (fetching !== undefined && !(await this.#hasLearntKept(await fetching))) return undefined
    return taken
  }

  /** All that these messages need from outside; undefined where that is nothing, false where the stop came first. */
  #comingFor(taken: readonly Taken[]): Promise<boolean> | undefined {
    const { component } = this.#deps
    if (component.needs === undefined) return undefined
    let needed: Needed[] | undefined
    // Most need nothing, and this is asked of each.
    for (const { input } of taken) {
      const needs = component.needs(input)
      if (needs !== undefined) (needed ??= []).push(needs)
    }
    return needed && this.#getToKnow(needed)
  }

  async #getToKnow(needed: readonly Needed[]): Promise<boolean> {
    const { patience, learn, stopped } = this.#deps
    if ((await patience.until(() => learn(needed.flatMap(({ values }) => values)))) === false) return false
    const coming = needed.flatMap(({ known }) => known?.().then(() => true) ?? [])
    // The stop is seldom: who waits for it each time is kept until then.
    if (coming.length === 0) return true
    return (await Promise.race([Promise.all(coming), stopped.then(() => false)])) !== false
  }

  /** How far a partition was read, but for what was put off. */
  readonly #readTo = (place: string): number => this.#deps.positions.get(place)

  /** What it begins is put off where there is no room for it, or what came before it waits as well. */
  #withoutPutOff(taken: Taken): Taken {
    const { lanes } = this.#deps
    const { input, place, record } = taken
    for (const lane of taken.lanes)
      if (lanes.names.has(lane) || !this.#hasRoom(lane, input.key)) lanes.putOff(lane, place, record.offset)
    return lanes.names.size === 0 ? taken : { ...taken, input: { ...input, putOff: lanes.names } }
  }

  #hasRoom(lane: string, key: string): boolean {
    const { component, unanswered } = this.#deps
    if (this.#room <= 0) {
      this.#waitForRoom()
      return false
    }
    if (unanswered?.room(component.beginnings!.inboxesOf(lane), key) === 0) return false
    this.#room--
    return true
  }

  /** Other tasks may give it, and do not know who waits. */
  #waitForRoom(): void {
    const { clock, wakeAt } = this.#deps
    const now = clock.now()
    if (this.#looksForRoomAt > now) return
    this.#looksForRoomAt = now + roomEveryMs
    wakeAt(this.#looksForRoomAt)
  }

  /** False where the stop came first. */
  #beginPutOff(now: number): Promise<boolean> {
    const { lanes, stats } = this.#deps
    const begin = (lane: string, taken: Taken): boolean => {
      if (!this.#hasRoom(lane, taken.input.key)) return false
      this.#decideOn(taken, now)
      stats.inputs++
      return true
    }
    return lanes.begin(this.#readTo, begin, async () => !this.#batch.isFull || this.#append(now))
  }

  async #hasLearntKept(keys: readonly string[]): Promise<boolean> {
    const { component, entities, patience, learn } = this.#deps
    if (component.keeps === undefined) return true
    return (await patience.until(() => learn(entities.kept(keys)))) !== false
  }

  #decideOn({ input, place, record }: Taken, now: number): void {
    const refusal = this.#decide(input, now)
    if (refusal !== undefined) this.#deps.deadLetters.add(place, record, refusal)
  }

  /** The keys of those that sleep, `asleepMax` at most: they have to be brought back before they are fired. */
  #fireTimers(now: number, asleepMax: number): readonly string[] {
    const { timers, limits, entities } = this.#deps
    const asleep: string[] = []
    for (let count = 0; count < limits.inputsPerRoundMax && !this.#batch.isFull; count++) {
      const entry = timers.take(now)
      if (entry === undefined) return asleep
      if (!entities.isAsleep(entry.key)) {
        this.#fire(entry, now)
        continue
      }
      entities.fired(entry.key)
      if (asleep.length < asleepMax) asleep.push(entry.key)
      else {
        entities.clockRuns(entry.key, now)
        break
      }
    }
    timers.arm()
    return asleep
  }

  /** False where the stop came first. */
  async #wakeAndFire(asleep: readonly string[], now: number): Promise<boolean> {
    const fetching = this.#deps.snapshots.fetch(() => asleep)
    if (fetching !== undefined && !(await this.#hasLearntKept(await fetching))) return false
    this.#fireTimers(now, 0)
    return true
  }

  /** A timer that is due and has no consequence would be due for ever, so its entity stands still. */
  #fire(entry: TimerEntry, now: number): void {
    const { component, entities, onTooLarge } = this.#deps
    if (!entities.isDue(entry, now)) return
    const before = this.#batch.count
    const input = { kind: 'timer', key: entry.key, home: this.#deps.home } as const
    const refusal = this.#decide(input, now)
    if (refusal === undefined && this.#batch.count > before) return entities.reschedule(entry.key)
    entities.standStill(entry.key)
    const inVain = new TypeError('nothing follows from it, and an event has to move it on')
    onTooLarge?.(component.name, entry.key, refusal ?? undecidable(component.name, nameOf(input), inVain))
  }

  /** Undefined where it is decided; otherwise why it cannot be, or not be journaled, and nothing has changed. */
  #decide(input: Input, now: number): ParcomoloError | undefined {
    const { component, entities, journal } = this.#deps
    const attemptsOf = (key: string) => entities.attemptOf(key, now)
    try {
      const decided = this.#encoded(component.decide(entities.get, input, now, attemptsOf), now)
      if (!this.#batch.takes(decided)) return tooLarge(nameOf(input), decided, this.#deps.limits.batchBytesAim)
      entities.applyAll(decided.events, journal.end + this.#batch.count, isAnswer(input))
      this.#batch.add(decided)
      return undefined
    } catch (error) {
      if (isParcomoloError(error) && error.retryable) throw error
      return undecidable(component.name, nameOf(input), error)
    }
  }

  #encoded(decided: readonly Event[], at: number): Decided {
    const { codec, fullNameOf } = this.#deps
    const [events, records]: [Event[], LogRecord[]] = [[], []]
    let bytes = 0
    for (const event of decided) {
      const { key, type, fullName, causationId } = event
      const value = codec.encode(fullName ?? fullNameOf(type), event.value)
      const headers =
        causationId === undefined ? { [header.type]: type } : { [header.type]: type, [header.causationId]: causationId }
      events.push({ ...event, at })
      records.push({ key, value, timestamp: at, headers })
      bytes += bytesMost(key, value, causationId)
    }
    return { events, records, bytes }
  }

  /** What has been decided, and the positions of what led to it; the letters of what they pass go before. */
  async #append(now: number): Promise<boolean> {
    const { deadLetters, journal, stats } = this.#deps
    if (deadLetters.waiting > 0 && !(await this.#sendDeadLetters())) return false
    if (this.#batch.count === 0 && !this.#arePositionsDue(now)) return true
    const decided = this.#batch.take()
    this.#passedOver = 0
    this.#silentSince = undefined
    if (decided.records.length === 0) decided.records.push(this.#marker(now))
    await journal.append(decided, now)
    stats.events += decided.events.length
    return true
  }

  async #sendDeadLetters(): Promise<boolean> {
    const { deadLetters, limits, stats } = this.#deps
    stats.deadLetters += deadLetters.waiting
    // Their positions are journaled with this round, whatever else follows from it: a restart would double the letters.
    this.#passedOver += limits.idlePositionsMax
    return deadLetters.send()
  }

  /** Whoever has sent a command waits to hear that it was read, also where there is no answer. */
  #noteSilence(taken: readonly Taken[], now: number): void {
    if (this.#batch.count > 0 || this.#silentSince !== undefined) return
    if (!taken.some(({ sequence }) => sequence !== undefined)) return
    this.#silentSince = now
    this.#deps.wakeAt(now + this.#deps.limits.silentMsMax)
  }

  /**
   * Inputs without consequence move the positions too; now and then that is journaled, so that a restart need not read
   * them all again.
   */
  #arePositionsDue(now: number): boolean {
    const { limits, positions } = this.#deps
    const isSilent = this.#silentSince !== undefined && now >= this.#silentSince + limits.silentMsMax
    return (isSilent || this.#passedOver >= limits.idlePositionsMax) && positions.hasChanged
  }

  #marker(now: number): LogRecord {
    return markerOf(this.#deps.codec, this.#deps.owner, now)
  }
}

/** So many that sleep are brought back at once, as their time comes. */
const wakenPerRoundMax = 200
/** Who finds no room for what is put off looks again so often. */
const roomEveryMs = 200

const isAnswer = (input: Input): boolean => input.kind === 'message' && input.causationId !== undefined

const nameOf = (input: Input): string => (input.kind === 'timer' ? `the timer of '${input.key}'` : `'${input.type}'`)
