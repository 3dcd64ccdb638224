import { ParcomoloError } from '../base/index.ts'
import { type LogRecord, type Reader } from '../log/index.ts'
import type { Component, Event, Input } from './component.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Entities } from './entities.ts'
import { header } from './headers.ts'
import type { Inputs } from './inputs.ts'
import { markerOf } from './marker.ts'
import type { OwnJournal } from './own-journal.ts'
import type { Patience } from './patience.ts'
import type { Positions } from './positions.ts'
import type { Snapshots } from './snapshots.ts'
import type { TaskDeps, TaskLimits, TaskStats } from './task-deps.ts'
import type { TimerEntry, Timers } from './timers.ts'

export type RoundsDeps<S> = Pick<TaskDeps, 'codec' | 'clock' | 'fullNameOf' | 'owner'> & {
  readonly component: Component<S>
  readonly limits: TaskLimits
  readonly stats: TaskStats
  readonly patience: Patience
  readonly entities: Entities<S>
  readonly timers: Timers
  readonly positions: Positions
  readonly inputs: Inputs
  readonly deadLetters: DeadLetters
  readonly snapshots: Snapshots<S>
  readonly journal: OwnJournal
  readonly learn: (values: Iterable<Uint8Array | null>) => Promise<void> | undefined
}

/**
 * The rounds of one task: take inputs and due timers, decide, append. T1 to T4 stand at `task.ts`.
 */
export class Rounds<S> {
  readonly #deps: RoundsDeps<S>
  #passedOver = 0

  constructor(deps: RoundsDeps<S>) {
    this.#deps = deps
  }

  async run(reader: Reader): Promise<void> {
    const { limits, patience, inputs, deadLetters, snapshots, stats } = this.#deps
    const chunks = reader.take(limits.inputsPerRoundMax)
    const values = chunks.flatMap(({ records }) => records.map(({ value }) => value))
    const learning = patience.until(() => this.#deps.learn(values))
    if (learning !== undefined && !(await learning)) return
    const taken = chunks.flatMap((chunk) => inputs.of(chunk))
    this.#passedOver += values.length
    if (deadLetters.waiting > 0 && !(await this.#sendDeadLetters())) return
    const fetching = snapshots.fetch(() => taken.flatMap(({ keys }) => keys))
    if (fetching !== undefined && !(await this.#hasLearntKept(await fetching))) return
    const now = this.#deps.clock.now()
    const records: LogRecord[] = []
    const events: Event[] = []
    for (const { input } of taken) this.#decide(input, now, records, events)
    for (const entry of this.#takeTimers(now)) this.#fire(entry, now, records, events)
    stats.rounds++
    stats.inputs += taken.length
    if (events.length > 0) await this.#append(records, events, now)
    else await this.#appendPositions(now)
  }

  async #hasLearntKept(keys: readonly string[]): Promise<boolean> {
    const { component, entities, patience, learn } = this.#deps
    if (component.keeps === undefined) return true
    return (await patience.until(() => learn(entities.kept(keys)))) !== false
  }

  /** False where the stop came first: nothing of the round may be journaled then. */
  async #sendDeadLetters(): Promise<boolean> {
    const { deadLetters, limits, stats } = this.#deps
    stats.deadLetters += deadLetters.waiting
    // Their positions are journaled with this round, whatever else follows from it: a restart would double the letters.
    this.#passedOver += limits.idlePositionsMax
    return deadLetters.send()
  }

  #decide(input: Input, now: number, records: LogRecord[], events: Event[]): void {
    const { component, entities, journal } = this.#deps
    for (const decided of component.decide(entities.get, input, now)) {
      const event: Event = { ...decided, at: now }
      entities.apply(event, journal.end + events.length)
      events.push(event)
      records.push(this.#record(event, now))
    }
  }

  /** A timer that is due and has no consequence would be due for ever, so that is a defect. */
  #fire(entry: TimerEntry, now: number, records: LogRecord[], events: Event[]): void {
    const { component, entities } = this.#deps
    if (!entities.isDue(entry, now)) return
    const before = events.length
    this.#decide({ kind: 'timer', key: entry.key }, now, records, events)
    if (events.length === before) throw timerWithoutConsequence(component.name, entry.key)
    entities.rescheduled(entry.key)
  }

  #takeTimers(now: number): TimerEntry[] {
    const { timers, limits } = this.#deps
    const entries: TimerEntry[] = []
    while (entries.length < limits.inputsPerRoundMax) {
      const entry = timers.take(now)
      if (entry === undefined) break
      entries.push(entry)
    }
    return entries
  }

  #record({ key, type, fullName, value, causationId }: Event, timestamp: number): LogRecord {
    const { codec, fullNameOf } = this.#deps
    const bytes = codec.encode(fullName ?? fullNameOf(type), value)
    const headers =
      causationId === undefined ? { [header.type]: type } : { [header.type]: type, [header.causationId]: causationId }
    return { key, value: bytes, timestamp, headers }
  }

  async #append(records: LogRecord[], events: readonly Event[], now: number): Promise<void> {
    this.#passedOver = 0
    await this.#deps.journal.append(records, events, now)
    this.#deps.stats.events += events.length
  }

  /**
   * Inputs without consequence move the positions too; now and then that is journaled, so that a restart need not read
   * them all again.
   */
  async #appendPositions(now: number): Promise<void> {
    const { limits, positions, codec, owner } = this.#deps
    if (this.#passedOver < limits.idlePositionsMax || !positions.hasChanged) return
    await this.#append([markerOf(codec, owner, now)], [], now)
  }
}

const timerWithoutConsequence = (component: string, key: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `the timer of '${key}' in '${component}' is due but nothing follows from it; an event has to move it on`
  )
