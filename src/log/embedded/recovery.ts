/** Finds out what the log holds when it is opened. */
import { accessSync, constants, readdirSync, rmSync, statSync } from 'node:fs'
import { ParcomoloError } from '../../base/index.ts'
import { segmentMagic } from './frame.ts'
import { readIndex, type SegmentIndex, writeIndex } from './segment-index.ts'
import {
  indexPath,
  type LastScan,
  scanLast,
  scanSealed,
  type Segment,
  segmentBase,
  segmentPath,
  takeBack,
  tooShort
} from './segment.ts'

export type Recovered = {
  readonly segments: Segment[]
  /** Where the next segment begins: a file that an earlier life has left gets no more bytes. */
  readonly position: number
  /** The next offset, by place. */
  readonly ends: ReadonlyMap<string, number>
  /** What the last write had left of itself, and was cut off. */
  readonly cutBytes: number
}

/**
 * Reads the indexes, and the frames of the segment that was not sealed; makes the indexes that are missing.
 * `durable`: everything below this log position had been synced; a log that ends before it is refused, unchanged.
 */
export const recover = (dir: string, durable = 0): Recovered => {
  const bases = basesIn(dir)
  const segments: Segment[] = []
  const ends = new Map<string, number>()
  let [position, cutBytes] = [0, 0]
  for (const base of bases) {
    const path = segmentPath(dir, base)
    if (base !== position) throw segmentMissing(dir, position, base)
    accessSync(path, constants.R_OK)
    const scanned =
      base === bases.at(-1) ? indexOfLast(path, base, durable) : { index: indexOf(path, base), cutBytes: 0 }
    cutBytes = scanned.cutBytes
    const { index } = scanned
    if (index === undefined) rmSync(path)
    else {
      addEnds(ends, index, path)
      segments.push({ base, path, index })
      position += index.bytes
    }
  }
  if (position < durable) throw tooShort(dir, position, durable)
  return { segments, position, ends, cutBytes }
}

/** The log positions at which the segments of a folder begin, ascending. */
export const basesIn = (dir: string): readonly number[] =>
  readdirSync(dir)
    .map(segmentBase)
    .filter((base) => base !== undefined)
    .sort((a, b) => a - b)

const indexOf = (path: string, base: number): SegmentIndex => {
  const stored = readIndex(indexPath(path), statSync(path).size)
  if (stored !== undefined) return stored
  const index = scanSealed(path, base)
  writeIndex(indexPath(path), index)
  return index
}

/** One that was sealed has nothing torn. */
const indexOfLast = (path: string, base: number, durable: number): LastScan => {
  const stored = readIndex(indexPath(path), statSync(path).size)
  if (stored !== undefined && base + stored.bytes >= durable) return { index: stored, cutBytes: 0 }
  const { index, cutBytes } = scanLast(path, base, durable)
  if (index === undefined || index.bytes === segmentMagic.length) return { index: undefined, cutBytes }
  writeIndex(indexPath(path), index)
  return { index, cutBytes }
}

const addEnds = (ends: Map<string, number>, index: SegmentIndex, path: string): void => {
  for (const [name, part] of index.parts) {
    const end = ends.get(name)
    if (end !== undefined && end !== part.first) throw offsetsMissing(path, name, end, part.first)
    ends.set(name, part.next)
  }
}

const segmentMissing = (dir: string, position: number, base: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `the log in '${dir}' has no segment for its bytes from ${position} to ${base}; ${takeBack}`,
    { details: { file: dir, position } }
  )

const offsetsMissing = (path: string, name: string, end: number, first: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `'${path}' begins '${name}' at offset ${first}; expected ${end}; ${takeBack}`,
    { details: { file: path, position: 0 } }
  )
