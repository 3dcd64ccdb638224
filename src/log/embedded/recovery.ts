/** Finds out what the log holds when it is opened. */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ParcomoloError } from '../../base/index.ts'
import { segmentMagic } from './frame.ts'
import { readIndex, type SegmentIndex, writeIndex } from './segment-index.ts'
import { indexPath, scanLast, scanSealed, type Segment, segmentBase } from './segment.ts'

export type Recovered = {
  readonly segments: Segment[]
  /** Where the next segment begins: a file that an earlier life has left gets no more bytes. */
  readonly position: number
  /** The next offset, by place. */
  readonly ends: ReadonlyMap<string, number>
}

/** Reads the indexes, and the frames of the segment that was not sealed; makes the indexes that are missing. */
export const recover = (dir: string): Recovered => {
  const bases = readdirSync(dir)
    .map(segmentBase)
    .filter((base) => base !== undefined)
    .sort((a, b) => a - b)
  const segments: Segment[] = []
  const ends = new Map<string, number>()
  let position = 0
  for (const base of bases) {
    const path = join(dir, `${String(base).padStart(16, '0')}.log`)
    if (base !== position) throw segmentMissing(dir, position, base)
    const index = indexOf(path, base, base === bases.at(-1))
    if (index === undefined) rmSync(path)
    else {
      addEnds(ends, index, path)
      segments.push({ base, path, index })
      position += index.bytes
    }
  }
  return { segments, position, ends }
}

const indexOf = (path: string, base: number, isLast: boolean): SegmentIndex | undefined => {
  const stored = readIndex(indexPath(path), statSync(path).size)
  if (stored !== undefined) return stored
  const index = isLast ? scanLast(path, base) : scanSealed(path, base)
  if (index === undefined || index.bytes === segmentMagic.length) return undefined
  writeIndex(indexPath(path), index)
  return index
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
    `the log in '${dir}' has no segment for its bytes from ${position} to ${base}; restore the data folder from a backup`,
    { details: { file: dir, position } }
  )

const offsetsMissing = (path: string, name: string, end: number, first: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `'${path}' begins '${name}' at offset ${first}; expected ${end}; restore the data folder from a backup`,
    { details: { file: path, position: 0 } }
  )
