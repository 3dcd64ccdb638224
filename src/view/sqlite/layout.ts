import { existsSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { ParcomoloError } from '../../base/index.ts'
import { autocheckpointPages } from './copy.ts'

/**
 * Raise it with every change of the tables, of a row's JSON or of a fold: a store of another layout is thrown away and
 * folded again.
 */
export const layoutVersion = 3

/**
 * Every write pays for every index, so the usual end has none of its own: whoever lists completed ones finds them by
 * time, as nearly all are. Where they are not, the status is in the index, so that no row is read to be left out.
 */
const tables = `
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, placed_at INTEGER, customer_id TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX orders_placed ON orders (placed_at, status);
  CREATE INDEX orders_customer ON orders (customer_id, placed_at, status);
  CREATE INDEX orders_status ON orders (status, placed_at) WHERE status <> 'COMPLETED';
  CREATE TABLE stock (sku TEXT PRIMARY KEY, is_set INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE TABLE sagas (
    key TEXT NOT NULL, saga TEXT NOT NULL, revision TEXT NOT NULL, status TEXT NOT NULL, started_at INTEGER NOT NULL,
    ended_at INTEGER, body TEXT NOT NULL, PRIMARY KEY (key, saga)
  ) WITHOUT ROWID;
  CREATE INDEX sagas_started ON sagas (started_at, status);
  CREATE INDEX sagas_saga ON sagas (saga, started_at, status);
  CREATE INDEX sagas_saga_status ON sagas (saga, status, started_at) WHERE status <> 'completed';
  CREATE INDEX sagas_status ON sagas (status, started_at) WHERE status <> 'completed';
  CREATE INDEX sagas_running ON sagas (saga, revision) WHERE ended_at IS NULL;
  CREATE TABLE shapes (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE positions (place TEXT PRIMARY KEY, next INTEGER NOT NULL, key TEXT NOT NULL, timestamp INTEGER NOT NULL);
  CREATE TABLE skipped (
    place TEXT, offset INTEGER, code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (place, offset)
  );
  PRAGMA user_version = ${layoutVersion};
`

/**
 * Opens the file with the tables of this layout in it; a file of another layout, or one that is damaged, is made anew.
 */
export const openDatabase = (path: string): { database: DatabaseSync; wasReset: boolean } => {
  const found = openExisting(path)
  if (found !== undefined) return { database: found, wasReset: false }
  removeFiles(path)
  return { database: create(path), wasReset: true }
}

/** False for a file that is missing, damaged or of another layout: opened, it would be made anew. */
export const isUsable = (path: string): boolean => {
  if (!existsSync(path)) return false
  try {
    const database = connect(path)
    const version = versionOf(database)
    database.close()
    return version === layoutVersion
  } catch {
    return false
  }
}

/** Empties the tables. */
export const clearDatabase = (database: DatabaseSync): void => {
  database.exec(`BEGIN; ${tableNames.map((name) => `DELETE FROM ${name};`).join(' ')} COMMIT`)
}

const tableNames = ['orders', 'stock', 'sagas', 'shapes', 'positions', 'skipped']

/** The database where the file is new or of this layout. */
const openExisting = (path: string): DatabaseSync | undefined => {
  try {
    const database = connect(path)
    const version = versionOf(database)
    if (version === layoutVersion) return database
    database.close()
    return version === 0 && isEmptyFile(path) ? create(path) : undefined
  } catch (error) {
    if (isDamage(error)) return undefined
    throw cannotOpen(path, error)
  }
}

const create = (path: string): DatabaseSync => {
  try {
    const database = connect(path)
    database.exec(`BEGIN; ${tables} COMMIT`)
    return database
  } catch (error) {
    throw cannotOpen(path, error)
  }
}

/**
 * WAL with NORMAL: a crash of the machine may take the newest transactions, which are folded again from the journals,
 * but never damages the file. OFF would save a sync now and then, and could leave a damaged file that nobody notices.
 * Pages of 8 KiB halve the number of writes, as a row is about 1 KiB; only one process may have the file, so that each
 * commit need not ask for locks.
 */
const connect = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path)
  database.exec(
    `PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
     PRAGMA wal_autocheckpoint = ${autocheckpointPages}; PRAGMA cache_size = -32768`
  )
  return database
}

const versionOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version'])

const isEmptyFile = (path: string): boolean => {
  const database = connect(path)
  const count = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']
  database.close()
  return count === 0
}

const removeFiles = (path: string): void => {
  if (path === ':memory:') return
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const isDamage = (error: unknown): boolean => {
  const errcode = (error as { errcode?: unknown }).errcode
  return typeof errcode === 'number' && [11, 26].includes(errcode & 0xff)
}

const cannotOpen = (path: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_STORE_UNAVAILABLE',
    `cannot open the read model at '${path}': ${(cause as Error).message}; its folder must exist and be writable`,
    { cause, details: { path } }
  )
