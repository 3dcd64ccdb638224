/**
 * Copies the log of a data folder, also while a process works on it.
 *
 * The compacted topics first, as they stand at one moment, then the log up to where it has come by then: whatever is
 * in the first was written when the second had come so far (E2). What the last group has left of itself is cut off, as
 * after a crash, and every frame and row of the copy is checked.
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { checkCompacted, damageOf, logPositionOf } from './compacted-check.ts'
import { distrust, isDamage } from './compacted-damage.ts'
import { makeFolder, usable } from './data-folder.ts'
import { systemDisk } from './disk.ts'
import { Mark, readMark } from './mark.ts'
import { basesIn, recover } from './recovery.ts'
import { segmentPath } from './segment.ts'
import { readTopics } from './topics.ts'

export type CopiedLog = {
  /** The length of the log. */
  readonly bytes: number
  /** The next offset, by place. */
  readonly ends: ReadonlyMap<string, number>
}

/**
 * `to` is made, and left half where it throws: PARCOMOLO_LOG_CORRUPT where what is copied is damaged, and
 * PARCOMOLO_LOG_DATA_UNUSABLE where a folder cannot be read or written.
 */
export const copyEmbeddedLog = (from: string, to: string): CopiedLog => {
  usable(to, () => makeFolder(to, systemDisk))
  return usable(from, () => copied(from, to))
}

const copied = (from: string, to: string): CopiedLog => {
  const mark = readMark(from)
  const known = mark === 'damaged' || mark === undefined ? { position: 0, isLiveCopy: false } : mark
  const topics = readTopics(from)
  if (existsSync(join(from, 'compacted.db'))) copyCompacted(from, to)
  for (const base of basesIn(from)) copyFile(segmentPath(from, base), segmentPath(to, base))
  if (existsSync(join(from, 'topics.json'))) copyFile(join(from, 'topics.json'), join(to, 'topics.json'))
  const distrusted = known.isLiveCopy ? 'it comes from a copy of an open folder' : damageOf({ dir: to }, Infinity)
  checkCompacted({ dir: to, topics, distrusted })
  const { position, ends } = recover(to, Math.max(known.position, logPositionOf(to)))
  new Mark(to, position).close(true)
  systemDisk.syncFolder(to)
  return { bytes: position, ends }
}

/** As one reader of the file among others; the copy is of one moment, and whole. */
const copyCompacted = (from: string, to: string): void => {
  const database = new DatabaseSync(join(from, 'compacted.db'), { timeout: otherProcessMs })
  try {
    database.prepare('VACUUM INTO ?').run(join(to, 'compacted.db'))
  } catch (error) {
    throw isDamage(error) ? distrust(from, (error as Error).message) : error
  } finally {
    database.close()
  }
  sync(join(to, 'compacted.db'))
}

const otherProcessMs = 10_000

const copyFile = (from: string, to: string): void => {
  copyFileSync(from, to)
  sync(to)
}

const sync = (path: string): void => {
  const fd = openSync(path, 'r+')
  fsyncSync(fd)
  closeSync(fd)
}
