import type { SagaExtras } from './saga-timeline.ts'

/** What an entry has in common with those of other rows: one object for all of them (shapes.ts). */
export type Shape = { readonly type: string; readonly topic: string } & SagaExtras

/**
 * A timeline as it is kept: the time of the first entry, then four items an entry: shape, ms since the first,
 * partition, offset. Flat and of small numbers, because timelines are most of a row, and are read hardly ever.
 */
export type Timeline = readonly (number | Shape)[]

export type TimelineEntry = Shape & {
  /** Ms since 1970. */
  readonly at: number
  readonly partition: number
  readonly offset: number
}

/** An event as a timeline takes it. */
type Told = {
  readonly shape: Shape
  readonly at: number
  readonly partition: number
  readonly offset: number
}

export const itemsPerEntry = 4

export const entryCount = (timeline: Timeline): number => Math.floor(timeline.length / itemsPerEntry)

/** What it takes in memory; its shapes are shared. */
export const timelineBytes = (timeline: Timeline): number => timeline.length * itemBytes

const itemBytes = 8

/** The timeline with one more entry. `concat` makes it as long as it is; a push would leave room for more. */
export const appended = (timeline: Timeline, { shape, at, partition, offset }: Told): Timeline =>
  timeline.length === 0
    ? [at, shape, 0, partition, offset]
    : timeline.concat([shape, at - (timeline[0] as number), partition, offset])

/** The timeline without this entry, which is not the first. */
export const withoutEntry = (timeline: Timeline, index: number): Timeline =>
  timeline.toSpliced(1 + index * itemsPerEntry, itemsPerEntry)

export const hasEntry = (timeline: Timeline, type: string): boolean => {
  for (let i = 1; i < timeline.length; i += itemsPerEntry) if ((timeline[i] as Shape).type === type) return true
  return false
}

/**
 * The entries for a reader, in the order of their times, and of their places where the times are equal. They are kept
 * as they were folded, and every view reads the journals in another order.
 */
export const timelineEntries = (timeline: Timeline): readonly TimelineEntry[] => {
  const entries = Array.from({ length: entryCount(timeline) }, (_, index) => {
    const i = 1 + index * itemsPerEntry
    const [shape, after, partition, offset] = timeline.slice(i, i + itemsPerEntry) as [Shape, number, number, number]
    return { ...shape, at: (timeline[0] as number) + after, partition, offset }
  })
  return entries.sort(byTime)
}

const byTime = (a: TimelineEntry, b: TimelineEntry): number =>
  a.at - b.at || compareText(a.topic, b.topic) || a.partition - b.partition || a.offset - b.offset

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
