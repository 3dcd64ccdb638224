/**
 * Looks over `compacted.db` before it is used. What it keeps of journals is a cache: where the file is damaged, it is
 * made anew without that, and tasks fold their journals again. What is no cache is taken over where all of it is whole,
 * and else the file is refused.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ParcomoloError } from '../../base/index.ts'
import { placeName, type TopicPartition, type TopicSpec } from '../log.ts'
import { distrustedPath, readDistrust } from './compacted-damage.ts'
import { isWhole, type Row } from './compacted-row.ts'
import { makePlace, openTables, prepare } from './compacted-tables.ts'

export type CompactedCheck = {
  readonly dir: string
  /** Those that the folder has. */
  readonly topics: readonly TopicSpec[]
  /** Why the file is not to be believed, if that is known before it is looked at. */
  readonly distrusted?: string | undefined
  /** Of what is no cache too, only what is whole is kept. */
  readonly acceptsLoss?: boolean
}

/** What a place had, as far as it is kept. */
type Kept = { readonly place: TopicPartition; readonly next: number; readonly rows: readonly Row[] }

/** Gives the reason where the file had to be made anew. Throws PARCOMOLO_LOG_CORRUPT where something would be lost. */
export const checkCompacted = (check: CompactedCheck): string | undefined => {
  const reason = check.distrusted ?? readDistrust(check.dir) ?? damageOf(check)
  if (reason === undefined || !existsSync(pathOf(check.dir))) return undefined
  makeAnew(check.dir, salvage(check, reason))
  rmSync(distrustedPath(check.dir), { force: true })
  return reason
}

const rowsCheckedMax = 20_000

/** Why the file is damaged, if it is; without changing anything. */
export const damageOf = ({ dir }: Pick<CompactedCheck, 'dir'>, rowsMax = rowsCheckedMax): string | undefined => {
  if (!existsSync(pathOf(dir))) return undefined
  return orDamage(() => withDatabase(dir, (database) => misplaced(database) ?? wrongRow(database, rowsMax)))
}

/** The log position that the newest rows were written behind; 0 where that cannot be told. */
export const logPositionOf = (dir: string): number => {
  let position = 0
  if (!existsSync(pathOf(dir))) return position
  orDamage(() =>
    withDatabase(dir, (database) => {
      position = Number(database.prepare('SELECT max(log) AS log FROM place').get()?.['log'] ?? 0)
      return undefined
    })
  )
  return position
}

/** Pages, and rows against indexes; some 3 s a GiB. */
const misplaced = (database: DatabaseSync): string | undefined => {
  const found = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check']
  return found === 'ok' ? undefined : String(found)
}

/** Rows that a start is about to read, and few of those that it is not: the rest is looked at when it is read. */
const wrongRow = (database: DatabaseSync, rowsMax: number): string | undefined => {
  for (const { id, name } of placesIn(database)) {
    let count = 0
    for (const row of rowsOf(database, id)) {
      if (!isWhole(row)) return `the row ${name}@${row.offset} is not as it was written`
      if (++count >= rowsMax) break
    }
  }
  return undefined
}

const salvage = (check: CompactedCheck, reason: string): readonly Kept[] => {
  const missing = new Set(
    check.topics.filter(({ cleanup, isCache }) => cleanup === 'compact' && isCache !== true).map(({ topic }) => topic)
  )
  const isCache = (topic: string): boolean => check.topics.find((spec) => spec.topic === topic)?.isCache === true
  const kept: Kept[] = []
  const problem = orDamage(() =>
    withDatabase(check.dir, (database) => {
      for (const { id, place, next } of placesIn(database)) {
        const rows = isCache(place.topic) ? [] : rowsKept(check, database, { id, place, next })
        if (rows === undefined) return `a part of '${placeName(place)}' is not there, or not as it was written`
        kept.push({ place, next, rows })
        missing.delete(place.topic)
      }
      return undefined
    })
  )
  const [lost] = missing
  const loss = problem ?? (lost === undefined ? undefined : `nothing of '${lost}' was found`)
  if (loss !== undefined && check.acceptsLoss !== true) throw cannotSalvage(check.dir, reason, loss)
  return kept
}

/** Undefined where something is missing that has to be there. */
const rowsKept = (
  { acceptsLoss }: CompactedCheck,
  database: DatabaseSync,
  { id, next }: { readonly id: number; readonly place: TopicPartition; readonly next: number }
): readonly Row[] | undefined => {
  const rows: Row[] = []
  let isEndThere = next === 0
  const problem = orDamage(() => {
    for (const row of rowsOf(database, id)) {
      isEndThere ||= row.offset === next - 1
      if (isWhole(row)) rows.push(row)
      else if (acceptsLoss !== true) return 'a row'
    }
    return undefined
  })
  return acceptsLoss === true || (isEndThere && problem === undefined) ? rows : undefined
}

const makeAnew = (dir: string, kept: readonly Kept[]): void => {
  const half = join(dir, 'compacted.db.new')
  for (const suffix of suffixes) rmSync(half + suffix, { force: true })
  const database = new DatabaseSync(half)
  openTables(database, 1024 * 1024)
  database.exec('BEGIN')
  for (const { place, next, rows } of kept) {
    const { put, setEnd } = prepare(database, makePlace(database, place.topic, place.partition))
    for (const { offset, key, value, timestamp, headers, crc } of rows)
      put.run(offset, key, value, timestamp, headers, crc)
    setEnd.run(next, null)
  }
  database.exec('COMMIT')
  database.close()
  for (const suffix of suffixes.slice(1)) rmSync(pathOf(dir) + suffix, { force: true })
  renameSync(half, pathOf(dir))
}

type PlaceRow = { readonly id: number; readonly place: TopicPartition; readonly name: string; readonly next: number }

const placesIn = (database: DatabaseSync): readonly PlaceRow[] => {
  const hasTable = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'place'").get() !== undefined
  const found = hasTable ? database.prepare('SELECT * FROM place').all() : []
  return found.map((row) => {
    const place = { topic: String(row['topic']), partition: Number(row['partition']) }
    return { id: Number(row['id']), place, name: placeName(place), next: Number(row['next']) }
  })
}

function* rowsOf(database: DatabaseSync, id: number): Generator<Row> {
  for (const row of database.prepare(`SELECT * FROM record_${id} ORDER BY offset`).iterate())
    yield { crc: null, ...row } as unknown as Row
}

/** The damage itself, where SQLite stumbles over it. */
const orDamage = (look: () => string | undefined): string | undefined => {
  try {
    return look()
  } catch (error) {
    const code = (error as { errcode?: number }).errcode
    // SQLITE_ERROR: a table that is not there. SQLITE_CORRUPT, SQLITE_NOTADB; SQLITE_CANTOPEN is a right, or a folder.
    if (code !== undefined && [1, 11, 26].includes(code & 0xff)) return (error as Error).message
    throw error
  }
}

const withDatabase = <T>(dir: string, run: (database: DatabaseSync) => T): T => {
  const database = new DatabaseSync(pathOf(dir))
  try {
    return run(database)
  } finally {
    database.close()
  }
}

const suffixes = ['', '-wal', '-shm']

const pathOf = (dir: string): string => join(dir, 'compacted.db')

const cannotSalvage = (dir: string, reason: string, loss: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `'${pathOf(dir)}' is damaged (${reason}), and ${loss}; take a backup back with 'parcomolo restore', or see with ` +
      `'parcomolo repair' what can be gone on with`,
    { details: { file: pathOf(dir) } }
  )
