import { chmodSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What is of this program in a data folder; what else lies there is not touched. */
const ours = /^(log|registry|view\.sqlite(-wal|-shm|-loading)?)$/

/**
 * Orders name people and hold their tokens, so a data folder is its user's alone (0700, files 0600). Folders that
 * earlier releases have made are closed to others; what belongs to another user cannot be, which is told.
 */
export const closeToOthers = (folder: string, onWarning: (facts: object, message: string) => void): void => {
  // Windows keeps no such modes.
  if (process.platform === 'win32') return
  const names = namesIn(folder)
  const isAllOurs = names.every((name) => ours.test(name) || name === 'lost+found')
  const paths = names.filter((name) => ours.test(name)).flatMap((name) => withContents(join(folder, name)))
  const closed = [...(isAllOurs ? [folder] : []), ...paths].filter((path) => isClosed(path))
  if (closed.length > 0)
    onWarning(
      { folder, count: closed.length },
      `${closed.length} files and folders in '${folder}' were open to other users, and are closed to them now`
    )
  const open = paths.filter((path) => (modeOf(path) & 0o077) !== 0)
  if (open.length > 0)
    onWarning({ folder }, `other users may read '${open[0]}', which names people, and it is not this user's to close`)
}

/** True where it was open to others, and is not any more. */
const isClosed = (path: string): boolean => {
  const mode = modeOf(path)
  if ((mode & 0o077) === 0) return false
  try {
    chmodSync(path, mode & 0o700)
    return true
  } catch {
    return false
  }
}

const modeOf = (path: string): number => {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats === undefined || stats.isSymbolicLink() ? 0 : stats.mode & 0o777
}

const withContents = (path: string): string[] => {
  const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  return [path, ...(isFolder ? namesIn(path).map((name) => join(path, name)) : [])]
}

/** None where there is no such folder, or it may not be read: whoever opens what is in it says so. */
const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
