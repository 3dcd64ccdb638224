/** The tables of `compacted.db`, and the statements on them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** A seldom checkpoint of more pages writes less: a busy index page is written once, not with each thousand others. */
const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000'

/** `log`: the log position below which everything was durable when the newest rows were written. */
const placesTable = `CREATE TABLE IF NOT EXISTS place (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, log REAL,
  UNIQUE (topic, partition)
)`

/** Rows lie in the order of offsets, so that only the index of the keys is written all over. */
const placeTable = (id: number): string => `
  CREATE TABLE record_${id} (
    offset INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB, timestamp REAL NOT NULL, headers TEXT NOT NULL,
    crc INTEGER
  );
  CREATE INDEX deleted_${id} ON record_${id} (timestamp) WHERE value IS NULL;
`

export const openTables = (database: DatabaseSync, cacheBytes: number): void => {
  database.exec(`${settings}; PRAGMA cache_size = -${Math.floor(cacheBytes / 1024)}; ${placesTable}`)
  addColumn(database, 'place', 'log REAL')
}

/** The id of the place's table, which is made where it is missing; in a transaction. */
export const makePlace = (database: DatabaseSync, topic: string, partition: number): number => {
  const insert = database.prepare('INSERT INTO place (topic, partition, next) VALUES (?, ?, 0)')
  const id = Number(insert.run(topic, partition).lastInsertRowid)
  database.exec(placeTable(id))
  return id
}

/** Tables of earlier releases have fewer columns. */
const addColumn = (database: DatabaseSync, table: string, column: string): void => {
  const [name] = column.split(' ')
  const isThere = database.prepare(`SELECT 1 FROM pragma_table_info('${table}') WHERE name = ?`).get(name!)
  if (isThere === undefined) database.exec(`ALTER TABLE ${table} ADD COLUMN ${column}`)
}

export type Statements = Record<'end' | 'setEnd' | 'put' | 'page' | 'lookup' | 'forget', StatementSync>

export const prepare = (database: DatabaseSync, id: number): Statements => {
  addColumn(database, `record_${id}`, 'crc INTEGER')
  return {
    end: database.prepare(`SELECT next FROM place WHERE id = ${id}`),
    setEnd: database.prepare(`UPDATE place SET next = ?, log = ? WHERE id = ${id}`),
    put: database.prepare(
      `INSERT OR REPLACE INTO record_${id} (offset, key, value, timestamp, headers, crc) VALUES (?, ?, ?, ?, ?, ?)`
    ),
    page: database.prepare(`SELECT * FROM record_${id} WHERE offset >= ? AND offset < ? ORDER BY offset`),
    lookup: database.prepare(`SELECT * FROM record_${id} WHERE key = ? AND value IS NOT NULL`),
    // The last row stays: that it is there shows that the rows are those of the place's end.
    forget: database.prepare(
      `DELETE FROM record_${id} WHERE value IS NULL AND timestamp < ? AND offset < (SELECT max(offset) FROM record_${id})`
    )
  }
}
