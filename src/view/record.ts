import { isParcomoloError } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import type { StoredRecord, TopicPartition } from '../log/index.ts'
import { isMarker } from '../task/index.ts'
import { extrasOf, noExtras } from './saga-timeline.ts'
import { type Shapes, unshared } from './shapes.ts'
import type { Shape } from './timeline.ts'

/** The orchestrator's journal, the one that the engine itself writes. */
export const sagaJournal = 'saga-events'
/** Where the courier tells what came of its calls for sagas. */
export const callsTopic = 'http-calls'

/** A followed partition, with its name in positions. */
export type Place = TopicPartition & { readonly name: string }

/** A record as it came from the log, with its length. */
export type Arrived = { readonly place: Place; readonly record: StoredRecord; readonly bytes: number }

/** A decoded event with its place: what the folds see. */
export type ViewRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** When it happened, in ms since 1970. */
  readonly at: number
  /** The record's key on its journal. */
  readonly key: string
  /** Short record name. */
  readonly type: string
  /** With its namespace, which tells the engine's own records on `saga-events` from those that a saga emits. */
  readonly fullName: string
  readonly value: Readonly<Record<string, unknown>>
  /** The id of the command that this answers. */
  readonly causationId: string | undefined
  /** What a timeline keeps of it beside its time and place. */
  readonly shape: Shape
}

/** A record that cannot be decoded, and so is missing from the view. */
export type Skipped = {
  readonly place: string
  readonly offset: number
  readonly code: string
  readonly message: string
}

/** The event of a record; undefined for a marker of the journal protocol. */
export const decodeRecord = (
  arrived: Pick<Arrived, 'place' | 'record'>,
  codec: Codec,
  shapes: Pick<Shapes, 'of'> = unshared
): ViewRecord | Skipped | undefined => {
  const { place, record } = arrived
  const { unreadable } = record
  if (unreadable !== undefined)
    return { place: place.name, offset: record.offset, code: unreadable.code, message: unreadable.message }
  if (record.value === null) return undefined
  try {
    const message = codec.decode(record.value, true)
    if (isMarker(message)) return undefined
    const { type, fullName, value } = message
    const { topic, partition } = place
    const causationId = record.headers['ce_causationid']
    const { key, offset, timestamp: at } = record
    const isOfSaga = topic === callsTopic || (topic === sagaJournal && isOfEngine(fullName))
    const shape = shapes.of(topic, type, isOfSaga ? extrasOf(type, value) : noExtras)
    return { topic, partition, offset, at, key, type, fullName, value, causationId, shape }
  } catch (error) {
    return skippedFor(place, record.offset, error)
  }
}

/** Of the engine's own records on `saga-events`, not of an event that a saga emits, whatever that is called. */
export const isOfEngine = (fullName: string): boolean => fullName.startsWith('parcomolo.saga.')

/** What the view can make nothing of is missing from it, and all else goes on. */
export const skippedFor = (place: Pick<Place, 'name'>, offset: number, error: unknown): Skipped => {
  const message = error instanceof Error ? error.message : String(error)
  return { place: place.name, offset, code: isParcomoloError(error) ? error.code : 'PARCOMOLO_VIEW_DEFECT', message }
}
