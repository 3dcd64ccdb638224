/**
 * The compacted topics: one SQLite file, a table for each place with one row a key, in the order of offsets.
 *
 * C1. A batch is one transaction, synced before it is visible, so visible and durable are the same here.
 * C2. Offsets only grow, also over restarts: the next one is kept beside the rows and moves in the same transaction.
 * C3. A deletion stays as a row without a value for a day, so that those who follow see it (as Kafka's
 *     delete.retention.ms).
 */
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type LogRecord, placeName, type StoredRecord, type TopicPartition } from '../log.ts'
import { heldBytesOf, recordBytes } from '../record-bytes.ts'

type Page = { readonly records: readonly StoredRecord[]; readonly heldBytes: number }

export class CompactedStore {
  readonly #database: DatabaseSync
  readonly #places = new Map<string, Statements>()

  constructor(dir: string, cacheBytes: number) {
    this.#database = new DatabaseSync(join(dir, 'compacted.db'), { timeout: otherThreadMs })
    this.#database.exec(`${settings}; PRAGMA cache_size = -${Math.floor(cacheBytes / 1024)}; ${placesTable}`)
  }

  end(place: TopicPartition): number {
    return (this.#of(place).end.get()?.['next'] as number | undefined) ?? 0
  }

  /** One transaction and one sync, on this thread. */
  append(place: TopicPartition, base: number, records: readonly LogRecord[]): void {
    const { put, setEnd } = this.#of(place)
    this.#atomic(() => {
      for (const [i, { key, value, timestamp, headers }] of records.entries()) {
        put.run(base + i, key, value, timestamp, JSON.stringify(headers))
      }
      setEnd.run(base + records.length)
    })
  }

  /** The first rows with offsets in `[from, to)`, deletions included: some hundreds, or half a megabyte. */
  page(place: TopicPartition, from: number, to: number): Page {
    const records: StoredRecord[] = []
    let bytes = 0
    for (const row of this.#of(place).page.iterate(from, to)) {
      const record = recordOf(row)
      records.push(record)
      bytes += recordBytes(record)
      if (records.length >= pageRecordsMax || bytes >= pageBytesAim) break
    }
    return { records, heldBytes: heldBytesOf(bytes, records.length) }
  }

  lookup(place: TopicPartition, keys: readonly string[]): Map<string, StoredRecord> {
    const { lookup } = this.#of(place)
    const found = new Map<string, StoredRecord>()
    for (const key of keys) {
      const row = lookup.get(key)
      if (row !== undefined) found.set(key, recordOf(row))
    }
    return found
  }

  /** Drops deletions from before this time (C3). */
  forget(place: TopicPartition, beforeMs: number): void {
    this.#of(place).forget.run(beforeMs)
  }

  close(): void {
    this.#database.close()
  }

  #of(place: TopicPartition): Statements {
    const name = placeName(place)
    const known = this.#places.get(name)
    if (known !== undefined) return known
    const id = this.#idOf(place) ?? this.#make(place)
    const statements = prepare(this.#database, id)
    this.#places.set(name, statements)
    return statements
  }

  #idOf({ topic, partition }: TopicPartition): number | undefined {
    const find = this.#database.prepare('SELECT id FROM place WHERE topic = ? AND partition = ?')
    return find.get(topic, partition)?.['id'] as number | undefined
  }

  #make(place: TopicPartition): number {
    return this.#atomic(() => {
      const insert = this.#database.prepare('INSERT INTO place (topic, partition, next) VALUES (?, ?, 0)')
      const id = Number(insert.run(place.topic, place.partition).lastInsertRowid)
      this.#database.exec(placeTable(id))
      return id
    })
  }

  #atomic<T>(run: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = run()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }
}

const pageRecordsMax = 500
const pageBytesAim = 512 * 1024

/** Both threads that use the file write to it at times; none for long. */
const otherThreadMs = 5000

/** A seldom checkpoint of more pages writes less: a busy index page is written once, not with each thousand others. */
const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000'

const placesTable = `CREATE TABLE IF NOT EXISTS place (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
  UNIQUE (topic, partition)
)`

/** Rows lie in the order of offsets, so that only the index of the keys is written all over. */
const placeTable = (id: number): string => `
  CREATE TABLE record_${id} (
    offset INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB, timestamp REAL NOT NULL, headers TEXT NOT NULL
  );
  CREATE INDEX deleted_${id} ON record_${id} (timestamp) WHERE value IS NULL;
`

type Statements = Record<'end' | 'setEnd' | 'put' | 'page' | 'lookup' | 'forget', StatementSync>

const prepare = (database: DatabaseSync, id: number): Statements => ({
  end: database.prepare(`SELECT next FROM place WHERE id = ${id}`),
  setEnd: database.prepare(`UPDATE place SET next = ? WHERE id = ${id}`),
  put: database.prepare(
    `INSERT OR REPLACE INTO record_${id} (offset, key, value, timestamp, headers) VALUES (?, ?, ?, ?, ?)`
  ),
  page: database.prepare(`SELECT * FROM record_${id} WHERE offset >= ? AND offset < ? ORDER BY offset`),
  lookup: database.prepare(`SELECT * FROM record_${id} WHERE key = ? AND value IS NOT NULL`),
  forget: database.prepare(`DELETE FROM record_${id} WHERE value IS NULL AND timestamp < ?`)
})

const recordOf = (row: Record<string, unknown>): StoredRecord => ({
  key: row['key'] as string,
  value: row['value'] as Uint8Array | null,
  timestamp: row['timestamp'] as number,
  headers: JSON.parse(row['headers'] as string) as Record<string, string>,
  offset: row['offset'] as number
})
