import type { ViewRecord } from './record.ts'

/**
 * A timeline as it is kept: JSON entries with commas between, `["OrderPlaced",1795420800000,"order-events",0,41],[…`, an object of extras at the end where there are any.
 * A text, because a row is folded some twenty-five times, written once or twice, and read hardly ever: to append is all that the folds do.
 */
export type Timeline = string

export type TimelineEntry = {
  readonly type: string
  /** Ms since 1970. */
  readonly at: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The timeline with one more entry. `extras`: the members of a JSON object, without its braces. Names of records and topics need no escapes. */
export const appended = (timeline: Timeline, record: ViewRecord, extras = ''): Timeline => {
  const { type, at, topic, partition, offset } = record
  const comma = timeline === '' ? '' : ','
  const tail = extras === '' ? '' : `,{${extras}}`
  return `${timeline}${comma}["${type}",${at},"${topic}",${partition},${offset}${tail}]`
}

export const hasEntry = (timeline: Timeline, type: string): boolean => timeline.includes(`["${type}",`)

/** The entries for a reader; T: with the extras that this kind of row has. */
export const timelineEntries = <T extends TimelineEntry = TimelineEntry>(timeline: Timeline): readonly T[] =>
  parsed(timeline).map(([type, at, topic, partition, offset, extras]) => {
    return { type, at, topic, partition, offset, ...extras } as T
  })

/** The timeline without the entry at this place. */
export const without = (timeline: Timeline, index: number): Timeline => {
  const entries = parsed(timeline)
  return JSON.stringify(entries.toSpliced(index, 1)).slice(1, -1)
}

type EntryJson = [type: string, at: number, topic: string, partition: number, offset: number, extras?: object]

const parsed = (timeline: Timeline): EntryJson[] => JSON.parse(`[${timeline}]`) as EntryJson[]
