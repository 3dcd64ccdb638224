/**
 * What a segment holds, by partition: which offsets, and a mark about every MiB from where to read. A cache of the
 * segment's frames.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { sha256Hex } from '../../base/index.ts'
import { placeName, type TopicPartition } from '../log.ts'

/** One partition's part of a segment. Marks are pairs (offset, position in the file), ascending. */
export type SegmentPart = TopicPartition & { readonly first: number; next: number; readonly marks: number[] }

export class SegmentIndex {
  readonly parts = new Map<string, SegmentPart>()
  /** Length of the segment's file, as far as it is indexed. */
  bytes: number

  constructor(bytes: number) {
    this.bytes = bytes
  }

  /**
   * A batch that stands at this position of the file; false where it does not follow on the partition's batch before
   * it.
   */
  add(place: TopicPartition, base: number, count: number, position: number): boolean {
    const name = placeName(place)
    const part = this.parts.get(name)
    if (part === undefined) {
      const { topic, partition } = place
      this.parts.set(name, { topic, partition, first: base, next: base + count, marks: [base, position] })
      return true
    }
    if (part.next !== base) return false
    part.next = base + count
    if (position - part.marks.at(-1)! >= markEveryBytes) part.marks.push(base, position)
    return true
  }
}

/** The position in the file from where on the batch with this offset is met. */
export const positionFor = (part: SegmentPart, offset: number): number => {
  let low = 0
  let high = part.marks.length / 2 - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (part.marks[middle * 2]! <= offset) low = middle
    else high = middle - 1
  }
  return part.marks[low * 2 + 1]!
}

/** Two lines: the hash of the second, and the index as JSON. Replaced as a whole. */
export const writeIndex = (path: string, index: SegmentIndex): void => {
  const text = JSON.stringify({ bytes: index.bytes, parts: [...index.parts.values()] })
  writeFileSync(`${path}.new`, `${sha256Hex(text)}\n${text}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/**
 * Undefined where there is none, or one that does not describe a file of this length: it is then made again from the
 * segment.
 */
export const readIndex = (path: string, bytes: number): SegmentIndex | undefined => {
  const [hash, text] = readLines(path)
  if (hash === undefined || text === undefined || sha256Hex(text) !== hash) return undefined
  const stored = JSON.parse(text) as { bytes: number; parts: SegmentPart[] }
  if (stored.bytes !== bytes) return undefined
  const index = new SegmentIndex(bytes)
  for (const part of stored.parts) index.parts.set(placeName(part), part)
  return index
}

const markEveryBytes = 1024 * 1024

const readLines = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}
