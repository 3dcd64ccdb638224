import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isParcomoloError, ParcomoloError } from '../../base/index.ts'
import type { Disk } from './disk.ts'

/** Makes the folder where it is missing, its name durable, and makes sure that it can be written. */
export const makeFolder = (dir: string, disk: Disk): void => {
  const first = mkdirSync(dir, { recursive: true })
  if (!statSync(dir).isDirectory()) throw new Error('it is a file')
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  if (first === undefined) return
  for (let made = resolve(dir); made.length >= first.length; made = dirname(made)) disk.syncFolder(dirname(made))
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
      `the data folder '${dir}' cannot be used (${reason}); expected a folder on a disk with free space that this user may write; mend it, or name another in PARCOMOLO_DATA`,
      { details: { dir }, cause: error }
    )
  }
}
