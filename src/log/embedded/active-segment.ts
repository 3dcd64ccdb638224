import { type Disk } from './disk.ts'
import { segmentMagic } from './frame.ts'
import { SegmentIndex, writeIndex } from './segment-index.ts'
import { indexPath, type Segment, segmentPath } from './segment.ts'

/** The segment that gets the next bytes. Its file is made with the first of them. */
export class ActiveSegment implements Segment {
  readonly base: number
  readonly path: string
  readonly index = new SegmentIndex(segmentMagic.length)
  readonly #disk: Disk
  readonly #dir: string
  #fd: number | undefined
  /** The file's name is durable. */
  #named = false

  constructor(disk: Disk, dir: string, base: number) {
    this.#disk = disk
    this.#dir = dir
    this.base = base
    this.path = segmentPath(dir, base)
  }

  /** The log position at which the next byte stands. */
  get position(): number {
    return this.base + this.index.bytes
  }

  /** Writes behind what is indexed; the same call again writes the same place. */
  writeSync(bytes: Uint8Array): void {
    const fd = this.#open()
    for (let done = 0; done < bytes.length;) {
      done += this.#disk.writeSync(fd, bytes.subarray(done), this.index.bytes + done)
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const fd = this.#open()
    for (let done = 0; done < bytes.length;) {
      done += await this.#disk.write(fd, bytes.subarray(done), this.index.bytes + done)
    }
  }

  syncSync(): void {
    this.#disk.syncSync(this.#fd!)
    this.#syncName()
  }

  async sync(): Promise<void> {
    await this.#disk.sync(this.#fd!)
    this.#syncName()
  }

  /**
   * No more bytes will come. The index is a cache: where it cannot be written, the next start makes it from the
   * segment.
   */
  seal(): void {
    if (this.#fd === undefined) return
    this.abandon()
    try {
      writeIndex(indexPath(this.path), this.index)
    } catch {
      return
    }
  }

  abandon(): void {
    if (this.#fd !== undefined) this.#disk.close(this.#fd)
    this.#fd = undefined
  }

  #open(): number {
    if (this.#fd !== undefined && this.index.bytes > segmentMagic.length) return this.#fd
    this.#fd ??= this.#disk.create(this.path)
    for (let done = 0; done < segmentMagic.length;) {
      done += this.#disk.writeSync(this.#fd, segmentMagic.subarray(done), done)
    }
    return this.#fd
  }

  #syncName(): void {
    if (!this.#named) this.#disk.syncFolder(this.#dir)
    this.#named = true
  }
}
