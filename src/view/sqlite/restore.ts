import { open, rename, rm } from 'node:fs/promises'
import { adoptFile } from './layout.ts'
import type { Snapshot, ViewSnapshots } from '../snapshots.ts'

/**
 * Makes the database file at this path from a copy, where nobody has it open; resolves with the reason where that
 * cannot be, and the path is as it was. The file gets its name when the disk has all of it.
 */
export const restoreFile = async (
  path: string,
  snapshots: ViewSnapshots,
  snapshot: Snapshot
): Promise<string | undefined> => {
  const half = `${path}-loading`
  const file = await open(half, 'w')
  let reason: string | undefined = 'it could not be written'
  try {
    await file.truncate(snapshot.bytes)
    reason = await snapshots.load(snapshot, async (at, bytes) => void (await file.write(bytes, 0, bytes.length, at)))
    if (reason === undefined) await file.datasync()
  } finally {
    await file.close()
    if (reason !== undefined) await rm(half, { force: true })
  }
  if (reason !== undefined) return reason
  for (const suffix of ['-wal', '-shm']) await rm(`${path}${suffix}`, { force: true })
  adoptFile(half)
  await rename(half, path)
  return undefined
}
