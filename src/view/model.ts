import type { Clock } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import { placeName } from '../log/index.ts'
import { Patience } from '../task/index.ts'
import { applyTouch, type OnChange, type Table, type Tables, tablesOf, type Touch, touch } from './folding.ts'
import { Progress } from './progress.ts'
import type { Projection } from './projection.ts'
import { type Arrived, decodeRecord, type Skipped, skippedFor, type ViewRecord } from './record.ts'
import { Shapes } from './shapes.ts'
import { losesStore, type Moment, type Read, type ViewStore } from './store.ts'
import { WriteBehind } from './write-behind.ts'

/**
 * The read model: what is in memory, over what is in the store.
 *
 * M1. Rows and positions change together, within one turn of the event loop, so that any write finds them of one
 *     moment.
 * M2. The store is written behind: a row is folded some twenty times within milliseconds, and written once or twice.
 *     Queries see memory first.
 * M3. In a store that is shared, others may have written what is not folded here yet. A row from there has those events
 *     already, so they are not folded into it once more (`Holder.base`); and it is shown when all else has come as far,
 *     so that no query sees an effect without its causes.
 */
export class ReadModel {
  skippedCount: number
  readonly #tables: Tables
  readonly #store: ViewStore
  readonly #codec: Codec
  readonly #shapes = new Shapes()
  readonly #learn: Learn | undefined
  readonly #onWentBack: (error: unknown) => void
  readonly #patience: Patience
  readonly #progress: Progress
  readonly #behind: WriteBehind

  constructor(deps: ModelDeps, start: ModelStart) {
    this.#store = deps.store
    this.#codec = deps.codec
    this.#learn = deps.learn
    this.#onWentBack = deps.onWentBack
    this.#patience = new Patience(deps.clock, deps.onHeldUp)
    this.skippedCount = start.skippedCount
    this.#tables = tablesOf(deps.store.layout.projections, deps.recentBytesMax)
    this.#progress = new Progress(start.moment.positions, deps.clock, deps.behindPatienceMs)
    this.#behind = new WriteBehind(deps.store, this.#tables.all, this.#progress, start.moment)
  }

  /** The offset of this partition that comes next. */
  next(place: string): number {
    return this.#progress.next(place)
  }

  /** Rows that the store does not have yet. */
  get changedCount(): number {
    return this.#tables.all.reduce((sum, { rows }) => sum + rows.changedCount, 0)
  }

  /** What those rows take in memory. */
  get changedBytes(): number {
    return this.#tables.all.reduce((sum, { rows }) => sum + rows.changedBytes, 0)
  }

  get hasChanged(): boolean {
    return this.#behind.hasChanged
  }

  /** Another view has stored more than this one has folded. */
  get isBehind(): boolean {
    return this.#behind.isBehind
  }

  /**
   * Folds what has arrived; `seen` is told of every event and of every row that has changed. Nothing is folded where
   * the stop comes while it waits for a schema or for the store.
   */
  async fold(arrived: readonly Arrived[], seen: FoldListener): Promise<void> {
    const decoded = await this.#decode(arrived)
    if (decoded === undefined) return
    const { records, skipped } = decoded
    const touched: Touch[] = []
    for (const record of records)
      aside(record, skipped, () => touched.push(touch(this.#tables, record, touched.at(-1))))
    if ((await this.#load()) === false) return
    for (const one of touched) {
      aside(one.record, skipped, () => applyTouch(one, seen.onChange))
      seen.onRecord(one.record)
    }
    this.#behind.skip(skipped)
    this.skippedCount += skipped.length
    for (const { place, record } of lastOfEach(arrived)) {
      const { offset, key, timestamp } = record
      this.#behind.advance(place.name, { next: offset + 1, key, timestamp })
    }
    this.#progress.onRound()
    for (const { rows } of this.#tables.all) rows.trim()
    for (const one of skipped) seen.onSkipped(one)
  }

  /** Ends what `fold` and queries wait for. */
  stop(): void {
    this.#patience.stop()
    this.#progress.stop()
  }

  /** A row that is in memory and has nothing that is not folded here. */
  recent<Row extends object>({ name }: Projection<Row>, key: string): Row | undefined {
    return this.isAhead(name, key) ? undefined : (this.rowOf(name, key) as Row | undefined)
  }

  rowOf(name: string, key: string): object | undefined {
    return this.#rowsOf(name).get(key)
  }

  /** True for a row in memory that has what is not folded here yet, and has to wait for that. */
  isAhead(name: string, key: string): boolean {
    const holder = this.#rowsOf(name).find(key)
    if (holder?.ahead === undefined) return false
    if (!this.#progress.hasReached(holder.ahead)) return true
    holder.ahead = undefined
    holder.base = undefined
    return false
  }

  async get<Row extends object>(of: Projection<Row>, key: string): Promise<Row | undefined> {
    const ahead = this.#rowsOf(of.name).find(key)?.ahead
    if (ahead !== undefined) await this.#progress.reach(ahead)
    const held = this.recent(of, key)
    if (held !== undefined) return held
    const { found, moment } = await this.#read((store) => store.get(of, [key]))
    await this.#progress.reach(moment)
    return this.recent(of, key) ?? found.get(key)
  }

  /** Something that only the store can tell, with all that has been folded at the call. */
  async list<T>(read: (store: ViewStore) => Promise<Read<T>>): Promise<T> {
    await this.#behind.flush()
    const { found, moment } = await this.#read(read)
    await this.#progress.reach(moment)
    return found
  }

  /** Writes what has changed, if it is for this view to do so (`WriteBehind.turn`). */
  write(): Promise<boolean> {
    return this.#behind.turn()
  }

  #rowsOf(name: string): Table['rows'] {
    const table = this.#tables.byName.get(name)
    if (table === undefined) throw new TypeError(`the read model has no projection '${name}'`)
    return table.rows
  }

  async #read<T>(read: (store: ViewStore) => Promise<Read<T>>): Promise<Read<T>> {
    const since = this.#behind.known
    try {
      const result = await read(this.#store)
      this.#behind.check(result.moment, since)
      return result
    } catch (error) {
      if (losesStore(error)) this.#onWentBack(error)
      throw error
    }
  }

  async #decode(
    arrived: readonly Arrived[]
  ): Promise<{ readonly records: ViewRecord[]; readonly skipped: Skipped[] } | undefined> {
    const records: ViewRecord[] = []
    const skipped: Skipped[] = []
    for (const one of arrived) {
      let decoded = decodeRecord(one, this.#codec, this.#shapes)
      if (isUnknownSchema(decoded)) {
        if ((await this.#patience.until(() => this.#learn?.([one.record.value]))) === false) return undefined
        decoded = decodeRecord(one, this.#codec, this.#shapes)
      }
      if (decoded === undefined) continue
      if ('code' in decoded) skipped.push(decoded)
      else records.push(decoded)
    }
    return { records, skipped }
  }

  /**
   * Brings the rows that a round has taken hold of into memory, however long the store is away; undefined where nothing
   * is missing.
   */
  #load(): Promise<boolean> | undefined {
    const tables = this.#tables.all.filter(({ rows }) => rows.missing.length > 0)
    if (tables.length === 0) return undefined
    return this.#patience.until(async () => {
      const loads = await Promise.all(tables.map((table) => this.#loadTable(table)))
      for (const load of loads) load()
    })
  }

  /** Reads what is missing; gives what brings it into memory. */
  async #loadTable({ projection, rows }: Table): Promise<() => void> {
    const keys = rows.missing.map(({ key }) => key)
    const { found, moment } = await this.#read((store) => store.get(projection, keys))
    return () => rows.load(found, this.#progress.hasReached(moment) ? undefined : moment)
  }
}

export type ModelDeps = {
  readonly store: ViewStore
  readonly codec: Codec
  readonly recentBytesMax: number
  readonly behindPatienceMs: number
  readonly learn: Learn | undefined
  readonly clock: Clock
  /** It waits for something that may pass, such as a registry that cannot be reached; with undefined, it goes on. */
  readonly onHeldUp: (error: unknown) => void
  /** A read has found the store without what this process had seen in it. */
  readonly onWentBack: (error: unknown) => void
}

/** Teaches the codec the schemas of these values, where it does not know them (contract's `learnSchemas`). */
export type Learn = (values: Iterable<Uint8Array | null>) => Promise<void> | undefined

export type ModelStart = { readonly moment: Moment; readonly skippedCount: number }

export type FoldListener = {
  readonly onRecord: (record: ViewRecord) => void
  readonly onChange: OnChange
  readonly onSkipped: (skipped: Skipped) => void
}

/** A record whose fold fails is missing from the view, and none but that. */
const aside = (record: ViewRecord, skipped: Skipped[], fold: () => unknown): void => {
  try {
    fold()
  } catch (error) {
    skipped.push(skippedFor({ name: placeName(record) }, record.offset, error))
  }
}

const isUnknownSchema = (decoded: ReturnType<typeof decodeRecord>): boolean =>
  decoded !== undefined && 'code' in decoded && decoded.code === 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA'

const lastOfEach = (arrived: readonly Arrived[]): Iterable<Arrived> => {
  const last = new Map<string, Arrived>()
  for (const one of arrived) last.set(one.place.name, one)
  return last.values()
}
