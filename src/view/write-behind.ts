import { ParcomoloError } from '../base/index.ts'
import type { Table } from './folding.ts'
import { covers, type Progress } from './progress.ts'
import type { Skipped } from './record.ts'
import type { Moment, Position, Positions, ViewStore } from './store.ts'

/**
 * Brings what has been folded in memory into the store, which other views of the same journals may write to as well.
 * No view is the first among them: whoever comes first writes.
 *
 * B1. `known` is the newest moment of the store that this view has seen. Every row that an event beyond it has changed
 *     is marked as changed in memory.
 * B2. A write is made on top of `known` alone, and only when memory has reached it: so whatever it replaces is older.
 * B3. A view that finds another's write leaves the next one to that view too, as long as that brings in within a turn
 *     what this one has folded. So of many views one writes while it lives, and another goes on two turns later.
 */
export class WriteBehind {
  readonly #store: ViewStore
  readonly #tables: readonly Table[]
  readonly #progress: Progress
  #known: Moment
  /** The version of `known` at the end of the turn before. */
  #lastVersion: number
  #changedPlaces = new Map<string, Position>()
  #skipped: Skipped[] = []
  /** Where memory stood when writing was left to another view, until that has written as much. */
  #left: Positions | undefined
  #turn: Promise<boolean> | undefined

  constructor(store: ViewStore, tables: readonly Table[], progress: Progress, start: Moment) {
    this.#store = store
    this.#tables = tables
    this.#progress = progress
    this.#known = start
    this.#lastVersion = start.version
  }

  get known(): Moment {
    return this.#known
  }

  get hasChanged(): boolean {
    return this.#changedPlaces.size > 0
  }

  /** Another view has written more than this one has folded: it has to fold first. */
  get isBehind(): boolean {
    return !this.#progress.hasReached(this.#known)
  }

  advance(place: string, position: Position): void {
    this.#progress.advance(place, position)
    this.#changedPlaces.set(place, position)
  }

  skip(skipped: readonly Skipped[]): void {
    this.#skipped.push(...skipped)
  }

  /**
   * Writes what has changed in one transaction, if it is for this view to do so; one turn at a time. False where
   * nothing was written although there is something. After a failure everything is still to be written.
   */
  turn(): Promise<boolean> {
    return this.#oneByOne(true)
  }

  /** Until the store has all that had been folded at the call, by whosever hand. Each time round it has come nearer. */
  async flush(): Promise<void> {
    const target = new Map(this.#changedPlaces)
    while (!covers(this.#known.positions, target)) {
      await this.#oneByOne(false)
      await this.#progress.reach(this.#known)
    }
  }

  /** Throws where the store has gone back behind `since`, which was known when something was asked for. */
  check(moment: Moment, since: Moment): void {
    if (moment === since) return
    const isNewer = moment.version > since.version && covers(moment.positions, since.positions)
    const isSame = moment.version === since.version && moment.id === since.id
    if (!isNewer && !isSame) throw wentBack(moment, since)
  }

  async #oneByOne(mayLeave: boolean): Promise<boolean> {
    while (this.#turn !== undefined) await this.#turn.catch(() => undefined)
    if (!this.hasChanged) return true
    this.#turn = this.#take(mayLeave)
    try {
      return await this.#turn
    } finally {
      this.#turn = undefined
    }
  }

  async #take(mayLeave: boolean): Promise<boolean> {
    const moment = await this.#store.moment()
    this.check(moment, this.#known)
    this.#known = moment
    this.#forgetStored()
    if (!this.hasChanged) return true
    if (this.isBehind || (mayLeave && this.#leavesIt())) return false
    return this.#write(moment)
  }

  /** What others have written needs no writing. */
  #forgetStored(): void {
    const { positions } = this.#known
    if (covers(positions, this.#progress.positions)) this.#startTurn()
    else if (this.#left === undefined || !covers(positions, this.#left)) return
    this.#left = undefined
    for (const { rows } of this.#tables) rows.forgetEarlier()
    const isStored = (place: string, next: number): boolean => (positions.get(place)?.next ?? 0) >= next
    for (const [place, { next }] of this.#changedPlaces) if (isStored(place, next)) this.#changedPlaces.delete(place)
    this.#skipped = this.#skipped.filter(({ place, offset }) => !isStored(place, offset + 1))
  }

  #leavesIt(): boolean {
    const hasAnotherWritten = this.#known.version !== this.#lastVersion
    this.#lastVersion = this.#known.version
    if (!hasAnotherWritten || this.#left !== undefined) return false
    this.#leave()
    return true
  }

  #leave(): void {
    this.#left = new Map(this.#progress.positions)
    this.#startTurn()
  }

  #startTurn(): void {
    for (const { rows } of this.#tables) rows.startTurn()
  }

  async #write(last: Moment): Promise<boolean> {
    const tables = this.#tables
    const positions = this.#changedPlaces
    const skipped = this.#skipped
    this.#changedPlaces = new Map()
    this.#skipped = []
    const putBack = (): void => {
      for (const table of tables) table.rows.failed()
      this.#changedPlaces = new Map([...positions, ...this.#changedPlaces])
      this.#skipped = [...skipped, ...this.#skipped]
    }
    let moment: Moment | undefined
    try {
      const rows = new Map(tables.map((table) => [table.projection.name, table.rows.startWrite()]))
      moment = await this.#store.write({ rows, positions, skipped }, last)
    } catch (error) {
      putBack()
      throw error
    }
    if (moment === undefined) {
      putBack()
      this.#leave()
      return false
    }
    for (const table of tables) table.rows.written()
    this.#known = moment
    this.#lastVersion = moment.version
    this.#left = undefined
    return true
  }
}

const wentBack = (moment: Moment, since: Moment): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_STORE_WENT_BACK',
    `the read model's store is at version ${moment.version}, without what this process had seen in it at version ` +
      `${since.version}: it was emptied, brought back from a backup, or has lost its last writes; it is folded from there when it is opened again`,
    { details: { version: moment.version, seen: since.version } }
  )
