import { existsSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { ParcomoloError } from '../../base/index.ts'
import type { LayoutMark, ViewLayout } from '../layout.ts'
import { autocheckpointPages } from './copy.ts'
import { quoted, tableOf } from './listing.ts'
import { crcOf, type RowValue } from './row-crc.ts'

const tablesOf = ({ projections, version }: ViewLayout): string => `
  ${projections.map(tableOf).join('')}
  CREATE TABLE shapes (number INTEGER PRIMARY KEY, body TEXT NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE positions (
    place TEXT PRIMARY KEY, next INTEGER NOT NULL, key TEXT NOT NULL, timestamp INTEGER NOT NULL, crc INTEGER NOT NULL
  );
  CREATE TABLE file (inode TEXT NOT NULL, born TEXT NOT NULL, is_open INTEGER NOT NULL);
  CREATE TABLE skipped (
    place TEXT, offset INTEGER, code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (place, offset)
  );
  CREATE TABLE layout (said TEXT NOT NULL);
  PRAGMA user_version = ${version};
`

/**
 * Opens the file with the tables of this layout in it. A file of another layout, one that is damaged, and a copy of one
 * that a process had open, which may be of several moments, are made anew.
 */
export const openDatabase = (
  path: string,
  layout: ViewLayout,
  isSound: boolean
): { database: DatabaseSync; wasReset: boolean } => {
  const found = isSound ? openExisting(path, layout) : undefined
  if (found === undefined) removeFiles(path)
  const database = found ?? create(path, layout)
  noteFile(database, path, true)
  return { database, wasReset: found === undefined }
}

/** A copy of the file from now on is whole. */
export const closeDatabase = (database: DatabaseSync, path: string): void => {
  try {
    noteFile(database, path, false)
  } finally {
    database.close()
  }
}

/** A file that was made of a copy that is whole is as if it had been closed. What is damaged its opening finds. */
export const adoptFile = (path: string): void => {
  try {
    closeDatabase(connect(path), path)
  } catch (error) {
    if (!isDamage(error)) throw error
  }
}

/** The next start makes it anew. */
export const distrustDatabase = (database: DatabaseSync): void => database.exec('PRAGMA user_version = 0')

const noteFile = (database: DatabaseSync, path: string, isOpen: boolean): void => {
  if (path === ':memory:') return
  const { inode, born } = identityOf(path)
  database.exec('BEGIN; DELETE FROM file')
  database.prepare('INSERT INTO file VALUES (?, ?, ?)').run(inode, born, isOpen ? 1 : 0)
  database.exec('COMMIT')
}

/** `born` is 0 where it says nothing: where it is no other than the time of the last change. */
const identityOf = (path: string): { readonly inode: string; readonly born: string } => {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true })
  return { inode: String(ino), born: birthtimeNs === ctimeNs ? '0' : String(birthtimeNs) }
}

const isCopyOfOpen = (database: DatabaseSync, path: string): boolean => {
  const noted = database.prepare('SELECT inode, born FROM file WHERE is_open = 1').get()
  if (noted === undefined) return false
  const { inode, born } = identityOf(path)
  const isBornThen = noted['born'] === born || noted['born'] === '0' || born === '0'
  return noted['inode'] !== inode || !isBornThen
}

/**
 * False for a file of this layout whose pages, indexes, or rows that are read at the start are damaged. It reads all of
 * the file, some 3 s a GiB, which nobody may have open.
 */
export const looksSound = (path: string, layout: LayoutMark): boolean => {
  if (path === ':memory:' || !existsSync(path)) return true
  let database: DatabaseSync | undefined
  try {
    database = connect(path)
    return !isOf(database, layout) || isSound(database)
  } catch (error) {
    if (isDamage(error)) return false
    throw cannotOpen(path, error)
  } finally {
    database?.close()
  }
}

/** Pages, rows against indexes, and what is read at the start. */
const isSound = (database: DatabaseSync): boolean => {
  if (database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'] !== 'ok') return false
  const rows = [
    ...database
      .prepare('SELECT * FROM positions')
      .all()
      .map(({ place, next, key, timestamp, crc }) => [crc, place, next, key, timestamp]),
    ...database
      .prepare('SELECT * FROM shapes')
      .all()
      .map(({ number, body, crc }) => [crc, number, body])
  ]
  return rows.every(([crc, ...columns]) => crc === crcOf(columns as RowValue[]))
}

/** False for a file that is missing, damaged or of another layout: opened, it would be made anew. */
export const isUsable = (path: string, layout: LayoutMark): boolean => {
  if (!existsSync(path)) return false
  try {
    const database = connect(path)
    const isIts = isOf(database, layout)
    database.close()
    return isIts
  } catch {
    return false
  }
}

/** Empties the tables. */
export const clearDatabase = (database: DatabaseSync, { projections }: ViewLayout): void => {
  const names = [...projections.map(({ name }) => quoted(name)), 'shapes', 'positions', 'skipped']
  database.exec(`BEGIN; ${names.map((name) => `DELETE FROM ${name};`).join(' ')} COMMIT`)
}

/** The database where the file is new or of this layout. */
const openExisting = (path: string, layout: ViewLayout): DatabaseSync | undefined => {
  try {
    const database = connect(path)
    if (isOf(database, layout) && !isCopyOfOpen(database, path)) return database
    const isBlank = versionOf(database) === 0
    database.close()
    return isBlank && isEmptyFile(path) ? create(path, layout) : undefined
  } catch (error) {
    if (isDamage(error)) return undefined
    throw cannotOpen(path, error)
  }
}

const create = (path: string, layout: ViewLayout): DatabaseSync => {
  try {
    const database = connect(path)
    database.exec(`BEGIN; ${tablesOf(layout)}`)
    database.prepare('INSERT INTO layout VALUES (?)').run(layout.said)
    database.exec('COMMIT')
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

const isOf = (database: DatabaseSync, { version, said }: LayoutMark): boolean =>
  versionOf(database) === version && database.prepare('SELECT said FROM layout').get()?.['said'] === said

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

/** SQLITE_CORRUPT and SQLITE_NOTADB, and SQLITE_ERROR, which a table gives that is not as it was made. */
export const isDamage = (error: unknown): boolean => {
  const errcode = (error as { errcode?: unknown }).errcode
  return typeof errcode === 'number' && [1, 11, 26].includes(errcode & 0xff)
}

const cannotOpen = (path: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_STORE_UNAVAILABLE',
    `cannot open the read model at '${path}': ${(cause as Error).message}; its folder must exist and be writable`,
    { cause, details: { path } }
  )
