import { type Clock, isParcomoloError, type ParcomoloError } from '../base/index.ts'
import {
  type Headers,
  type Log,
  type LogRecord,
  placeName,
  type StoredRecord,
  type TopicPartition,
  type TopicSpec
} from '../log/index.ts'
import type { Patience } from './patience.ts'

/**
 * One for all components, with one partition: what comes here is to be rare, and a person reads it in one order. It is
 * an inbox: whoever may, writes to it. By their timestamps, which are those of the records, letters may be old as soon
 * as they are written, so none is deleted by its age.
 */
export const deadLetterTopic: TopicSpec = {
  topic: 'dead-letters',
  partitions: 1,
  cleanup: 'delete',
  retention: 'forever'
}

/**
 * What a dead letter has beside the record's own key, value, timestamp and headers: where the record stands, who could
 * not read it, and why.
 */
export const deadHeader = {
  component: 'parcomolo-dead-component',
  topic: 'parcomolo-dead-topic',
  partition: 'parcomolo-dead-partition',
  offset: 'parcomolo-dead-offset',
  code: 'parcomolo-dead-code',
  reason: 'parcomolo-dead-reason',
  /** RFC 3339. */
  at: 'parcomolo-dead-at',
  /** The length of the value in bytes, on a letter without it: as a letter the record was too long for the log. */
  omitted: 'parcomolo-dead-omitted'
} as const

const isDeadHeader = (name: string): boolean => name.startsWith('parcomolo-dead-')

/** A record's headers without those of a dead letter, which mean nothing on any other record. */
export const ownHeaders = (headers: Headers): Headers => headersWhere(headers, (name) => !isDeadHeader(name))

/** Longer reasons are cut. */
const reasonCharsMax = 500
/** Values of one send; a longer one is sent by itself. */
const bytesPerSendMax = 262_144
/** What is left of the key where the value is omitted. */
const keyCharsMax = 200

type Letter = LogRecord & TopicPartition

export type DeadLettersDeps = {
  readonly log: Pick<Log, 'send'>
  readonly clock: Clock
  readonly component: string
  readonly patience: Patience
  /** The log has the letter; `at` is `<topic>/<partition>/<offset>` of the record. */
  readonly onPoison: (at: string, error: unknown) => void
}

/**
 * What a task could not read, on its way to the topic of dead letters.
 *
 * D1. A letter is in the log before the batch is appended whose positions pass its record. So a crash between the two
 *     doubles the letter, with the same origin, and none is lost; while the topic takes nothing, nothing is passed.
 * D2. Of each component, only the task that a record belongs to writes a letter of it (inputs.ts).
 */
export class DeadLetters {
  readonly #deps: DeadLettersDeps
  #waiting: { readonly letter: Letter; readonly at: string; readonly error: unknown }[] = []

  constructor(deps: DeadLettersDeps) {
    this.#deps = deps
  }

  add(place: TopicPartition, record: StoredRecord, error: ParcomoloError): void {
    const { component, clock } = this.#deps
    const { key, value, timestamp, offset } = record
    const headers: Headers = {
      ...ownHeaders(record.headers),
      [deadHeader.component]: component,
      [deadHeader.topic]: place.topic,
      [deadHeader.partition]: String(place.partition),
      [deadHeader.offset]: String(offset),
      [deadHeader.code]: error.code,
      [deadHeader.reason]: bounded(error.message),
      [deadHeader.at]: new Date(clock.now()).toISOString()
    }
    const letter = { topic: deadLetterTopic.topic, partition: 0, key, value, timestamp, headers }
    this.#waiting.push({ letter, at: `${placeName(place)}/${offset}`, error })
  }

  /** How many letters were added since the last `send`. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** True when the log has all that were added; false where it was stopped before. */
  async send(): Promise<boolean> {
    const waiting = this.#waiting
    this.#waiting = []
    for (const batch of batches(waiting.map(({ letter }) => letter))) if (!(await this.#send(batch))) return false
    for (const { at, error } of waiting) this.#deps.onPoison(at, error)
    return true
  }

  async #send(batch: readonly Letter[]): Promise<boolean> {
    const { log, patience } = this.#deps
    try {
      return (await patience.until(() => log.send(batch))) === true
    } catch (error) {
      if (!isParcomoloError(error, 'PARCOMOLO_LOG_BATCH_REFUSED') || isOmitted(batch[0]!)) throw error
    }
    for (const letter of batch) if (!(await this.#send([batch.length > 1 ? letter : omitted(letter)]))) return false
    return true
  }
}

const bounded = (reason: string): string =>
  reason.length > reasonCharsMax ? `${reason.slice(0, reasonCharsMax - 1)}…` : reason

const batches = (letters: readonly Letter[]): Letter[][] => {
  const all: Letter[][] = []
  let bytes = Infinity
  for (const letter of letters) {
    const own = letter.value?.length ?? 0
    bytes += own
    if (bytes > bytesPerSendMax) {
      all.push([])
      bytes = own
    }
    all.at(-1)!.push(letter)
  }
  return all
}

/** Only the origin, which leads to the record as long as its topic keeps it. */
const omitted = ({ key, value, headers, ...rest }: Letter): Letter => {
  const origin = headersWhere(headers, isDeadHeader)
  const bytes = String(value?.length ?? 0)
  return { ...rest, key: key.slice(0, keyCharsMax), value: null, headers: { ...origin, [deadHeader.omitted]: bytes } }
}

const isOmitted = ({ headers }: Letter): boolean => headers[deadHeader.omitted] !== undefined

const headersWhere = (headers: Headers, holds: (name: string) => boolean): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => holds(name)))
