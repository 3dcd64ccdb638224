import type { Clock } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import { Patience } from '../task/index.ts'
import { RowCache } from './cache.ts'
import type { Flow } from './orders.ts'
import { applyTouch, type Rows, type Touch, touch } from './projection.ts'
import { type Arrived, decodeRecord, type Skipped, type ViewRecord } from './record.ts'
import type { Position, TableName, Tables, ViewStore } from './store.ts'

/**
 * The read model: what is in memory, over what is in the store.
 *
 * M1. Rows and positions change together, within one turn of the event loop, so that any write finds them of one
 *     moment.
 * M2. The store is written behind: an order is folded some twenty-five times within milliseconds, and written once or
 *     twice. Queries see memory first.
 */
export class ReadModel {
  readonly rows: Rows
  readonly #positions: Map<string, Position>
  #changedPlaces = new Map<string, Position>()
  #skipped: Skipped[] = []
  skippedCount: number
  readonly #store: ViewStore
  readonly #codec: Codec
  readonly #flow: Flow
  readonly #learn: Learn | undefined
  readonly #patience: Patience
  #writing: Promise<void> | undefined

  constructor(deps: ModelDeps, start: ModelStart) {
    this.#store = deps.store
    this.#codec = deps.codec
    this.#flow = deps.flow
    this.#learn = deps.learn
    this.#patience = new Patience(deps.clock, deps.onHeldUp)
    this.#positions = new Map(start.positions)
    this.skippedCount = start.skippedCount
    this.rows = {
      orders: new RowCache(deps.recentRowsMax),
      stock: new RowCache(deps.recentRowsMax),
      sagas: new RowCache(deps.recentRowsMax)
    }
  }

  /** The offset of this partition that comes next. */
  next(place: string): number {
    return this.#positions.get(place)?.next ?? 0
  }

  get changedCount(): number {
    const { orders, stock, sagas } = this.rows
    return orders.changedCount + stock.changedCount + sagas.changedCount
  }

  get hasChanged(): boolean {
    return this.#changedPlaces.size > 0
  }

  /**
   * Folds what has arrived; `seen` is told of every event and of every order that has changed. Nothing is folded where
   * the stop comes while it waits for a schema.
   */
  async fold(arrived: readonly Arrived[], seen: FoldListener): Promise<void> {
    const decoded = await this.#decode(arrived)
    if (decoded === undefined) return
    const { records, skipped } = decoded
    const touched: Touch[] = []
    for (const record of records) touched.push(touch(this.rows, record, touched.at(-1)))
    await this.#load()
    for (const one of touched) {
      applyTouch(this.rows, one, this.#flow, seen.onOrder)
      seen.onRecord(one.record)
    }
    this.#skipped.push(...skipped)
    this.skippedCount += skipped.length
    for (const { place, record } of lastOfEach(arrived)) this.#advance(place.name, record)
    for (const cache of Object.values(this.rows)) cache.trim()
    for (const one of skipped) seen.onSkipped(one)
  }

  /** Ends what `fold` waits for. */
  stop(): void {
    this.#patience.stop()
  }

  async get<T extends TableName>(table: T, key: string): Promise<Tables[T] | undefined> {
    return this.rows[table].get(key) ?? (await this.#store.get(table, [key])).get(key)
  }

  /**
   * Writes what has changed in one transaction; one write at a time. After a failure everything is still to be written.
   */
  async write(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing.catch(() => undefined)
    if (!this.hasChanged) return
    this.#writing = this.#writeOnce()
    try {
      await this.#writing
    } finally {
      this.#writing = undefined
    }
  }

  async #writeOnce(): Promise<void> {
    const { orders, stock, sagas } = this.rows
    const positions = this.#changedPlaces
    const skipped = this.#skipped
    this.#changedPlaces = new Map()
    this.#skipped = []
    try {
      await this.#store.write({
        orders: orders.startWrite(),
        stock: stock.startWrite(),
        sagas: sagas.startWrite(),
        positions,
        skipped
      })
      for (const cache of [orders, stock, sagas]) cache.written()
    } catch (error) {
      for (const cache of [orders, stock, sagas]) cache.failed()
      this.#changedPlaces = new Map([...positions, ...this.#changedPlaces])
      this.#skipped = [...skipped, ...this.#skipped]
      throw error
    }
  }

  #advance(place: string, { offset, key, timestamp }: Arrived['record']): void {
    const position = { next: offset + 1, key, timestamp }
    this.#positions.set(place, position)
    this.#changedPlaces.set(place, position)
  }

  async #decode(
    arrived: readonly Arrived[]
  ): Promise<{ readonly records: ViewRecord[]; readonly skipped: Skipped[] } | undefined> {
    const records: ViewRecord[] = []
    const skipped: Skipped[] = []
    for (const one of arrived) {
      let decoded = decodeRecord(one, this.#codec)
      if (isUnknownSchema(decoded)) {
        if ((await this.#patience.until(() => this.#learn?.([one.record.value]))) === false) return undefined
        decoded = decodeRecord(one, this.#codec)
      }
      if (decoded === undefined) continue
      if ('code' in decoded) skipped.push(decoded)
      else records.push(decoded)
    }
    return { records, skipped }
  }

  /** Brings the rows that a round has taken hold of into memory. */
  async #load(): Promise<void> {
    await this.#loadTable('orders')
    await this.#loadTable('stock')
    await this.#loadTable('sagas')
  }

  async #loadTable<T extends TableName>(table: T): Promise<void> {
    const cache = this.rows[table]
    if (cache.missing.length === 0) return
    cache.load(
      await this.#store.get(
        table,
        cache.missing.map(({ key }) => key)
      )
    )
  }
}

export type ModelDeps = {
  readonly store: ViewStore
  readonly codec: Codec
  readonly flow: Flow
  readonly recentRowsMax: number
  readonly learn: Learn | undefined
  readonly clock: Clock
  /** It waits for something that may pass, such as a registry that cannot be reached; with undefined, it goes on. */
  readonly onHeldUp: (error: unknown) => void
}

/** Teaches the codec the schemas of these values, where it does not know them (contract's `learnSchemas`). */
export type Learn = (values: Iterable<Uint8Array | null>) => Promise<void> | undefined

export type ModelStart = { readonly positions: ReadonlyMap<string, Position>; readonly skippedCount: number }

export type FoldListener = {
  readonly onRecord: (record: ViewRecord) => void
  readonly onOrder: (orderId: string) => void
  readonly onSkipped: (skipped: Skipped) => void
}

const isUnknownSchema = (decoded: ReturnType<typeof decodeRecord>): boolean =>
  decoded !== undefined && 'code' in decoded && decoded.code === 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA'

const lastOfEach = (arrived: readonly Arrived[]): Iterable<Arrived> => {
  const last = new Map<string, Arrived>()
  for (const one of arrived) last.set(one.place.name, one)
  return last.values()
}
