/**
 * One process per data folder. The lock is SQLite's own lock of a file (fcntl on Unix, LockFileEx on Windows), held
 * by a transaction that stays open: the kernel drops it when the process ends in whatever way, so nothing is stale
 * after kill -9, and a process id that is used again (1 in a container) means nothing. It holds between containers
 * that share the folder on one machine; on a network file system it is as good as its locks.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ParcomoloError } from '../../base/index.ts'

/** Gives the function that lets go. */
export const lockFolder = (dir: string): (() => void) => {
  const database = new DatabaseSync(join(dir, 'lock'), { timeout: dyingOwnerMs })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    throw new ParcomoloError(
      'PARCOMOLO_LOG_IN_USE',
      `the data folder '${dir}' is in use by process '${ownerOf(dir)}'; stop that process, or name another folder in PARCOMOLO_DATA`,
      { details: { dir, pid: ownerOf(dir) } }
    )
  }
  writeFileSync(join(dir, 'lock.pid'), `${process.pid}\n`, { mode: 0o600 })
  return () => database.close()
}

/** A process that was killed a moment ago may still be on its way out. */
const dyingOwnerMs = 200

const sqliteBusy = 5

const isBusy = (error: unknown): boolean => (error as { errcode?: number }).errcode === sqliteBusy

/** Only for the message: the lock itself does not depend on it. */
const ownerOf = (dir: string): string => {
  try {
    return readFileSync(join(dir, 'lock.pid'), 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
