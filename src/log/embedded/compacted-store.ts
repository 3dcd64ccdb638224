/**
 * The compacted topics: one SQLite file, a table for each place with one row a key, in the order of offsets.
 *
 * C1. A batch is one transaction, synced before it is visible, so visible and durable are the same here.
 * C2. Offsets only grow, also over restarts: the next one is kept beside the rows and moves in the same transaction.
 * C3. A deletion stays as a row without a value for a day, so that those who follow see it (as Kafka's
 *     delete.retention.ms).
 * C4. A row is handed out only where its checksum is right. Where it is not, the file is distrusted, and the next
 *     start makes it anew (compacted-check.ts).
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type LogRecord, placeName, type StoredRecord, type TopicPartition } from '../log.ts'
import { heldBytesOf, recordBytes } from '../record-bytes.ts'
import { distrust, isDamage } from './compacted-damage.ts'
import { isWhole, recordOf, type Row, rowOf } from './compacted-row.ts'
import { makePlace, openTables, prepare, type Statements } from './compacted-tables.ts'

type Page = { readonly records: readonly StoredRecord[]; readonly heldBytes: number }

export class CompactedStore {
  readonly #dir: string
  readonly #database: DatabaseSync
  readonly #places = new Map<string, Statements>()

  constructor(dir: string, cacheBytes: number) {
    this.#dir = dir
    this.#database = new DatabaseSync(join(dir, 'compacted.db'), { timeout: otherThreadMs })
    openTables(this.#database, cacheBytes)
  }

  /** Below this position of the log everything was durable when the newest rows were written; 0 where none says so. */
  logPosition(): number {
    return (this.#database.prepare('SELECT max(log) AS log FROM place').get()?.['log'] as number | null) ?? 0
  }

  end(place: TopicPartition): number {
    return this.#trusted(() => (this.#of(place).end.get()?.['next'] as number | undefined) ?? 0)
  }

  /** One transaction and one sync, on this thread. `logPosition`: everything below it in the log is durable. */
  append(place: TopicPartition, base: number, records: readonly LogRecord[], logPosition: number): void {
    this.#trusted(() => {
      const { put, setEnd } = this.#of(place)
      this.#atomic(() => {
        for (const [i, record] of records.entries()) {
          const { offset, key, value, timestamp, headers, crc } = rowOf(record, base + i)
          put.run(offset, key, value, timestamp, headers, crc)
        }
        setEnd.run(base + records.length, logPosition)
      })
    })
  }

  /** The first rows with offsets in `[from, to)`, deletions included: some hundreds, or half a megabyte. */
  page(place: TopicPartition, from: number, to: number): Page {
    return this.#trusted(() => {
      const records: StoredRecord[] = []
      let bytes = 0
      for (const row of this.#of(place).page.iterate(from, to)) {
        const record = this.#recordOf(place, row as Row)
        records.push(record)
        bytes += recordBytes(record)
        if (records.length >= pageRecordsMax || bytes >= pageBytesAim) break
      }
      return { records, heldBytes: heldBytesOf(bytes, records.length) }
    })
  }

  lookup(place: TopicPartition, keys: readonly string[]): Map<string, StoredRecord> {
    return this.#trusted(() => {
      const { lookup } = this.#of(place)
      const found = new Map<string, StoredRecord>()
      for (const key of keys) {
        const row = lookup.get(key) as Row | undefined
        if (row !== undefined) found.set(key, this.#recordOf(place, row))
      }
      return found
    })
  }

  /** Drops deletions from before this time (C3). */
  forget(place: TopicPartition, beforeMs: number): void {
    this.#trusted(() => this.#of(place).forget.run(beforeMs))
  }

  close(): void {
    this.#database.close()
  }

  #recordOf(place: TopicPartition, row: Row): StoredRecord {
    if (!isWhole(row)) throw distrust(this.#dir, `the row ${placeName(place)}@${row.offset} is not as it was written`)
    return recordOf(row)
  }

  #trusted<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      throw isDamage(error) ? distrust(this.#dir, (error as Error).message) : error
    }
  }

  #of(place: TopicPartition): Statements {
    const name = placeName(place)
    const known = this.#places.get(name)
    if (known !== undefined) return known
    const id = this.#idOf(place) ?? this.#atomic(() => makePlace(this.#database, place.topic, place.partition))
    const statements = prepare(this.#database, id)
    this.#places.set(name, statements)
    return statements
  }

  #idOf({ topic, partition }: TopicPartition): number | undefined {
    const find = this.#database.prepare('SELECT id FROM place WHERE topic = ? AND partition = ?')
    return find.get(topic, partition)?.['id'] as number | undefined
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
