/**
 * One file of the log: its name, and the walk over its frames that makes its index, cuts a torn tail and finds
 * corruption.
 */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ParcomoloError } from '../../base/index.ts'
import {
  frameLength,
  groupFrameBytes,
  groupMark,
  groupPosition,
  frameHeadBytes,
  isBatch,
  readBatchHead,
  segmentMagic
} from './frame.ts'
import { SegmentIndex } from './segment-index.ts'

/** A segment that gets no more bytes, or the one that does. */
export type Segment = { readonly base: number; readonly path: string; readonly index: SegmentIndex }

export const segmentPath = (dir: string, base: number): string =>
  join(dir, `${String(base).padStart(positionDigits, '0')}.log`)

export const indexPath = (segment: string): string => segment.replace(/\.log$/, '.index')

/** The log position in a segment's file name; undefined for any other file. */
export const segmentBase = (name: string): number | undefined => {
  const match = /^(\d{16})\.log$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** Indexes a segment that was synced as a whole: every bad frame is corruption. */
export const scanSealed = (path: string, base: number): SegmentIndex => {
  const { index, badAt } = scan(path, base)
  if (badAt !== undefined) throw corrupt(path, badAt, `the segment '${base}' is whole on record`)
  return index
}

/**
 * Indexes the segment that was written last and cuts off what the last write has left of itself; everything below the
 * log position `durable` had been synced. `index`: undefined where nothing whole is in it.
 */
export const scanLast = (path: string, base: number, durable: number): LastScan => {
  const { index, bytes, badAt } = scan(path, base)
  if (base + keptOf(index, badAt) < durable) throw lostBelow(path, { base, bytes, badAt, durable })
  if (badAt === undefined) return { index, cutBytes: 0 }
  const later = laterGroup(bytes, base, badAt)
  if (later !== undefined)
    throw corrupt(path, badAt, `what stands at byte ${later} was written after it had been synced`)
  const cutBytes = bytes.length - badAt
  if (index.parts.size === 0) return { index: undefined, cutBytes }
  cut(path, badAt)
  return { index, cutBytes }
}

/**
 * Where a segment is damaged, without changing it. `isTorn`: what stands there is only what the last write has left of
 * itself.
 */
export const corruptionIn = (
  path: string,
  base: number,
  { isLast, durable }: { readonly isLast: boolean; readonly durable: number }
): { readonly bytes: number; readonly badAt: number | undefined; readonly isTorn: boolean; readonly kept: number } => {
  const { bytes, badAt, index } = scan(path, base)
  const isTorn =
    badAt !== undefined && isLast && base + badAt >= durable && laterGroup(bytes, base, badAt) === undefined
  return { bytes: bytes.length, badAt, isTorn, kept: keptOf(index, isTorn ? badAt : undefined) }
}

/** What a start keeps of the last segment, which has no batch where nothing of its first write is whole. */
const keptOf = ({ parts, bytes }: SegmentIndex, tornAt: number | undefined): number =>
  bytes <= segmentMagic.length || (tornAt !== undefined && parts.size === 0) ? 0 : bytes

export type LastScan = { readonly index: SegmentIndex | undefined; readonly cutBytes: number }

const lostBelow = (
  path: string,
  found: { base: number; bytes: Buffer; badAt: number | undefined; durable: number }
): ParcomoloError => {
  const { base, bytes, badAt, durable } = found
  if (badAt === undefined || base + bytes.length < durable) return tooShort(path, base + bytes.length, durable)
  return corrupt(path, badAt, `all up to byte ${durable - base} had been synced`)
}

/** The log ends at `end`, and had been synced up to `durable`. */
export const tooShort = (file: string, end: number, durable: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `the log ends at position ${end} in '${file}', and had been stored up to ${durable}: its end was cut off, or the ` +
      `folder was copied while a process wrote to it; ${takeBack}`,
    { details: { file, position: end } }
  )

/** What can be done about a log of which a part is missing. */
export const takeBack =
  "take a backup back with 'parcomolo restore', or see with 'parcomolo repair' what can be gone on with"

export const corrupt = (path: string, position: number, why: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `'${path}' is damaged at byte ${position}: expected a whole batch, as ${why}; ${takeBack}`,
    { details: { file: path, position } }
  )

const positionDigits = 16

type Scan = {
  readonly bytes: Buffer
  readonly index: SegmentIndex
  /** Where the first frame stands that is not good. */
  readonly badAt?: number
}

const scan = (path: string, base: number): Scan => {
  const bytes = readFileSync(path)
  const index = new SegmentIndex(segmentMagic.length)
  if (!checkMagic(path, bytes)) return { index, bytes, badAt: 0 }
  let at = segmentMagic.length
  while (at < bytes.length) {
    const length = frameLength(bytes, at)
    if (length === undefined || !addFrame(index, base, bytes, at)) return { index, bytes, badAt: at }
    at += length
    index.bytes = at
  }
  return { index, bytes }
}

/** False for a frame that is good in itself but stands where it does not belong. */
const addFrame = (index: SegmentIndex, base: number, bytes: Buffer, at: number): boolean => {
  if (!isBatch(bytes, at)) return groupPosition(bytes, at) === base + at
  const head = readBatchHead(bytes, at)
  return index.add(head, head.base, head.count, at)
}

/** False where the file ends within the magic; a whole but other magic is another format. */
const checkMagic = (path: string, bytes: Buffer): boolean => {
  const found = bytes.subarray(0, segmentMagic.length)
  if (found.equals(segmentMagic)) return true
  if (!/^PARCOMOLO LOG \d+\n/.test(found.toString('latin1'))) return false
  throw new ParcomoloError(
    'PARCOMOLO_LOG_FORMAT_UNKNOWN',
    `'${path}' begins with '${found.toString('latin1').trim()}'; this version reads '${segmentMagic.toString('latin1').trim()}'; start the version that wrote it`
  )
}

/** F1: a good group frame behind a bad place, if there is one. */
const laterGroup = (bytes: Buffer, base: number, from: number): number | undefined => {
  let found = bytes.indexOf(groupMark, from + frameHeadBytes)
  while (found >= 0) {
    const at = found - frameHeadBytes
    if (frameLength(bytes, at) === groupFrameBytes && groupPosition(bytes, at) === base + at) return at
    found = bytes.indexOf(groupMark, found + 1)
  }
  return undefined
}

const cut = (path: string, length: number): void => {
  const fd = openSync(path, 'r+')
  ftruncateSync(fd, length)
  fdatasyncSync(fd)
  closeSync(fd)
}
