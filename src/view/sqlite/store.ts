import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ParcomoloError } from '../../base/index.ts'
import type { ViewLayout } from '../layout.ts'
import type { FilterBy, Projection } from '../projection.ts'
import type { Count, Moment, Page, PageRequest, Positions, Read, StoreSpace, ViewChange, ViewStore } from '../store.ts'
import type { StoreCopy } from '../snapshots.ts'
import { FileCopies } from './copy.ts'
import { clearDatabase, closeDatabase, distrustDatabase, isDamage, openDatabase } from './layout.ts'
import { isFileSound } from './look-over.ts'
import { crcOf } from './row-crc.ts'
import { StoredShapes } from './stored-shapes.ts'
import { SqliteTable, WrongRow } from './table.ts'

/**
 * The view's store in one SQLite file (`:memory:` for none), which one process has for itself. Synchronous inside: all
 * calls but `write` resolve at once.
 */
export const openSqliteViewStore = async (path: string, layout: ViewLayout): Promise<ViewStore> =>
  new SqliteViewStore(path, layout, openDatabase(path, layout, await isFileSound(path, layout)))

class SqliteViewStore implements ViewStore {
  readonly layout: ViewLayout
  readonly wasReset: boolean
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #copies: FileCopies
  readonly #tables: ReadonlyMap<string, SqliteTable>
  readonly #statements: Statements
  readonly #shapes: StoredShapes
  #moment: Moment
  #writing: Promise<void> | undefined

  constructor(path: string, layout: ViewLayout, { database, wasReset }: ReturnType<typeof openDatabase>) {
    this.layout = layout
    this.#database = database
    this.#path = path
    this.#copies = new FileCopies(database, path)
    this.wasReset = wasReset
    this.#statements = prepare(database)
    this.#shapes = new StoredShapes(database)
    const tables = layout.projections.map((of) => [of.name, new SqliteTable(database, of, this.#shapes)] as const)
    this.#tables = new Map(tables)
    this.#moment = { version: 0, id: '', positions: readPositions(database) }
  }

  async moment(): Promise<Moment> {
    return this.#moment
  }

  async get<Row extends object>(of: Projection<Row>, keys: readonly string[]): Promise<Read<ReadonlyMap<string, Row>>> {
    const table = this.#table(of)
    const rows = new Map<string, Row>()
    return this.#sound(() => {
      for (const key of keys) {
        const row = table.get(key)
        if (row !== undefined) rows.set(key, row as Row)
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

  async list<Row extends object, Filter extends string>(
    of: Projection<Row, string, Filter>,
    filter: FilterBy<Filter>,
    page: PageRequest
  ): Promise<Read<Page<Row>>> {
    return this.#sound(() => this.#read(this.#table(of).list(filter, page) as Page<Row>))
  }

  async count(of: Projection): Promise<Read<readonly Count[]>> {
    return this.#sound(() => this.#read(this.#table(of).count()))
  }

  async countSkipped(): Promise<number> {
    return Number(this.#database.prepare('SELECT count(*) AS count FROM skipped').get()?.['count'])
  }

  async clear(last: Moment): Promise<boolean> {
    if (last.version !== this.#moment.version) return false
    clearDatabase(this.#database, this.layout)
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

  #table({ name }: Pick<Projection, 'name'>): SqliteTable {
    const table = this.#tables.get(name)
    if (table === undefined) throw new TypeError(`the store has no projection '${name}'`)
    return table
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
    const { putPosition, putSkipped } = this.#statements
    for (const [name, rows] of change.rows) {
      const table = this.#table({ name })
      await inSlices(rows, (row) => table.put(row))
    }
    for (const [place, { next, key, timestamp }] of change.positions)
      putPosition.run(place, next, key, timestamp, crcOf([place, next, key, timestamp]))
    for (const { place, offset, code, message } of change.skipped) putSkipped.run(place, offset, code, message)
  }
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

type Statements = ReturnType<typeof prepare>

const prepare = (database: DatabaseSync) => ({
  putPosition: database.prepare(
    'INSERT OR REPLACE INTO positions (place, next, key, timestamp, crc) VALUES (?, ?, ?, ?, ?)'
  ),
  putSkipped: database.prepare('INSERT OR REPLACE INTO skipped (place, offset, code, message) VALUES (?, ?, ?, ?)')
})

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
