/** The few calls that write the log, so that a test can make them fail. */
import { closeSync, fdatasync, fdatasyncSync, fsyncSync, openSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'

export type Disk = {
  /** Makes an empty file; fails where there is one, so that nothing is ever overwritten. */
  create(path: string): number
  /** Both give the number of bytes that were written, which may be fewer. */
  writeSync(fd: number, bytes: Uint8Array, position: number): number
  write(fd: number, bytes: Uint8Array, position: number): Promise<number>
  syncSync(fd: number): void
  sync(fd: number): Promise<void>
  /** Makes the names in a folder durable. */
  syncFolder(path: string): void
  close(fd: number): void
}

/** Nothing was done: the process has as many files open as it may, which passes. */
export const isOutOfDescriptors = (error: unknown): boolean =>
  ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')

export const systemDisk: Disk = {
  create: (path) => openSync(path, 'wx', 0o600),
  writeSync: (fd, bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
  write: (fd, bytes, position) =>
    new Promise((resolve, reject) =>
      write(fd, bytes, 0, bytes.length, position, (error, written) => (error ? reject(error) : resolve(written)))
    ),
  syncSync: fdatasyncSync,
  sync: promisify(fdatasync),
  syncFolder: (path) => {
    // Windows cannot open a folder, and keeps names in order by itself.
    if (process.platform === 'win32') return
    const fd = openSync(path, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  },
  close: closeSync
}
