import type { ShapeNumbers } from './projection.ts'
import { itemsPerEntry, type Shape, type Timeline } from './timeline.ts'

/** A timeline as a row's body keeps it: times and offsets as differences to the entry before, shapes by number. */
export type PackedTimeline = (number | Shape)[]

export const packTimeline = (timeline: Timeline, shapes: ShapeNumbers): PackedTimeline => {
  const packed = timeline.slice()
  let [at, offset] = [0, 0]
  for (let i = 1; i < packed.length; i += itemsPerEntry) {
    const [nextAt, nextOffset] = [packed[i + 1] as number, packed[i + 3] as number]
    packed[i] = shapes.numberOf(packed[i] as Shape)
    packed[i + 1] = nextAt - at
    packed[i + 3] = nextOffset - offset
    at = nextAt
    offset = nextOffset
  }
  return packed
}

export const unpackTimeline = (timeline: PackedTimeline, shapes: ShapeNumbers): Timeline => {
  let [at, offset] = [0, 0]
  for (let i = 1; i < timeline.length; i += itemsPerEntry) {
    const shape = timeline[i]!
    if (typeof shape === 'number') timeline[i] = shapes.shapeOf(shape)
    at += timeline[i + 1] as number
    offset += timeline[i + 3] as number
    timeline[i + 1] = at
    timeline[i + 3] = offset
  }
  return timeline
}
