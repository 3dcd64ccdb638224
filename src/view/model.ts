import type { Clock } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import { placeName } from '../log/index.ts'
import { Patience } from '../task/index.ts'
import { type Holder, RowCache } from './cache.ts'
import type { Flow } from './orders.ts'
import { Progress } from './progress.ts'
import { applyTouch, type Rows, type Touch, touch } from './projection.ts'
import { rowBytes } from './row-bytes.ts'
import { type Arrived, decodeRecord, type Skipped, skippedFor, type ViewRecord } from './record.ts'
import { Shapes } from './shapes.ts'
import { losesStore, type Moment, type Read, type TableName, type Tables, type ViewStore } from './store.ts'
import { WriteBehind } from './write-behind.ts'

/**
 * The read model: what is in memory, over what is in the store.
 *
 * M1. Rows and positions change together, within one turn of the event loop, so that any write finds them of one
 *     moment.
 * M2. The store is written behind: an order is folded some twenty-five times within milliseconds, and written once or
 *     twice. Queries see memory first.
 * M3. In a store that is shared, others may have written what is not folded here yet. A row from there has those events
 *     already, so they are not folded into it once more (`Holder.base`); and it is shown when all else has come as far,
 *     so that no query sees an effect without its causes.
 */
export class ReadModel {
  readonly rows: Rows
  skippedCount: number
  readonly #store: ViewStore
  readonly #codec: Codec
  readonly #flow: Flow
  readonly #shapes = new Shapes()
  readonly #learn: Learn | undefined
  readonly #onWentBack: (error: unknown) => void
  readonly #patience: Patience
  readonly #progress: Progress
  readonly #behind: WriteBehind

  constructor(deps: ModelDeps, start: ModelStart) {
    this.#store = deps.store
    this.#codec = deps.codec
    this.#flow = deps.flow
    this.#learn = deps.learn
    this.#onWentBack = deps.onWentBack
    this.#patience = new Patience(deps.clock, deps.onHeldUp)
    this.skippedCount = start.skippedCount
    this.rows = {
      orders: new RowCache(deps.recentBytesMax, rowBytes.orders),
      stock: new RowCache(deps.recentBytesMax, rowBytes.stock),
      sagas: new RowCache(deps.recentBytesMax, rowBytes.sagas)
    }
    this.#progress = new Progress(start.moment.positions, deps.clock, deps.behindPatienceMs)
    this.#behind = new WriteBehind(deps.store, this.rows, this.#progress, start.moment)
  }

  /** The offset of this partition that comes next. */
  next(place: string): number {
    return this.#progress.next(place)
  }

  /** Rows that the store does not have yet. */
  get changedCount(): number {
    const { orders, stock, sagas } = this.rows
    return orders.changedCount + stock.changedCount + sagas.changedCount
  }

  /** What those rows take in memory. */
  get changedBytes(): number {
    const { orders, stock, sagas } = this.rows
    return orders.changedBytes + stock.changedBytes + sagas.changedBytes
  }

  get hasChanged(): boolean {
    return this.#behind.hasChanged
  }

  /** Another view has stored more than this one has folded. */
  get isBehind(): boolean {
    return this.#behind.isBehind
  }

  /**
   * Folds what has arrived; `seen` is told of every event and of every order that has changed. Nothing is folded where
   * the stop comes while it waits for a schema or for the store.
   */
  async fold(arrived: readonly Arrived[], seen: FoldListener): Promise<void> {
    const decoded = await this.#decode(arrived)
    if (decoded === undefined) return
    const { records, skipped } = decoded
    const touched: Touch[] = []
    for (const record of records) aside(record, skipped, () => touched.push(touch(this.rows, record, touched.at(-1))))
    if ((await this.#load()) === false) return
    for (const one of touched) {
      aside(one.record, skipped, () => applyTouch(this.rows, one, this.#flow, seen.onOrder))
      seen.onRecord(one.record)
    }
    this.#behind.skip(skipped)
    this.skippedCount += skipped.length
    for (const { place, record } of lastOfEach(arrived)) {
      const { offset, key, timestamp } = record
      this.#behind.advance(place.name, { next: offset + 1, key, timestamp })
    }
    this.#progress.onRound()
    for (const cache of Object.values(this.rows)) cache.trim()
    for (const one of skipped) seen.onSkipped(one)
  }

  /** Ends what `fold` and queries wait for. */
  stop(): void {
    this.#patience.stop()
    this.#progress.stop()
  }

  /** A row that is in memory and may be shown. */
  recent<T extends TableName>(table: T, key: string): Tables[T] | undefined {
    return this.isAhead(table, key) ? undefined : this.rows[table].get(key)
  }

  /** True for a row in memory that has what is not folded here yet, and has to wait for that. */
  isAhead(table: TableName, key: string): boolean {
    const holder: Holder<unknown> | undefined = this.rows[table].find(key)
    if (holder?.ahead === undefined) return false
    if (!this.#progress.hasReached(holder.ahead)) return true
    holder.ahead = undefined
    holder.base = undefined
    return false
  }

  async get<T extends TableName>(table: T, key: string): Promise<Tables[T] | undefined> {
    const ahead = this.rows[table].find(key)?.ahead
    if (ahead !== undefined) await this.#progress.reach(ahead)
    const held = this.recent(table, key)
    if (held !== undefined) return held
    const { found, moment } = await this.#read((store) => store.get(table, [key]))
    await this.#progress.reach(moment)
    return this.recent(table, key) ?? found.get(key)
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
    const tables = tableNames.filter((table) => this.rows[table].missing.length > 0)
    if (tables.length === 0) return undefined
    return this.#patience.until(async () => {
      const loads = await Promise.all(tables.map((table) => this.#loadTable(table)))
      for (const load of loads) load()
    })
  }

  /** Reads what is missing; gives what brings it into memory. */
  async #loadTable<T extends TableName>(table: T): Promise<() => void> {
    const cache = this.rows[table]
    const keys = cache.missing.map(({ key }) => key)
    const { found, moment } = await this.#read((store) => store.get(table, keys))
    return () => cache.load(found, this.#progress.hasReached(moment) ? undefined : moment)
  }
}

const tableNames = ['orders', 'stock', 'sagas'] as const

export type ModelDeps = {
  readonly store: ViewStore
  readonly codec: Codec
  readonly flow: Flow
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
  readonly onOrder: (orderId: string) => void
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
