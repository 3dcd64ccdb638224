import { type FileHandle, open } from 'node:fs/promises'
import type { Account, ParcomoloError } from '../../base/index.ts'
import { placeName, type StoredRecord } from '../log.ts'
import { heldBytesOf, recordBytes } from '../record-bytes.ts'
import {
  type BatchHead,
  frameEnd,
  frameHeadBytes,
  frameLength,
  isBatchOf,
  placeBytes,
  readBatchHead,
  readRecords
} from './frame.ts'
import { positionFor, type SegmentPart } from './segment-index.ts'
import { corrupt } from './segment.ts'

export type SegmentRange = {
  readonly path: string
  readonly part: SegmentPart
  readonly from: number
  /** Not beyond the segment's last record of this partition. */
  readonly to: number
  /** Holds a block and what it gave, until the next is asked for. */
  readonly account: Account
}

/**
 * Reads blocks and picks out the partition's batches; frames of others are stepped over. A bad frame of its own is
 * corruption: all of this was synced.
 */
export async function* readSegment(range: SegmentRange): AsyncGenerator<readonly StoredRecord[]> {
  const { account } = range
  const blockBytes = Math.min(blockBytesMax, Math.floor(account.bytesMax / heldPerByte))
  let heldBytes = 0
  const hold = (bytes: number): void => {
    account.hold(bytes - heldBytes)
    heldBytes = bytes
  }
  hold(blockBytes * heldPerByte)
  let file: FileHandle | undefined
  try {
    file = await open(range.path, 'r')
    const place = placeBytes(range.part)
    let buffer = Buffer.allocUnsafeSlow(blockBytes)
    let next = range.from
    let position = positionFor(range.part, next)
    while (next < range.to) {
      hold(buffer.length * heldPerByte)
      const bytes = await readBlock(file, position, buffer)
      const walk = walkBlock({ ...range, place, position, from: next }, bytes)
      if (walk.used === 0 && bytes.length < buffer.length) throw notAsIndexed(range, position)
      if (walk.used === 0) buffer = Buffer.allocUnsafeSlow(walk.wanted)
      else if (buffer.length > blockBytes) buffer = Buffer.allocUnsafeSlow(blockBytes)
      position += walk.used
      const records = within(walk.records, next, range.to)
      if (records.length === 0) continue
      next = records.at(-1)!.offset + 1
      if (next < range.to) position = Math.max(position, positionFor(range.part, next))
      hold(buffer.length + heldBytesOfAll(records))
      yield records
    }
  } finally {
    hold(0)
    await file?.close()
  }
}

const blockBytesMax = 256 * 1024
/** The block, and what comes of it. */
const heldPerByte = 3

const heldBytesOfAll = (records: readonly StoredRecord[]): number =>
  heldBytesOf(
    records.reduce((sum, record) => sum + recordBytes(record), 0),
    records.length
  )

/** A block of a segment. */
type Block = SegmentRange & { readonly place: Buffer; readonly position: number }

type Walk = {
  readonly records: StoredRecord[]
  /** Length of the whole frames that were walked. */
  readonly used: number
  /** Length of the frame that did not fit. */
  readonly wanted: number
}

/** Up to the end of the block, or of what is wanted: behind it may stand what is not synced yet. */
const walkBlock = (block: Block, bytes: Buffer): Walk => {
  const records: StoredRecord[] = []
  let at = 0
  let next = block.from
  while (at < bytes.length && next < block.to) {
    const end = endOfFrame(block, bytes, at)
    if (end > bytes.length) return { records, used: at, wanted: end - at }
    if (isBatchOf(bytes, at, block.place)) {
      const head = ownBatch(block, bytes, at, next)
      for (const record of readRecords(bytes, head)) records.push(record)
      next = Math.max(next, head.base + head.count)
    }
    at = end
  }
  return { records, used: at, wanted: 0 }
}

/** Where the frame ends, by its head; beyond the block where that does not hold the whole head. */
const endOfFrame = (block: Block, bytes: Buffer, at: number): number => {
  if (bytes.length - at <= frameHeadBytes) return at + frameHeadBytes + 1
  const end = frameEnd(bytes, at)
  if (end === undefined) throw notAsIndexed(block, block.position + at)
  return end
}

/**
 * The own batch that begins here: not beyond the offset that is due, as then one before it has been taken for
 * another's. A batch whose head is damaged is not known as an own one, so this is what finds it.
 */
const ownBatch = (block: Block, bytes: Buffer, at: number, due: number): BatchHead => {
  const head = readBatchHead(bytes, at)
  if (frameLength(bytes, at) === undefined || head.base > due) throw notAsIndexed(block, block.position + at)
  return head
}

const notAsIndexed = ({ path, part, to }: SegmentRange, position: number): ParcomoloError =>
  corrupt(path, position, `its index says that offset ${to - 1} of '${placeName(part)}' stands behind`)

const within = (records: StoredRecord[], from: number, to: number): readonly StoredRecord[] => {
  const first = records[0]?.offset ?? to
  const end = (records.at(-1)?.offset ?? -1) + 1
  return first >= from && end <= to ? records : records.filter(({ offset }) => offset >= from && offset < to)
}

/** Fills the buffer, as far as the file goes. */
const readBlock = async (file: FileHandle, position: number, buffer: Buffer): Promise<Buffer> => {
  let done = 0
  while (done < buffer.length) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return buffer.subarray(0, done)
}
