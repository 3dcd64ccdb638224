import type { Disk } from '../../src/log/embedded/index.ts'
import { systemDisk } from '../../src/log/embedded/disk.ts'

/** The system's disk, until it is told to fail or to hold. */
export class FaultyDisk implements Disk {
  /** Writes fail with this code, after half of the bytes have been written. */
  writeFault: string | undefined
  syncFault: string | undefined
  folderFault: string | undefined
  /** Set: syncs wait. */
  #held: PromiseWithResolvers<void> | undefined
  readonly writes: { position: number; bytes: Buffer }[] = []
  syncs = 0

  hold(): void {
    this.#held ??= Promise.withResolvers<void>()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  create(path: string): number {
    return systemDisk.create(path)
  }

  writeSync(fd: number, bytes: Uint8Array, position: number): number {
    this.writes.push({ position, bytes: Buffer.from(bytes) })
    if (this.writeFault === undefined) return systemDisk.writeSync(fd, bytes, position)
    systemDisk.writeSync(fd, bytes.subarray(0, bytes.length / 2), position)
    throw fault(this.writeFault)
  }

  async write(fd: number, bytes: Uint8Array, position: number): Promise<number> {
    return this.writeSync(fd, bytes, position)
  }

  syncSync(fd: number): void {
    this.syncs++
    if (this.syncFault !== undefined) throw fault(this.syncFault)
    systemDisk.syncSync(fd)
  }

  async sync(fd: number): Promise<void> {
    await this.#held?.promise
    this.syncSync(fd)
  }

  syncFolder(path: string): void {
    if (this.folderFault !== undefined) throw fault(this.folderFault)
    systemDisk.syncFolder(path)
  }

  close(fd: number): void {
    systemDisk.close(fd)
  }
}

const fault = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })
