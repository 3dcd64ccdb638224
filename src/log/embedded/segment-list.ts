import { ParcomoloError } from '../../base/index.ts'
import { placeName, type StoredRecord, type TopicPartition } from '../log.ts'
import { readSegment, type SegmentRange } from './segment-reader.ts'
import { type Segment, takeBack } from './segment.ts'
import type { SegmentPart } from './segment-index.ts'

/** All segments, in log order. Only what is durable is found: an index names nothing else. */
export class SegmentList {
  readonly #segments: Segment[]

  constructor(segments: Segment[]) {
    this.#segments = segments
  }

  add(segment: Segment): void {
    this.#segments.push(segment)
  }

  /** The durable records `[from, to)` of one partition, in chunks of about a block. */
  async *read(
    place: TopicPartition,
    { from, to, account }: Pick<SegmentRange, 'from' | 'to' | 'account'>
  ): AsyncGenerator<readonly StoredRecord[]> {
    let next = from
    while (next < to) {
      const found = this.#find(place, next)
      if (found === undefined || found.part.first > next) throw notFound(place, next)
      const end = Math.min(to, found.part.next)
      yield* readSegment({ path: found.segment.path, part: found.part, from: next, to: end, account })
      next = end
    }
  }

  #find(place: TopicPartition, offset: number): { segment: Segment; part: SegmentPart } | undefined {
    const name = placeName(place)
    for (const segment of this.#segments) {
      const part = segment.index.parts.get(name)
      if (part !== undefined && part.next > offset) return { segment, part }
    }
    return undefined
  }
}

const notFound = (place: TopicPartition, offset: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_CORRUPT',
    `no segment holds offset ${offset} of '${placeName(place)}'; expected it below the partition's end; ${takeBack}`
  )
