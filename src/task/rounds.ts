import { ParcomoloError } from '../base/index.ts'
import type { LogRecord, Reader } from '../log/index.ts'
import { Batch, bytesMost, type Decided, tooLarge } from './batch.ts'
import type { Component, Event, Input } from './component.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Entities } from './entities.ts'
import { header } from './headers.ts'
import type { Inputs, Taken } from './inputs.ts'
import { markerOf } from './marker.ts'
import type { OwnJournal } from './own-journal.ts'
import type { Patience } from './patience.ts'
import type { Positions } from './positions.ts'
import type { Snapshots } from './snapshots.ts'
import type { TaskDeps, TaskLimits, TaskStats } from './task-deps.ts'
import type { TimerEntry, Timers } from './timers.ts'

export type RoundsDeps<S> = Pick<TaskDeps, 'codec' | 'clock' | 'fullNameOf' | 'owner' | 'onTooLarge'> & {
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
 * The rounds of one task: take inputs and due timers, decide, append. It takes only so many bytes, and what it has
 * decided is appended as soon as it is as much as a batch is meant to have: what follows may follow in the same round.
 * T1 to T6 stand at `task.ts`.
 */
export class Rounds<S> {
  readonly #deps: RoundsDeps<S>
  readonly #batch: Batch
  #passedOver = 0

  constructor(deps: RoundsDeps<S>) {
    this.#deps = deps
    this.#batch = new Batch(deps.limits.batchBytesAim)
  }

  /** False where the stop came first; what has been decided by then may not be journaled. */
  async run(reader: Reader): Promise<boolean> {
    const { inputs, clock, stats } = this.#deps
    const taken = await this.#take(reader)
    if (taken === undefined) return false
    const now = clock.now()
    let passed = 0
    let decided = 0
    for (const one of taken) {
      this.#decideOn(one, now)
      decided++
      if (!this.#batch.isFull) continue
      while (passed < decided) inputs.pass(taken[passed++]!)
      if (!(await this.#append(now))) return false
    }
    inputs.passAll()
    this.#fireTimers(now)
    stats.rounds++
    stats.inputs += taken.length
    return this.#append(now)
  }

  /** The inputs that have come, with all that is to be known and in memory before they are decided on. */
  async #take(reader: Reader): Promise<readonly Taken[] | undefined> {
    const { limits, patience, learn, inputs, snapshots } = this.#deps
    const chunks = reader.take(limits.inputsPerRoundMax, limits.inputBytesPerRoundMax)
    const values = chunks.flatMap(({ records }) => records.map(({ value }) => value))
    const learning = patience.until(() => learn(values))
    if (learning !== undefined && !(await learning)) return undefined
    const taken = chunks.flatMap((chunk) => inputs.of(chunk))
    this.#passedOver += values.length
    const fetching = snapshots.fetch(() => taken.flatMap(({ keys }) => keys))
    if (fetching !== undefined && !(await this.#hasLearntKept(await fetching))) return undefined
    return taken
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

  #fireTimers(now: number): void {
    const { timers, limits } = this.#deps
    for (let count = 0; count < limits.inputsPerRoundMax && !this.#batch.isFull; count++) {
      const entry = timers.take(now)
      if (entry === undefined) return
      this.#fire(entry, now)
    }
    timers.arm()
  }

  /** A timer that is due and has no consequence would be due for ever, so that is a defect. */
  #fire(entry: TimerEntry, now: number): void {
    const { component, entities, onTooLarge } = this.#deps
    if (!entities.isDue(entry, now)) return
    const before = this.#batch.count
    const refusal = this.#decide({ kind: 'timer', key: entry.key }, now)
    if (refusal !== undefined) return onTooLarge?.(component.name, entry.key, refusal)
    if (this.#batch.count === before) throw timerWithoutConsequence(component.name, entry.key)
    entities.reschedule(entry.key)
  }

  /** Undefined where it is decided; otherwise why it cannot be journaled, and nothing has changed. */
  #decide(input: Input, now: number): ParcomoloError | undefined {
    const { component, entities, journal } = this.#deps
    const decided = this.#encoded(component.decide(entities.get, input, now), now)
    let offset = journal.end + this.#batch.count
    if (!this.#batch.add(decided)) return tooLarge(nameOf(input), decided, this.#deps.limits.batchBytesAim)
    for (const event of decided.events) entities.apply(event, offset++)
    return undefined
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
    if (this.#batch.count === 0 && !this.#arePositionsDue()) return true
    const decided = this.#batch.take()
    this.#passedOver = 0
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

  /**
   * Inputs without consequence move the positions too; now and then that is journaled, so that a restart need not read
   * them all again.
   */
  #arePositionsDue(): boolean {
    const { limits, positions } = this.#deps
    return this.#passedOver >= limits.idlePositionsMax && positions.hasChanged
  }

  #marker(now: number): LogRecord {
    return markerOf(this.#deps.codec, this.#deps.owner, now)
  }
}

const nameOf = (input: Input): string => (input.kind === 'timer' ? `the timer of '${input.key}'` : `'${input.type}'`)

const timerWithoutConsequence = (component: string, key: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_DEFECT',
    `the timer of '${key}' in '${component}' is due but nothing follows from it; an event has to move it on`
  )
