import { type Account, Budget } from '../base/index.ts'
import { bytesOf, type Cell, cellBytes, type Encoded, isAsleep, never, newCell, packedBytes, textOf } from './cell.ts'
import type { AttemptOf, Census, Component, Event } from './component.ts'
import type { EntitiesOptions } from './entities-options.ts'
import { KeptHeads } from './kept-heads.ts'
import { Sleepers } from './sleepers.ts'
import type { TimerEntry, Timers } from './timers.ts'
import type { Change, Unanswered } from './unanswered.ts'
import { Undos } from './undos.ts'

/**
 * The entities of one task that are in memory, as the fold of its journal.
 *
 * E1. `version` never goes back; an event below an entity's version has been folded into it already and is passed over.
 * E2. An entity is out of memory only if it has ended and the archive holds it (see snapshots.ts), if it sleeps (E4),
 *     or if it has never been.
 * E3. An entity that was not asked for in this period or the one before is packed: it is as large as its snapshot then.
 * E4. Where those in memory hold more than their part of the process's memory, those sleep that the snapshots have as
 *     they are: the snapshots alone have them, but for their timer, until somebody asks for them or their time comes.
 */
export class Entities<S> {
  /** Entities changed since the last snapshot has begun. */
  dirty = new Set<string>()
  readonly #cells = new Map<string, Cell<S>>()
  readonly #component: Component<S>
  readonly #timers: Timers
  #period = 1
  /** Those that were asked for in this period, and in the one before. */
  #recent: Cell<S>[] = []
  #earlier: Cell<S>[] = []
  /** Of what the others keep. */
  readonly #keptHeads = new KeptHeads()

  readonly #asleep: Sleepers
  /** What the events under way have changed, so many; the places are used again. */
  readonly #undos = new Undos<S>()
  readonly #perPeriod: number
  readonly #unanswered: Unanswered | undefined
  readonly #census: Census<S> | undefined
  readonly #account: Account

  constructor(component: Component<S>, timers: Timers, options: EntitiesOptions<S>) {
    const { perPeriod, unanswered, census, account } = options
    this.#component = component
    this.#timers = timers
    this.#asleep = new Sleepers(timers)
    this.#perPeriod = perPeriod
    this.#unanswered = unanswered
    this.#account = account ?? new Budget(Infinity).account('')
    this.#census = census
  }

  get size(): number {
    return this.#cells.size + this.#asleep.size
  }

  get sleepingCount(): number {
    return this.#asleep.size
  }

  isAsleep(key: string): boolean {
    return this.#asleep.has(key)
  }

  /** How many may begin until those in memory hold all that they may. */
  get room(): number {
    return Math.max(0, Math.ceil((this.#account.bytesMax - this.#account.heldBytes) / cellBytes))
  }

  /** Some of them should sleep, or leave for the archive, before there is no room. */
  get isCrowded(): boolean {
    return this.#account.heldBytes > crowdedAt * this.#account.bytesMax
  }

  readonly get = (key: string): S | undefined => {
    const cell = this.#cells.get(key)
    if (cell !== undefined) return this.#stateOf(cell)
    this.#checkAwake(key)
    return undefined
  }

  version(key: string): number | undefined {
    return this.#cells.get(key)?.version
  }

  encoded(key: string): Encoded | undefined {
    const cell = this.#cells.get(key)
    if (cell === undefined) return undefined
    const { state, packed, version } = cell
    const bytes = state === undefined ? bytesOf(packed!) : this.#component.snapshot.encode(state)
    return { bytes, version, hasEnded: this.hasEnded(key) }
  }

  /** False also for one that is not in memory. */
  hasEnded(key: string): boolean {
    const cell = this.#cells.get(key)
    return cell !== undefined && (cell.state === undefined ? cell.hasEnded : this.#component.hasEnded(cell.state))
  }

  has(key: string): boolean {
    return this.#cells.has(key)
  }

  /** The encoded values that those in memory among these keep. */
  *kept(keys: Iterable<string>): Iterable<Uint8Array> {
    for (const key of keys) {
      const state = this.get(key)
      if (state !== undefined) yield* this.#component.keeps?.(state) ?? []
    }
  }

  /** Of what all in memory keep, at least the first bytes of one value for each schema. */
  *keptOfAll(): Iterable<Uint8Array> {
    yield* this.#keptHeads.all()
    for (const { state } of [...this.#recent, ...this.#earlier])
      if (state !== undefined) yield* this.#component.keeps?.(state) ?? []
  }

  /**
   * Takes in an entity as a snapshot has it, in the place of what an older one has had; its commands were sent before
   * `version`, and nobody knows what was read.
   */
  restore(key: string, bytes: Uint8Array, version: number): void {
    this.forget(key)
    const state = this.#component.snapshot.decode(bytes)
    this.#count(undefined, state)
    this.#add(key, state, version).packed = textOf(bytes)
    this.#tellAwaited(key, undefined, state, { offset: version - 1, now: 0, isAnswer: false, isRestored: true })
  }

  /** Takes in one that slept, as it was: what it waits for was known all the time. */
  wake(key: string, bytes: Uint8Array, version: number): void {
    this.#asleep.leave(key)
    this.#add(key, this.#component.snapshot.decode(bytes), version).packed = textOf(bytes)
  }

  /** What was restored of it does not hold any more. */
  forget(key: string): void {
    this.#countOut(key)
    this.evict(key)
  }

  /** Lets an entity leave memory; the caller knows that the archive holds it. */
  evict(key: string): void {
    const cell = this.#cells.get(key)
    if (cell !== undefined) {
      this.#unschedule(cell)
      this.#drop(cell)
    } else if (this.#asleep.has(key)) this.#asleep.leave(key)
    else return
    this.#unanswered?.change(key, '', none, { offset: 0, now: 0, isAnswer: false })
  }

  /** Packs all that nobody asks for at this moment, whatever was asked for last: it takes a third of the memory. */
  packAll(): void {
    for (let period = 0; period < 2; period++) this.#endPeriod()
  }

  /**
   * Lets those sleep, where there are too many, that nothing has changed in since the last whole snapshot, the eldest
   * first; the caller knows that the snapshots have them.
   */
  sleep(): void {
    if (!this.isCrowded) return
    const bytesMax = sleepingTo * this.#account.bytesMax
    this.packAll()
    for (const cell of this.#cells.values()) {
      if (this.#account.heldBytes <= bytesMax) return
      if (cell.state !== undefined || cell.hasEnded || this.dirty.has(cell.key)) continue
      if (this.#component.staysAwake?.(cell.key) === true) continue
      const group = this.#census?.groupOf(this.#component.snapshot.decode(bytesOf(cell.packed!)))
      this.#drop(cell)
      this.#asleep.add(cell.key, { timer: cell.timer, group })
    }
  }

  /** The timer of one that sleeps was taken out: it has to be brought back, and its timer is set anew by that. */
  fired(key: string): void {
    this.#asleep.fired(key)
  }

  /** Holds nothing any more. */
  close(): void {
    this.#account.clear()
  }

  /**
   * Folds one event, which stands (or will stand) at this journal offset; `isAnswer`: an answer to one of its commands
   * has led to it.
   */
  apply(event: Event, offset: number, isAnswer = false): void {
    const change = { offset, now: event.at ?? 0, isAnswer }
    for (const key of this.#component.touches(event)) this.#applyTo(this.#cells.get(key) ?? key, event, change)
  }

  /**
   * Folds what follows from one input, as `apply` does; where one of the events cannot be folded, none is, and it
   * throws. What follows from the first event is what the answer says, and the rest is what the component makes of it.
   */
  applyAll(events: readonly Event[], offset: number, isAnswer: boolean): void {
    this.#undos.begin()
    try {
      for (let i = 0; i < events.length; i++) this.apply(events[i]!, offset + i, i === 0 && isAnswer)
    } catch (error) {
      this.#undo()
      throw error
    } finally {
      this.#undos.end()
    }
  }

  #undo(): void {
    for (let undo = this.#undos.take(); undo !== undefined; undo = this.#undos.take()) {
      const { key, before, version } = undo
      const cell = this.#cells.get(key)
      const after = cell && this.#stateOf(cell)
      this.#count(after, before)
      // Nobody knows any more what was read of its commands.
      const change = { offset: version - 1, now: 0, isAnswer: false, isRestored: true }
      if (before !== undefined) this.#tellAwaited(key, after, before, change)
      this.#replace(key, cell, before, version)
    }
  }

  /** How the attempts of an entity stand now. */
  attemptOf(key: string, now: number): AttemptOf | undefined {
    return this.#unanswered?.attemptOf(key, now)
  }

  /** The clock of one of its attempts runs, after its timer had fired in vain. */
  clockRuns(key: string, now: number): void {
    const cell = this.#cells.get(key)
    if (cell !== undefined) this.#schedule(cell, this.#stateOf(cell), this.attemptOf(key, now))
    else this.#asleep.callAt(key, now)
  }

  /**
   * An entry was taken out of the timers. True when the entity's time has come; it gets another one with its next
   * change, or by `reschedule`. Otherwise it was early, and is set again.
   */
  isDue({ key }: TimerEntry, now: number): boolean {
    const cell = this.#cells.get(key)!
    const state = this.#stateOf(cell)
    cell.timer = undefined
    const attemptOf = this.attemptOf(key, now)
    const wanted = this.#component.dueAt(state, attemptOf)
    if (wanted !== undefined && wanted <= now) return true
    this.#unanswered?.firedInVain(key)
    this.#schedule(cell, state, attemptOf)
    return false
  }

  /** Its time has come and gone by in vain: it wants another only with its next change. */
  standStill(key: string): void {
    const cell = this.#cells.get(key)
    if (cell !== undefined) this.#unschedule(cell)
  }

  /** Its time has come and gone by; it may want another. */
  reschedule(key: string): void {
    const cell = this.#cells.get(key)
    if (cell !== undefined) this.#schedule(cell, this.#stateOf(cell))
  }

  /** `at`: the entity in memory, or the key of one that is not. */
  #applyTo(at: Cell<S> | string, event: Event, change: Change): void {
    const [key, cell] = typeof at === 'string' ? [at, undefined] : [at.key, at]
    if (cell === undefined) this.#checkAwake(key)
    else if (change.offset < cell.version) return
    const before = cell && this.#stateOf(cell)
    const state = this.#component.evolve(before, event, key)
    this.#undos.note(key, before, cell?.version ?? 0)
    if (state !== undefined || cell !== undefined) this.dirty.add(key)
    this.#count(before, state)
    this.#tellAwaited(key, before, state, change)
    this.#replace(key, cell, state, change.offset + 1)
  }

  #replace(key: string, cell: Cell<S> | undefined, state: S | undefined, version: number): void {
    if (state === undefined) {
      this.evict(key)
      return
    }
    if (cell === undefined) {
      this.#add(key, state, version)
      return
    }
    cell.state = state
    cell.packed = undefined
    cell.version = version
    this.#schedule(cell, state)
  }

  #add(key: string, state: S, version: number): Cell<S> {
    const cell = newCell(key, state, version)
    this.#cells.set(key, cell)
    this.#account.hold(cellBytes)
    this.#touch(cell)
    this.#schedule(cell, state)
    return cell
  }

  #stateOf(cell: Cell<S>): S {
    this.#touch(cell)
    if (cell.state !== undefined) return cell.state
    this.#account.hold(cellBytes - packedBytes(cell))
    return (cell.state = this.#component.snapshot.decode(bytesOf(cell.packed!)))
  }

  #drop(cell: Cell<S>): void {
    this.#account.release(cell.state === undefined ? packedBytes(cell) : cellBytes)
    cell.period = never
    this.#cells.delete(cell.key)
  }

  #checkAwake(key: string): void {
    if (this.#asleep.has(key)) throw isAsleep(this.#component.name, key)
  }

  #touch(cell: Cell<S>): void {
    if (cell.period === this.#period) return
    cell.period = this.#period
    if (this.#recent.push(cell) >= this.#perPeriod) this.#endPeriod()
  }

  #endPeriod(): void {
    const isCrowded = this.#cells.size > crowdedAfterPeriods * this.#perPeriod
    for (const idle of this.#earlier) if (idle.period === this.#period - 1) this.#pack(idle, isCrowded)
    this.#earlier = this.#recent
    this.#recent = []
    this.#period++
  }

  /** What has ended leaves with the next snapshot, so packing it pays only where there are many. */
  #pack(cell: Cell<S>, isCrowded: boolean): void {
    const state = cell.state!
    for (const bytes of this.#component.keeps?.(state) ?? []) this.#keptHeads.note(bytes)
    cell.hasEnded = this.#component.hasEnded(state)
    if (cell.hasEnded && !isCrowded) return
    cell.packed ??= textOf(this.#component.snapshot.encode(state))
    cell.state = undefined
    this.#account.hold(packedBytes(cell) - cellBytes)
  }

  #count(before: S | undefined, after: S | undefined): void {
    if (this.#census === undefined) return
    const [lived, lives] = [this.#lives(before), this.#lives(after)]
    if (lived && !lives) this.#census.groupOf(before!).add(-1)
    else if (lives && !lived) this.#census.groupOf(after!).add(1)
    else if (lives && this.#census.moves === true) {
      this.#census.groupOf(before!).add(-1)
      this.#census.groupOf(after!).add(1)
    }
  }

  #lives(state: S | undefined): boolean {
    return state !== undefined && !this.#component.hasEnded(state)
  }

  /** Of one in memory that a newer snapshot takes the place of. */
  #countOut(key: string): void {
    if (this.#census === undefined) return
    const asleep = this.#asleep.groupOf(key)
    if (asleep !== undefined) asleep.add(-1)
    else if (this.#cells.has(key)) this.#count(this.get(key), undefined)
  }

  #tellAwaited(key: string, before: S | undefined, after: S | undefined, change: Change): void {
    const waits = this.#component.waits
    if (waits === undefined || this.#unanswered === undefined) return
    const awaitedBefore = before === undefined ? none : waits.of(before)
    const awaited = after === undefined ? none : waits.of(after)
    if (awaited !== awaitedBefore) this.#unanswered.change(key, waits.keyOf((after ?? before)!), awaited, change)
  }

  /**
   * It is moved to an earlier time only: a timer that fires too early is set again then. So whether a command was read
   * is not asked before its timer has fired, which most never do.
   */
  #schedule(cell: Cell<S>, state: S, attemptOf?: AttemptOf): void {
    const dueAt = this.#component.dueAt(state, attemptOf)
    if (dueAt === undefined) this.#unschedule(cell)
    else if (cell.timer === undefined) cell.timer = this.#timers.add(cell.key, dueAt)
    else if (dueAt < cell.timer.dueAt) this.#timers.advance(cell.timer, dueAt)
  }

  #unschedule(cell: Cell<S>): void {
    if (cell.timer !== undefined) this.#timers.remove(cell.timer)
    cell.timer = undefined
  }
}

const none: readonly never[] = []
/** Of what they may hold: when some should leave, and how many do then. */
const crowdedAt = 0.75
const sleepingTo = 0.5
/** There are many entities where so many periods would not have room for them. */
const crowdedAfterPeriods = 20
