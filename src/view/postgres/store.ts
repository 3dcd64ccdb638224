import { randomUUID } from 'node:crypto'
import { type Clock, isParcomoloError } from '../../base/index.ts'
import { pageOf } from '../listing.ts'
import type { ViewLayout } from '../layout.ts'
import type { FilterBy, Projection } from '../projection.ts'
import type { Count, Moment, Page, PageRequest, Read, ViewChange, ViewStore } from '../store.ts'
import type { PostgresAddress } from './address.ts'
import { Database, type Row } from './database.ts'
import { isRefusal, refused, saidBy, unavailable } from './failure.ts'
import { dropOlderLayouts, type PreparedLayout, prepareLayout, type TableNames } from './layout.ts'
import {
  countOrder,
  countRows,
  listRows,
  orderOf,
  selectNothing,
  selectRows,
  type Statement,
  withMoment
} from './statements.ts'
import { original } from './text.ts'
import { WriteStatement } from './write.ts'

export type PostgresStoreOptions = {
  readonly address: PostgresAddress
  readonly layout: ViewLayout
  readonly clock: Clock
  /** Aborted when nobody waits for it any longer. */
  readonly signal?: AbortSignal
  /** The database does not answer yet, for this reason; it is tried again until it does. */
  readonly onWaiting?: (error: unknown) => void
}

const retryMs = 1_000

/** Waits for the database; rejects with PARCOMOLO_VIEW_STORE_REFUSED where it answers and cannot be used. */
export const openStore = async (options: PostgresStoreOptions): Promise<ViewStore> => {
  const { address, layout, clock, signal, onWaiting } = options
  const database = await Database.of(address, clock)
  let said: string | undefined
  try {
    for (;;) {
      const opened = await attempt(database, layout, address.schema)
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
const attempt = async (
  database: Database,
  layout: ViewLayout,
  schema: string | undefined
): Promise<ViewStore | Error> => {
  try {
    return new PostgresViewStore(database, layout, await prepareLayout(database, layout, schema))
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

/** The view's store in tables that any number of processes share. */
class PostgresViewStore implements ViewStore {
  readonly layout: ViewLayout
  readonly wasReset: boolean
  readonly #database: Database
  readonly #tables: TableNames
  readonly #schema: string
  readonly #write: WriteStatement
  /** The newest that was seen, so that its positions are not told again. */
  #moment: Moment = { version: -1, id: '00000000-0000-0000-0000-000000000000', positions: new Map() }

  constructor(database: Database, layout: ViewLayout, { tables, schema, hasOlder }: PreparedLayout) {
    this.layout = layout
    this.#database = database
    this.#write = new WriteStatement(tables, layout.projections)
    this.#tables = tables
    this.#schema = schema
    this.wasReset = hasOlder
  }

  async moment(): Promise<Moment> {
    return (await this.#read(selectNothing)).moment
  }

  async get<Row extends object>(of: Projection<Row>, keys: readonly string[]): Promise<Read<ReadonlyMap<string, Row>>> {
    const { found, moment } = await this.#read(selectRows(this.#tables, of, keys))
    return { found: new Map(found.map(({ n, body }) => [keys[Number(n) - 1]!, body as Row])), moment }
  }

  async write(change: ViewChange, last: Moment): Promise<Moment | undefined> {
    const id = randomUUID()
    const { text, values } = await this.#statement(change, last, id)
    const [row] = await this.#database.write(text, values)
    if (row === undefined) return undefined
    const positions = new Map([...last.positions, ...change.positions])
    return this.#seen({ version: Number(row['version']), id, positions })
  }

  async list<Row extends object, Filter extends string>(
    of: Projection<Row, string, Filter>,
    filter: FilterBy<Filter>,
    page: PageRequest
  ): Promise<Read<Page<Row>>> {
    const { found, moment } = await this.#read(listRows(this.#tables, of, filter, page), orderOf(of))
    const { rows, next } = pageOf(found, page, (row) => ({ at: Number(row['at']), key: String(row['row_key']) }))
    return { found: { rows: rows.map(({ body }) => body as Row), next }, moment }
  }

  async count(of: Projection): Promise<Read<readonly Count[]>> {
    const { counts } = of
    if (counts === undefined) return { found: [], moment: await this.moment() }
    const { found, moment } = await this.#read(countRows(this.#tables, of, counts), countOrder(counts))
    const told = found.map((row) => ({
      of: counts.by.map((name) => original(String(row[name]))),
      count: Number(row['count'])
    }))
    return { found: told, moment }
  }

  async countSkipped(): Promise<number> {
    const [row] = await this.#database.read(`SELECT count(*) AS count FROM ${this.#tables.skipped}`)
    return Number(row?.['count'])
  }

  async clear(last: Moment): Promise<boolean> {
    const { state, positions, skipped, rows: tables } = this.#tables
    const isDone = await this.#database.transaction(async (query) => {
      const moved = `UPDATE ${state} SET version = version + 1, id = $2 WHERE id = $1 RETURNING version`
      const rows = await query(moved, [last.id, randomUUID()])
      if (rows.length === 0) return undefined
      await query(`TRUNCATE ${[positions, skipped, ...tables.values()].join(', ')}`)
      return true
    })
    return isDone === true
  }

  dropOlder(): Promise<void> {
    return dropOlderLayouts(this.#database, this.#schema, this.layout)
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
      return await this.#write.of(change, last.id, id)
    } catch (cause) {
      throw unavailable(this.#database.name, cause)
    }
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
