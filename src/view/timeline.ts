import type { ViewRecord } from './record.ts'

/**
 * A timeline as it is kept, in memory and in the store. Entries are arrays, because they are most of a row, and are
 * read hardly ever.
 */
export type Timeline<Extras extends object = object> = readonly Entry<Extras>[]

type Entry<Extras extends object> =
  | readonly [type: string, at: number, topic: string, partition: number, offset: number]
  | readonly [type: string, at: number, topic: string, partition: number, offset: number, extras: Extras]

export type TimelineEntry = {
  readonly type: string
  /** Ms since 1970. */
  readonly at: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The timeline with one more entry. */
export const appended = <Extras extends object>(
  timeline: Timeline<Extras>,
  record: ViewRecord,
  extras?: Extras
): Timeline<Extras> => {
  const { type, at, topic, partition, offset } = record
  const entry: Entry<Extras> =
    extras === undefined ? [type, at, topic, partition, offset] : [type, at, topic, partition, offset, extras]
  return [...timeline, entry]
}

export const hasEntry = (timeline: Timeline, type: string): boolean => timeline.some((entry) => entry[0] === type)

/** The entries for a reader. */
export const timelineEntries = <Extras extends object>(
  timeline: Timeline<Extras>
): readonly (TimelineEntry & Partial<Extras>)[] => timeline.map(entryOf)

const entryOf = <Extras extends object>(entry: Entry<Extras>): TimelineEntry & Partial<Extras> => {
  const [type, at, topic, partition, offset, extras] = entry
  return { type, at, topic, partition, offset, ...(extras as Partial<Extras>) }
}
