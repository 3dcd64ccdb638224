import { type FileHandle, open } from 'node:fs/promises'
import type { ParcomoloError } from '../../base/index.ts'
import { placeName, type StoredRecord, type TopicPartition } from '../log.ts'
import { type BatchHead, frameEnd, frameHeadBytes, frameLength, isBatch, readBatchHead, readRecords } from './frame.ts'
import { corrupt } from './segment.ts'

export type SegmentRange = {
  readonly place: TopicPartition
  readonly path: string
  /** Where a frame begins at or before the batch that holds `from`. */
  readonly position: number
  readonly from: number
  /** Not beyond the segment's last record of this partition. */
  readonly to: number
}

/** Reads blocks and picks out the partition's batches; frames of others are stepped over. A bad frame of its own is corruption: all of this was synced. */
export async function* readSegment(range: SegmentRange): AsyncGenerator<readonly StoredRecord[]> {
  const file = await open(range.path, 'r')
  try {
    let { position } = range
    let next = range.from
    let blockBytes = blockBytesMin
    while (next < range.to) {
      const bytes = await readBlock(file, position, blockBytes)
      const walk = walkBlock(range, bytes, position)
      if (walk.used === 0 && bytes.length < blockBytes) throw notAsIndexed(range, position)
      blockBytes = walk.used === 0 ? Math.max(blockBytes * 2, walk.wanted) : blockBytesMin
      position += walk.used
      const records = within(walk.records, next, range.to)
      if (records.length === 0) continue
      next = records.at(-1)!.offset + 1
      yield records
    }
  } finally {
    await file.close()
  }
}

const blockBytesMin = 256 * 1024

type Walk = {
  readonly records: StoredRecord[]
  /** Length of the whole frames that were walked. */
  readonly used: number
  /** Length of the frame that did not fit. */
  readonly wanted: number
}

/** Up to the end of the block, or of what is wanted: behind it may stand what is not synced yet. */
const walkBlock = (range: SegmentRange, bytes: Buffer, position: number): Walk => {
  const records: StoredRecord[] = []
  let at = 0
  while (at < bytes.length) {
    const end = endOfFrame(range, bytes, at, position)
    if (end > bytes.length) return { records, used: at, wanted: end - at }
    const head = ownBatch(range, bytes, at, position)
    at = end
    if (head === undefined) continue
    for (const record of readRecords(bytes, head)) records.push(record)
    if (head.base + head.count >= range.to) break
  }
  return { records, used: at, wanted: 0 }
}

/** Where the frame ends, by its head; beyond the block where that does not hold the whole head. */
const endOfFrame = (range: SegmentRange, bytes: Buffer, at: number, position: number): number => {
  if (bytes.length - at <= frameHeadBytes) return at + frameHeadBytes + 1
  const end = frameEnd(bytes, at)
  if (end === undefined) throw notAsIndexed(range, position + at)
  return end
}

const ownBatch = (range: SegmentRange, bytes: Buffer, at: number, position: number): BatchHead | undefined => {
  if (!isBatch(bytes, at)) return undefined
  const head = readBatchHead(bytes, at)
  if (head.topic !== range.place.topic || head.partition !== range.place.partition) return undefined
  if (frameLength(bytes, at) === undefined) throw notAsIndexed(range, position + at)
  return head
}

const notAsIndexed = (range: SegmentRange, position: number): ParcomoloError =>
  corrupt(
    range.path,
    position,
    `its index says that offset ${range.to - 1} of '${placeName(range.place)}' stands behind`
  )

const within = (records: StoredRecord[], from: number, to: number): readonly StoredRecord[] => {
  const first = records[0]?.offset ?? to
  const end = (records.at(-1)?.offset ?? -1) + 1
  return first >= from && end <= to ? records : records.filter(({ offset }) => offset >= from && offset < to)
}

const readBlock = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const bytes = Buffer.allocUnsafeSlow(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}
