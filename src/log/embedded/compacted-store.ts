/**
 * The compacted topics: one SQLite file, one row a key.
 *
 * C1. A batch is one transaction, synced before it is visible, so visible and durable are the same here.
 * C2. Offsets only grow, also over restarts: the next one is kept beside the rows and moves in the same transaction.
 * C3. A deletion stays as a row without a value for a day, so that those who follow see it (as Kafka's delete.retention.ms).
 */
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { LogRecord, StoredRecord, TopicPartition } from '../log.ts'

export class CompactedStore {
  readonly #database: DatabaseSync
  readonly #statements: Statements

  constructor(dir: string, now: number) {
    this.#database = new DatabaseSync(join(dir, 'compacted.db'))
    this.#database.exec(schema)
    this.#statements = prepare(this.#database)
    this.#statements.forget.run(now - deletionKeptMs)
  }

  end(place: TopicPartition): number {
    const row = this.#statements.end.get(place.topic, place.partition)
    return (row?.['next'] as number | undefined) ?? 0
  }

  /** Takes as long as it takes, on this thread: about 5 µs a record and a sync. */
  append(place: TopicPartition, base: number, records: readonly LogRecord[]): void {
    const { topic, partition } = place
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      for (const [i, { key, value, timestamp, headers }] of records.entries()) {
        this.#statements.put.run(topic, partition, key, base + i, value, timestamp, JSON.stringify(headers))
      }
      this.#statements.setEnd.run(topic, partition, base + records.length)
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** The rows from this offset on, deletions included. */
  page(place: TopicPartition, from: number, to: number, countMax: number): StoredRecord[] {
    return this.#statements.page.all(place.topic, place.partition, from, to, countMax).map(recordOf)
  }

  lookup(place: TopicPartition, keys: readonly string[]): Map<string, StoredRecord> {
    const found = new Map<string, StoredRecord>()
    for (const key of keys) {
      const row = this.#statements.lookup.get(place.topic, place.partition, key)
      if (row !== undefined) found.set(key, recordOf(row))
    }
    return found
  }

  close(): void {
    this.#database.close()
  }
}

const deletionKeptMs = 24 * 60 * 60 * 1000

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS record (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, key TEXT NOT NULL, offset INTEGER NOT NULL,
    value BLOB, timestamp REAL NOT NULL, headers TEXT NOT NULL,
    PRIMARY KEY (topic, partition, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS record_by_offset ON record (topic, partition, offset);
  CREATE INDEX IF NOT EXISTS record_deleted ON record (timestamp) WHERE value IS NULL;
  CREATE TABLE IF NOT EXISTS place (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
  ) WITHOUT ROWID;
`

type Statements = Record<'end' | 'setEnd' | 'put' | 'page' | 'lookup' | 'forget', StatementSync>

const prepare = (database: DatabaseSync): Statements => ({
  end: database.prepare('SELECT next FROM place WHERE topic = ? AND partition = ?'),
  setEnd: database.prepare('INSERT INTO place VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next'),
  put: database.prepare(
    `INSERT INTO record (topic, partition, key, offset, value, timestamp, headers) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET offset = excluded.offset, value = excluded.value, timestamp = excluded.timestamp, headers = excluded.headers`
  ),
  page: database.prepare(
    'SELECT * FROM record WHERE topic = ? AND partition = ? AND offset >= ? AND offset < ? ORDER BY offset LIMIT ?'
  ),
  lookup: database.prepare('SELECT * FROM record WHERE topic = ? AND partition = ? AND key = ? AND value IS NOT NULL'),
  forget: database.prepare('DELETE FROM record WHERE value IS NULL AND timestamp < ?')
})

const recordOf = (row: Record<string, unknown>): StoredRecord => ({
  key: row['key'] as string,
  value: row['value'] as Uint8Array | null,
  timestamp: row['timestamp'] as number,
  headers: JSON.parse(row['headers'] as string) as Record<string, string>,
  offset: row['offset'] as number
})
