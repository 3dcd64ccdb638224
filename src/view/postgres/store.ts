import { randomUUID } from 'node:crypto'
import { type Clock, isParcomoloError } from '../../base/index.ts'
import { pageOf } from '../listing.ts'
import type { OrderRow } from '../orders.ts'
import type { SagaRow } from '../sagas.ts'
import type { StockRow } from '../stock.ts'
import {
  type Moment,
  type OrderFilter,
  type Page,
  type PageRequest,
  type Read,
  type RunningCount,
  type SagaFilter,
  sagaRowKey,
  type TableName,
  type Tables,
  type ViewChange,
  type ViewStore
} from '../store.ts'
import type { PostgresAddress } from './address.ts'
import { Database, type Row } from './database.ts'
import { isRefusal, refused, saidBy, unavailable } from './failure.ts'
import { dropOlderLayouts, prepareLayout, type TableNames } from './layout.ts'
import {
  bySaga,
  bySku,
  countRunning,
  listOrders,
  listSagas,
  listStock,
  newestFirst,
  selectNothing,
  selectRows,
  type Statement,
  withMoment
} from './statements.ts'
import { original } from './text.ts'
import { writeStatement } from './write.ts'

export type PostgresStoreOptions = {
  readonly address: PostgresAddress
  readonly clock: Clock
  /** Aborted when nobody waits for it any longer. */
  readonly signal?: AbortSignal
  /** The database does not answer yet, for this reason; it is tried again until it does. */
  readonly onWaiting?: (error: unknown) => void
}

const retryMs = 1_000

/** Waits for the database; rejects with PARCOMOLO_VIEW_STORE_REFUSED where it answers and cannot be used. */
export const openStore = async (options: PostgresStoreOptions): Promise<ViewStore> => {
  const { address, clock, signal, onWaiting } = options
  const database = await Database.of(address, clock)
  let said: string | undefined
  try {
    for (;;) {
      const opened = await attempt(database, address.schema)
      if (!(opened instanceof Error)) return opened
      if (opened.message !== said) onWaiting?.(opened)
      said = opened.message
      await pause(clock, signal)
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** The store, or an error that may pass. */
const attempt = async (database: Database, schema: string | undefined): Promise<ViewStore | Error> => {
  try {
    const layout = await prepareLayout(database, schema)
    return new PostgresViewStore(database, layout)
  } catch (error) {
    if (!isParcomoloError(error) || !ofDatabase.has(error.code)) throw error
    if (isRefusal(error.cause)) throw refused(database.name, saidBy(error.cause), error.cause)
    return error
  }
}

/** Faults that the server or the connection has told of. */
const ofDatabase = new Set(['PARCOMOLO_VIEW_STORE_UNAVAILABLE', 'PARCOMOLO_VIEW_STORE_WENT_BACK'])

const pause = (clock: Clock, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.at(clock.now() + retryMs, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    if (signal?.aborted === true) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })

type Layout = Awaited<ReturnType<typeof prepareLayout>>

/** The view's store in tables that any number of processes share. */
class PostgresViewStore implements ViewStore {
  readonly wasReset: boolean
  readonly #database: Database
  readonly #tables: TableNames
  readonly #schema: string
  /** The newest that was seen, so that its positions are not told again. */
  #moment: Moment = { version: -1, id: '00000000-0000-0000-0000-000000000000', positions: new Map() }

  constructor(database: Database, { tables, schema, hasOlder }: Layout) {
    this.#database = database
    this.#tables = tables
    this.#schema = schema
    this.wasReset = hasOlder
  }

  async moment(): Promise<Moment> {
    return (await this.#read(selectNothing)).moment
  }

  async get<T extends TableName>(table: T, keys: readonly string[]): Promise<Read<ReadonlyMap<string, Tables[T]>>> {
    const { found, moment } = await this.#read(selectRows(this.#tables, table, keys))
    const keyOf = keyByTable[table]
    const rows = found.map(({ body }) => body as Tables[T])
    return { found: new Map(rows.map((row) => [keyOf(row), row])), moment }
  }

  async write(change: ViewChange, last: Moment): Promise<Moment | undefined> {
    const id = randomUUID()
    const { text, values } = await this.#statement(change, last, id)
    const [row] = await this.#database.write(text, values)
    if (row === undefined) return undefined
    const positions = new Map([...last.positions, ...change.positions])
    return this.#seen({ version: Number(row['version']), id, positions })
  }

  listOrders(filter: OrderFilter, page: PageRequest): Promise<Read<Page<OrderRow>>> {
    return this.#list<OrderRow>(listOrders(this.#tables, filter, page), newestFirst, page)
  }

  listSagas(filter: SagaFilter, page: PageRequest): Promise<Read<Page<SagaRow>>> {
    return this.#list<SagaRow>(listSagas(this.#tables, filter, page), newestFirst, page)
  }

  listStock(page: PageRequest): Promise<Read<Page<StockRow>>> {
    return this.#list<StockRow>(listStock(this.#tables, page), bySku, page)
  }

  async countRunning(): Promise<Read<readonly RunningCount[]>> {
    const { found, moment } = await this.#read(countRunning(this.#tables), bySaga)
    const counts = found.map(({ saga, revision, count }) => ({
      saga: original(String(saga)),
      revision: original(String(revision)),
      count: Number(count)
    }))
    return { found: counts, moment }
  }

  async countSkipped(): Promise<number> {
    const [row] = await this.#database.read(`SELECT count(*) AS count FROM ${this.#tables.skipped}`)
    return Number(row?.['count'])
  }

  async clear(last: Moment): Promise<boolean> {
    const { state, positions, orders, stock, sagas, skipped } = this.#tables
    const isDone = await this.#database.transaction(async (query) => {
      const moved = `UPDATE ${state} SET version = version + 1, id = $2 WHERE id = $1 RETURNING version`
      const rows = await query(moved, [last.id, randomUUID()])
      if (rows.length === 0) return undefined
      await query(`TRUNCATE ${[positions, orders, stock, sagas, skipped].join(', ')}`)
      return true
    })
    return isDone === true
  }

  dropOlder(): Promise<void> {
    return dropOlderLayouts(this.#database, this.#schema)
  }

  failure(): Error | undefined {
    return this.#database.failure()
  }

  space(): undefined {
    return undefined
  }

  async copy(): Promise<undefined> {
    return undefined
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  async #statement(change: ViewChange, last: Moment, id: string): Promise<Statement> {
    try {
      return await writeStatement(this.#tables, change, last.id, id)
    } catch (cause) {
      throw unavailable(this.#database.name, cause)
    }
  }

  async #list<T>(statement: Statement, order: string, page: PageRequest): Promise<Read<Page<T>>> {
    const { found, moment } = await this.#read(statement, order)
    const { rows, next } = pageOf(found, page, (row) => ({ at: Number(row['at']), key: String(row['row_key']) }))
    return { found: { rows: rows.map(({ body }) => body as T), next }, moment }
  }

  /** The rows that a statement finds, each with a body or a count. */
  async #read(statement: Statement, order?: string): Promise<Read<readonly Row[]>> {
    const known = this.#moment
    const { text, values } = withMoment(this.#tables, statement, known.id, order)
    const rows = await this.#database.read(text, values)
    const [first] = rows
    if (first === undefined) throw unavailable(this.#database.name, emptied)
    const found = rows.filter((row) => row['body'] != null || row['count'] != null)
    return { found, moment: first['id'] === known.id ? known : this.#seen(momentOf(first)) }
  }

  /** The same moment is the same object, by which views know it. */
  #seen(moment: Moment): Moment {
    if (moment.id === this.#moment.id) return this.#moment
    if (moment.version > this.#moment.version) this.#moment = moment
    return moment
  }
}

/** Somebody has emptied even the table that says where the rows stand. */
const emptied = { message: 'its tables are not whole; drop them and start again', code: '02000', severity: 'ERROR' }

const momentOf = (row: Row): Moment => {
  const positions = Object.entries(row['positions'] as Record<string, [number, string, number]>)
  return {
    version: Number(row['version']),
    id: String(row['id']),
    positions: new Map(
      positions.map(([place, [next, key, timestamp]]) => [place, { next, key: original(key), timestamp }])
    )
  }
}

const keyByTable: { readonly [T in TableName]: (row: Tables[T]) => string } = {
  orders: ({ orderId }) => orderId,
  stock: ({ sku }) => sku,
  sagas: ({ saga, key }) => sagaRowKey(saga, key)
}
