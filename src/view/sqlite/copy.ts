import { type FileHandle, open } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import type { StoreCopy } from '../snapshots.ts'
import type { Positions } from '../store.ts'

/**
 * Copies of a database beside its work: what is written goes to the write-ahead log, and the file itself stays as it is
 * until the next checkpoint.
 *
 * The file is opened once and closed after the database, since a process that closes a file gives up all of its locks
 * on it (POSIX), SQLite's too.
 */
export class FileCopies {
  readonly #database: DatabaseSync
  readonly #path: string
  #file: FileHandle | undefined
  #isHeld = false

  constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
  }

  /** Before the first copy. */
  async open(): Promise<void> {
    this.#file ??= await open(this.#path, 'r')
  }

  /**
   * The database as it stands at the call, when no transaction is open; one copy at a time. The checkpoint holds the
   * event loop for as long as it takes to bring the write-ahead log into the file.
   */
  async take(positions: Positions): Promise<StoreCopy> {
    const file = this.#file
    if (file === undefined || this.#isHeld) throw new TypeError('a copy of a store that is not open, or copied already')
    this.#isHeld = true
    const found = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
    this.#database.exec('PRAGMA wal_autocheckpoint = 0')
    if (found?.['busy'] !== 0) throw new TypeError('a checkpoint of a store in which somebody reads')
    const { size } = await file.stat()
    return {
      positions,
      bytes: size,
      read: async (at, length) => (await file.read(Buffer.allocUnsafe(length), 0, length, at)).buffer,
      release: async () => {
        this.#isHeld = false
        if (this.#database.isOpen) this.#database.exec(`PRAGMA wal_autocheckpoint = ${autocheckpointPages}`)
      }
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

/** 8 MiB: a checkpoint holds the event loop. */
export const autocheckpointPages = 1_000
