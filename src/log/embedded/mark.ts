/**
 * How far the log has certainly been stored, beside it: `mark` in the data folder.
 *
 *   mark = "PARCOMOLO MARK 1\n" crc:u32 isOpen:u8 position:f64 inode:u64 born:u64     CRC-32 of what follows it
 *
 * K1. It is written after the fsync of the group, and not synced itself: it may be behind the log, never ahead of it.
 *     So a log that ends before it has lost what was stored.
 * K2. It names its own file (`inode`, `born`), so that a copy is told from the folder itself; `isOpen` until it is
 *     closed in good order. A copy of an open folder may hold files of different moments.
 */
import { closeSync, constants, fsyncSync, fstatSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** What an earlier life has left. */
export type Marked = {
  /** The log position up to which everything had been synced. */
  readonly position: number
  /** The folder was copied while a process had it open, or after that had been killed. */
  readonly isLiveCopy: boolean
}

/** Undefined where there is none, as in folders of earlier releases; `damaged` where it is not whole. */
export const readMark = (dir: string): Marked | 'damaged' | undefined => {
  const path = join(dir, fileName)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (bytes.length !== markBytes || !bytes.subarray(0, magic.length).equals(magic)) return 'damaged'
  if (bytes.readUInt32LE(crcAt) !== crcOf(bytes)) return 'damaged'
  const isLiveCopy = bytes[isOpenAt] === 1 && !isSame(bytes, identityOf(statSync(path, { bigint: true })))
  return { position: bytes.readDoubleLE(positionAt), isLiveCopy }
}

/** The mark of an open log; a disk that does not take it leaves the last one. */
export class Mark {
  readonly #fd: number
  readonly #bytes = Buffer.alloc(markBytes)

  constructor(dir: string, position: number) {
    this.#fd = openSync(join(dir, fileName), constants.O_RDWR | constants.O_CREAT, 0o600)
    magic.copy(this.#bytes)
    const { inode, born } = identityOf(fstatSync(this.#fd, { bigint: true }))
    this.#bytes.writeBigUInt64LE(inode, inodeAt)
    this.#bytes.writeBigUInt64LE(born, bornAt)
    this.#bytes[isOpenAt] = 1
    this.advance(position)
    fsyncSync(this.#fd)
  }

  /** Everything below this position is synced. */
  advance(position: number): void {
    this.#bytes.writeDoubleLE(position, positionAt)
    this.#bytes.writeUInt32LE(crcOf(this.#bytes), crcAt)
    try {
      writeSync(this.#fd, this.#bytes, 0, markBytes, 0)
    } catch {
      return
    }
  }

  /** `inOrder`: nothing is under way, so that a copy of the folder from now on is whole. */
  close(inOrder: boolean): void {
    if (inOrder) {
      this.#bytes[isOpenAt] = 0
      this.advance(this.#bytes.readDoubleLE(positionAt))
    }
    closeSync(this.#fd)
  }
}

const fileName = 'mark'
const magic = Buffer.from('PARCOMOLO MARK 1\n', 'latin1')
const crcAt = magic.length
const isOpenAt = crcAt + 4
const positionAt = isOpenAt + 1
const inodeAt = positionAt + 8
const bornAt = inodeAt + 8
const markBytes = bornAt + 8

const crcOf = (bytes: Buffer): number => crc32(bytes.subarray(isOpenAt))

type Identity = { readonly inode: bigint; readonly born: bigint }

/**
 * `born` is 0 where it says nothing: of a file that was made this moment, and on a file system that keeps no time of
 * birth, for which Node gives one that changes.
 */
const identityOf = (stats: { ino: bigint; birthtimeNs: bigint; ctimeNs: bigint }): Identity => ({
  inode: BigInt.asUintN(64, stats.ino),
  born: stats.birthtimeNs === stats.ctimeNs ? 0n : BigInt.asUintN(64, stats.birthtimeNs)
})

const isSame = (bytes: Buffer, { inode, born }: Identity): boolean => {
  const marked = bytes.readBigUInt64LE(bornAt)
  return inode === bytes.readBigUInt64LE(inodeAt) && (marked === 0n || born === 0n || marked === born)
}
