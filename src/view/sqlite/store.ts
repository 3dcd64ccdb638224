import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ParcomoloError } from '../../base/index.ts'
import type { OrderRow } from '../orders.ts'
import type { SagaRow } from '../sagas.ts'
import type { StockRow } from '../stock.ts'
import { pageOf, usualEnd } from '../listing.ts'
import {
  type Moment,
  type OrderFilter,
  type Page,
  type PageRequest,
  type Positions,
  type Read,
  type RunningCount,
  type SagaFilter,
  type StoreSpace,
  sagaRowKey,
  type TableName,
  type Tables,
  type ViewChange,
  type ViewStore
} from '../store.ts'
import type { StoreCopy } from '../snapshots.ts'
import { FileCopies } from './copy.ts'
import { clearDatabase, closeDatabase, distrustDatabase, isDamage, openDatabase } from './layout.ts'
import { packOrder, packSaga, type ShapeNumbers, unpackOrder, unpackSaga } from './pack.ts'
import { isFileSound } from './look-over.ts'
import { crcOf, type RowValue } from './row-crc.ts'
import { StoredShapes } from './stored-shapes.ts'
import { Where } from './where.ts'

/**
 * The view's store in one SQLite file (`:memory:` for none), which one process has for itself. Synchronous inside: all
 * calls but `write` resolve at once.
 */
export const openSqliteViewStore = async (path: string): Promise<ViewStore> => {
  return new SqliteViewStore(path, openDatabase(path, await isFileSound(path)))
}

class SqliteViewStore implements ViewStore {
  readonly wasReset: boolean
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #copies: FileCopies
  readonly #statements: Statements
  readonly #shapes: StoredShapes
  #moment: Moment
  #writing: Promise<void> | undefined

  constructor(path: string, { database, wasReset }: ReturnType<typeof openDatabase>) {
    this.#database = database
    this.#path = path
    this.#copies = new FileCopies(database, path)
    this.wasReset = wasReset
    this.#statements = prepare(database)
    this.#shapes = new StoredShapes(database)
    this.#moment = { version: 0, id: '', positions: readPositions(database) }
  }

  async moment(): Promise<Moment> {
    return this.#moment
  }

  async get<T extends TableName>(table: T, keys: readonly string[]): Promise<Read<ReadonlyMap<string, Tables[T]>>> {
    const statement = this.#statements.get[table]
    const rows = new Map<string, Tables[T]>()
    return this.#sound(() => {
      for (const key of keys) {
        const found = statement.get(...keyColumns[table](key))
        if (found !== undefined) rows.set(key, this.#row(table, found))
      }
      return this.#read(rows)
    })
  }

  async write(change: ViewChange, last: Moment): Promise<Moment | undefined> {
    while (this.#writing !== undefined) await this.#writing.catch(() => undefined)
    if (last.version !== this.#moment.version) return undefined
    this.#writing = this.#write(change)
    try {
      await this.#writing
    } finally {
      this.#writing = undefined
    }
    return this.#moveTo(new Map([...last.positions, ...change.positions]))
  }

  async listOrders(filter: OrderFilter, page: PageRequest): Promise<Read<Page<OrderRow>>> {
    const where = new Where().add('placed_at IS NOT NULL').equal('customer_id', filter.customerId)
    where.status(filter.status, usualEnd.orders).before('placed_at', 'id', page)
    const index = orderIndex(filter)
    const rows = this.#list(
      'orders',
      `INDEXED BY ${index} ${where.text()} ORDER BY placed_at DESC, id DESC`,
      where,
      page
    )
    return this.#read(pageOf(rows, page, (row) => ({ at: row.placedAt ?? 0, key: row.orderId })))
  }

  async listSagas(filter: SagaFilter, page: PageRequest): Promise<Read<Page<SagaRow>>> {
    const where = new Where().equal('saga', filter.saga).equal('key', filter.key).status(filter.status, usualEnd.sagas)
    // A position among instances of one time is by saga and key, as one text.
    where.before('started_at', "saga || '/' || key", page)
    const index = filter.key === undefined ? `INDEXED BY ${sagaIndex(filter)}` : ''
    const order = "ORDER BY started_at DESC, saga || '/' || key DESC"
    const rows = this.#list('sagas', `${index} ${where.text()} ${order}`, where, page)
    return this.#read(pageOf(rows, page, (row) => ({ at: row.startedAt, key: sagaRowKey(row.saga, row.key) })))
  }

  async listStock(page: PageRequest): Promise<Read<Page<StockRow>>> {
    const where = new Where().add('is_set = 1')
    if (page.after !== undefined) where.add('sku > ?', page.after.key)
    const rows = this.#list('stock', `${where.text()} ORDER BY sku`, where, page)
    return this.#read(pageOf(rows, page, (row) => ({ at: 0, key: row.sku })))
  }

  async countRunning(): Promise<Read<readonly RunningCount[]>> {
    const rows = this.#sound(() =>
      this.#database
        .prepare('SELECT saga, revision, count(*) AS count FROM sagas WHERE ended_at IS NULL GROUP BY saga, revision')
        .all()
    )
    const counts = rows.map(({ saga, revision, count }) => ({
      saga: String(saga),
      revision: String(revision),
      count: Number(count)
    }))
    return this.#read(counts)
  }

  async countSkipped(): Promise<number> {
    return Number(this.#database.prepare('SELECT count(*) AS count FROM skipped').get()?.['count'])
  }

  async clear(last: Moment): Promise<boolean> {
    if (last.version !== this.#moment.version) return false
    clearDatabase(this.#database)
    this.#shapes.reload()
    this.#moveTo(new Map())
    return true
  }

  async dropOlder(): Promise<void> {
    // The file has one layout only.
  }

  failure(): undefined {
    return undefined
  }

  space(): StoreSpace | undefined {
    return this.#path === inMemory ? undefined : spaceOf(this.#path)
  }

  async copy(): Promise<StoreCopy | undefined> {
    if (this.#path === inMemory) return undefined
    await this.#copies.open()
    while (this.#writing !== undefined) await this.#writing.catch(() => undefined)
    return this.#copies.take(this.#moment.positions)
  }

  async close(): Promise<void> {
    try {
      closeDatabase(this.#database, this.#path)
    } finally {
      await this.#copies.close()
    }
  }

  /** Gives what is read where it is as it was written; else the file is made anew when it is opened the next time. */
  #sound<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof WrongRow || isDamage(error)) throw this.#damaged(error as Error)
      throw error
    }
  }

  #damaged(cause: Error): ParcomoloError {
    try {
      distrustDatabase(this.#database)
    } catch {
      // A file that cannot be noted in is looked over at the next start all the same.
    }
    return new ParcomoloError(
      'PARCOMOLO_VIEW_STORE_DAMAGED',
      `the read model's file '${this.#path}' is damaged (${cause.message}); it is built anew from the journals`,
      { cause, details: { path: this.#path } }
    )
  }

  #read<T>(found: T): Read<T> {
    return { found, moment: this.#moment }
  }

  #moveTo(positions: Positions): Moment {
    return (this.#moment = { version: this.#moment.version + 1, id: '', positions })
  }

  async #write(change: ViewChange): Promise<void> {
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      await this.#writeRows(change)
      this.#database.exec('COMMIT')
    } catch (error) {
      // A statement that failed for want of space may have ended the transaction by itself.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      if (isDamage(error)) throw this.#damaged(error as Error)
      this.#shapes.reload()
      throw cannotWrite(error)
    }
  }

  /** In slices, between which the event loop turns. */
  async #writeRows(change: ViewChange): Promise<void> {
    const { putOrder, putStock, putSaga, putPosition, putSkipped } = this.#statements
    await inSlices(change.orders, (row) => {
      const { orderId, placedAt, customerId, status } = row
      const body = packOrder(row, this.#shapes)
      const crc = crcOf(orderId, placedAt, customerId, status, body)
      return putOrder.run(orderId, placedAt, customerId, status, body, crc)
    })
    await inSlices(change.sagas, (row) => {
      const { key, saga, revision, status, startedAt, endedAt } = row
      const body = packSaga(row, this.#shapes)
      const crc = crcOf(key, saga, status, endedAt, body)
      return putSaga.run(key, saga, revision, status, startedAt, endedAt, body, crc)
    })
    await inSlices(change.stock, (row) => {
      const [isSet, body] = [row.isSet ? 1 : 0, JSON.stringify(row)]
      return putStock.run(row.sku, isSet, body, crcOf(row.sku, isSet, body))
    })
    for (const [place, { next, key, timestamp }] of change.positions)
      putPosition.run(place, next, key, timestamp, crcOf(place, next, key, timestamp))
    for (const { place, offset, code, message } of change.skipped) putSkipped.run(place, offset, code, message)
  }

  #list<T extends TableName>(table: T, rest: string, where: Where, page: PageRequest): Tables[T][] {
    const sql = `SELECT ${columns[table]} FROM ${table} ${rest} LIMIT ?`
    return this.#sound(() => {
      const rows = this.#database.prepare(sql).all(...where.values, page.limit + 1)
      return rows.map((row) => this.#row(table, row))
    })
  }

  #row<T extends TableName>(table: T, found: Record<string, SQLOutputValue>): Tables[T] {
    if (found['crc'] !== crcOf(...columnsChecked[table].map((name) => found[name] as RowValue)))
      throw new WrongRow(table)
    return unpack[table](found, this.#shapes)
  }
}

class WrongRow extends Error {
  constructor(table: TableName) {
    super(`a row of '${table}' is not as it was written`)
  }
}

/** Of a saga what never changes is not among them; its indexes have it too, and are looked over at the start. */
const columnsChecked: { readonly [T in TableName]: readonly string[] } = {
  orders: ['id', 'placed_at', 'customer_id', 'status', 'body'],
  stock: ['sku', 'is_set', 'body'],
  sagas: ['key', 'saga', 'status', 'ended_at', 'body']
}

/**
 * Lists name their index: SQLite, which does not know how the rows are spread, would rather sort the whole table than
 * read it by time until the page is full.
 */
const orderIndex = ({ customerId, status }: OrderFilter): string => {
  if (customerId !== undefined) return 'orders_customer'
  return status === undefined || status === usualEnd.orders ? 'orders_placed' : 'orders_status'
}

const sagaIndex = ({ saga, status }: SagaFilter): string => {
  const isUsual = status === undefined || status === usualEnd.sagas
  if (saga === undefined) return isUsual ? 'sagas_started' : 'sagas_status'
  return isUsual ? 'sagas_saga' : 'sagas_saga_status'
}

const inMemory = ':memory:'

/** Undefined where the folder cannot be looked at, which its writes will tell. */
const spaceOf = (path: string): StoreSpace | undefined => {
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return { bytes: sizeOf(path) + sizeOf(`${path}-wal`), freeBytes: bavail * bsize }
  } catch {
    return undefined
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

const readPositions = (database: DatabaseSync): Positions =>
  new Map(
    database
      .prepare('SELECT * FROM positions')
      .all()
      .map(({ place, next, key, timestamp }) => [
        String(place),
        { next: Number(next), key: String(key), timestamp: Number(timestamp) }
      ])
  )

const unpack: {
  readonly [T in TableName]: (found: Record<string, SQLOutputValue>, shapes: ShapeNumbers) => Tables[T]
} = {
  orders: unpackOrder,
  sagas: unpackSaga,
  stock: ({ body }) => JSON.parse(String(body)) as StockRow
}

/** What a row is made of. */
const columns: { readonly [T in TableName]: string } = {
  orders: 'id, placed_at, customer_id, status, body, crc',
  sagas: 'key, saga, revision, status, started_at, ended_at, body, crc',
  stock: 'sku, is_set, body, crc'
}

/** A row's key as the columns that the table is looked up by. A saga's name has no slash; its key may. */
const keyColumns: { readonly [T in TableName]: (key: string) => string[] } = {
  orders: (key) => [key],
  stock: (key) => [key],
  sagas: (key) => [key.slice(key.indexOf('/') + 1), key.slice(0, key.indexOf('/'))]
}

type Statements = ReturnType<typeof prepare>

const prepare = (database: DatabaseSync) => {
  const get: { readonly [T in TableName]: StatementSync } = {
    orders: database.prepare(`SELECT ${columns.orders} FROM orders WHERE id = ?`),
    stock: database.prepare(`SELECT ${columns.stock} FROM stock WHERE sku = ?`),
    sagas: database.prepare(`SELECT ${columns.sagas} FROM sagas WHERE key = ? AND saga = ?`)
  }
  return {
    get,
    putOrder: database.prepare(
      `INSERT INTO orders (id, placed_at, customer_id, status, body, crc) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET placed_at = excluded.placed_at, customer_id = excluded.customer_id,
       status = excluded.status, body = excluded.body, crc = excluded.crc`
    ),
    putStock: database.prepare('INSERT OR REPLACE INTO stock (sku, is_set, body, crc) VALUES (?, ?, ?, ?)'),
    putSaga: database.prepare(
      `INSERT INTO sagas (key, saga, revision, status, started_at, ended_at, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key, saga) DO UPDATE SET status = excluded.status, ended_at = excluded.ended_at,
       body = excluded.body, crc = excluded.crc`
    ),
    putPosition: database.prepare(
      'INSERT OR REPLACE INTO positions (place, next, key, timestamp, crc) VALUES (?, ?, ?, ?, ?)'
    ),
    putSkipped: database.prepare('INSERT OR REPLACE INTO skipped (place, offset, code, message) VALUES (?, ?, ?, ?)')
  }
}

/** About a millisecond each. */
const rowsPerSlice = 100

const inSlices = async <T>(rows: readonly T[], put: (row: T) => unknown): Promise<void> => {
  for (const [i, row] of rows.entries()) {
    if (i % rowsPerSlice === rowsPerSlice - 1) await nextTurn()
    put(row)
  }
}

const cannotWrite = (cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_STORE_UNAVAILABLE',
    `cannot write the read model: ${(cause as Error).message}; make room or make it writable, and it goes on by itself`,
    { cause, retryable: true }
  )
