import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isParcomoloError, ParcomoloError } from '../../base/index.ts'
import type { Disk } from './disk.ts'

/** Makes the folder where it is missing, its name durable, and makes sure that it can be written. */
export const makeFolder = (dir: string, disk: Disk): void => {
  const first = makeMissing(resolve(dir))
  if (!statSync(dir).isDirectory()) throw new Error('it is a file')
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  if (first === undefined) return
  for (let made = resolve(dir); made.length >= first.length; made = dirname(made)) disk.syncFolder(dirname(made))
}

/**
 * Makes the folder and those above it that are missing, one by one; gives the first that it made. Node's own recursive
 * mkdir never returns below a folder that takes no new ones and says ENOENT, as /proc does.
 */
const makeMissing = (dir: string): string | undefined => {
  if (existsSync(dir)) return undefined
  const above = makeMissing(dirname(dir))
  mkdirSync(dir, { mode: 0o700 })
  return above ?? dir
}

/** Runs what touches the folder, and says of the system's errors what is wrong with it. */
export const usable = <T>(dir: string, run: () => T): T => {
  try {
    return run()
  } catch (error) {
    if (isParcomoloError(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ParcomoloError(
      'PARCOMOLO_LOG_DATA_UNUSABLE',
      `the data folder '${dir}' cannot be used (${reason}); expected a folder on a disk with free space that this user may write, with all its files; mend it, or name another in PARCOMOLO_DATA`,
      { details: { dir }, cause: error }
    )
  }
}
