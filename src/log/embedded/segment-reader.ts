import { type FileHandle, open } from 'node:fs/promises'
import type { StoredRecord, TopicPartition } from '../log.ts'
import { type BatchHead, frameEnd, frameLength, isBatch, readBatchHead, readRecords } from './frame.ts'
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
      if (walk.used === 0 && bytes.length < blockBytes) throw corrupt(range.path, position, 'its index names more')
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

const walkBlock = (range: SegmentRange, bytes: Buffer, position: number): Walk => {
  const records: StoredRecord[] = []
  let at = 0
  while (at < bytes.length) {
    const end = frameEnd(bytes, at)
    if (end === undefined && bytes.length - at > 16) throw corrupt(range.path, position + at, 'its index names more')
    if (end === undefined || end > bytes.length) return { records, used: at, wanted: (end ?? at) - at }
    const head = isBatch(bytes, at) ? readBatchHead(bytes, at) : undefined
    if (head !== undefined && isOf(head, range.place)) {
      if (frameLength(bytes, at) === undefined) throw corrupt(range.path, position + at, 'its index names more')
      for (const record of readRecords(bytes, head)) records.push(record)
    }
    at = end
    if (head !== undefined && isOf(head, range.place) && head.base + head.count >= range.to) break
  }
  return { records, used: at, wanted: 0 }
}

const isOf = (head: BatchHead, place: TopicPartition): boolean =>
  head.topic === place.topic && head.partition === place.partition

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
