import { isParcomoloError, ParcomoloError, partitionOf } from '../base/index.ts'
import type { Codec, Message } from '../contract/index.ts'
import { type Chunk, type Headers, placeName, type StoredRecord, type TopicPartition } from '../log/index.ts'
import type { Component, Home, MessageInput } from './component.ts'
import { header, parseSource, sequencePosition, sourceOf } from './headers.ts'
import type { LaneChunk, Lanes } from './lanes.ts'
import { isMarker } from './marker.ts'
import type { TaskDeps } from './task-deps.ts'
import { undecidable } from './undecidable.ts'
import type { Positions } from './positions.ts'

type Sources = Pick<Component<never>, 'inbox' | 'reads'>

/** The partitions that a task reads. */
export const inputPlaces = (
  component: Sources,
  journal: TopicPartition,
  partitionCount: (topic: string) => number
): TopicPartition[] => {
  const reads = component.reads.map(({ topic }) => topic)
  const topics = component.inbox === undefined ? reads : [component.inbox, ...reads]
  const readsOwnOnly = ownOnly(component, journal, partitionCount)
  return topics.flatMap((topic) => {
    if (readsOwnOnly(topic)) return [{ topic, partition: journal.partition }]
    return Array.from({ length: partitionCount(topic) }, (_, partition) => ({ topic, partition }))
  })
}

/**
 * Of a topic that is partitioned as its journal is, a task reads the partition with its own number only. Of any other
 * it reads all, and the record's key tells what belongs to another task (so whoever answers a command uses its key).
 */
const ownOnly = (
  { reads }: Sources,
  journal: TopicPartition,
  partitionCount: (topic: string) => number
): ((topic: string) => boolean) => {
  const scattered = new Set(reads.filter((read) => !read.isPartitionedByKey).map(({ topic }) => topic))
  const own = partitionCount(journal.topic)
  return (topic) => partitionCount(topic) === own && !scattered.has(topic)
}

export type InputsDeps = {
  readonly codec: Codec
  readonly component: Pick<Component<never>, 'name' | 'inbox' | 'reads' | 'keysOf' | 'beginnings'>
  readonly positions: Positions
  readonly lanes: Pick<Lanes, 'names' | 'has'>
  readonly journal: TopicPartition
  /** Throws for a topic that nobody has declared. */
  readonly partitionCount: (topic: string) => number
  readonly recordsOf?: TaskDeps['recordsOf']
  /** A record in a journal bears the name of one of its contract, and is another. */
  readonly onForeign?: () => void
  /** A record could not be read. */
  readonly onPoison: (place: TopicPartition, record: StoredRecord, error: ParcomoloError) => void
}

/**
 * An input with the keys of the entities that the component may look at for it, where it stands, and the sequence that
 * it has from its source.
 */
export type Taken = {
  readonly input: MessageInput
  readonly keys: readonly string[]
  readonly place: TopicPartition
  readonly record: StoredRecord
  readonly sequence: Sequence | undefined
  /** In which it begins something. */
  readonly lanes: readonly string[]
}

/** A position of its own (headers.ts). */
type Sequence = { readonly name: string; readonly next: number }

/** That an inbox partition was read, of the commands of this journal up to a sequence. */
export type InboxReading = { readonly place: string; readonly to: number }

/** Longer than any id that the engine makes of names and a sensible key; it is journaled with each answer. */
const idCharsMax = 4096

/**
 * Makes inputs of records, and moves the positions on.
 *
 * P1. Of an inbox, every record is decided on, is a forwarded command that came before, or is told to `onPoison`.
 * P2. Of a journal, markers and what the component has no use for are passed over; only what it cannot read is told.
 * P3. What cannot be read does not hold up what comes after it: it says nothing to anybody until its cause is cured.
 * P4. A key has one task, which alone decides on its commands: of an inbox that is partitioned as the journal is, one
 *     that stands in the partition of another task is told to `onPoison` there; of any other, only its owner takes it.
 * P5. A position moves on when the input before it is decided, not when it is read (T1): `pass` after each input,
 *     `passAll` when all that was read is decided, or has no consequence. It moves back where its partition was made
 *     anew and the reader goes back, so that a restart passes over nothing of it.
 */
export class Inputs {
  readonly #deps: InputsDeps
  readonly #home: Home
  readonly #readsOwnOnly: (topic: string) => boolean
  /** The positions of what has been read, where those that are covered are behind. */
  readonly #read = new Map<string, number>()
  /** How participants name this journal as a source in their positions, and what they have told of it. */
  readonly #source: string
  #readings: InboxReading[] = []

  constructor(deps: InputsDeps) {
    this.#deps = deps
    const { component, journal, partitionCount } = deps
    this.#home = { partition: journal.partition, partitions: partitionCount(journal.topic) }
    this.#source = sequencePosition(sourceOf(journal), '')
    this.#readsOwnOnly = ownOnly(component, journal, partitionCount)
  }

  /** What the component has a use for. An error that is not the record's fault is thrown. */
  of(chunk: Chunk): Taken[] {
    const read = chunk.topic === this.#deps.component.inbox ? this.#command : this.#event
    const isShared = !this.#readsOwnOnly(chunk.topic)
    const taken: Taken[] = []
    const name = placeName(chunk)
    if (chunk.records[0]!.offset < this.#nextOf(name)) this.#beginAnew(name, chunk.records[0]!.offset)
    for (const record of chunk.records) {
      this.#note(record.headers[header.positions])
      if (isShared && !this.#owns(record.key)) continue
      try {
        const one = read(chunk, record)
        if (one !== undefined) taken.push(one)
      } catch (error) {
        this.#deps.onPoison(chunk, record, this.#faultOf(error))
      }
    }
    this.#read.set(name, chunk.records.at(-1)!.offset + 1)
    return taken
  }

  #nextOf(name: string): number {
    return this.#read.get(name) ?? this.#deps.positions.get(name)
  }

  /** A reader goes back only where the topic was made anew, and somebody has accepted the loss. */
  #beginAnew(name: string, next: number): void {
    this.#read.delete(name)
    this.#deps.positions.beginAnew(name, next)
  }

  /** This input is decided, and so is all that came before it from the same place. */
  pass({ place, record, sequence }: Taken): void {
    const { positions } = this.#deps
    positions.advance(placeName(place), record.offset + 1)
    if (sequence !== undefined) positions.advance(sequence.name, sequence.next)
  }

  /** All that has been read is decided. */
  passAll(): void {
    for (const [name, next] of this.#read) this.#deps.positions.advance(name, next)
    this.#read.clear()
  }

  /** What participants have told, since the last time, of how far they have read what this journal has sent them. */
  takeReadings(): readonly InboxReading[] {
    const readings = this.#readings
    if (readings.length > 0) this.#readings = []
    return readings
  }

  /** What is no fault of the record is thrown; what the component trips over is one. */
  #faultOf(error: unknown): ParcomoloError {
    if (!isParcomoloError(error)) return undecidable(this.#deps.component.name, 'a record', error)
    if (error.retryable) throw error
    return error
  }

  /** Undefined where it is another record than the one of its name that the topic's contract has. */
  #decode(place: TopicPartition, value: Uint8Array): Decoded | undefined {
    const { codec, recordsOf } = this.#deps
    const message = codec.decode(value)
    const own = recordsOf?.(place.topic)?.get(message.type)
    if (own === undefined || own.fullName === message.fullName) return { message, bytes: value, key: own?.key }
    const resolved = codec.decodeAs(value, own.fullName)
    return resolved && { message: resolved, bytes: codec.encode(own.fullName, resolved.value), key: own.key }
  }

  #note(positions: string | undefined): void {
    if (positions === undefined || !positions.includes(this.#source)) return
    for (const [name, to] of Object.entries(JSON.parse(positions) as Record<string, number>))
      if (name.startsWith(this.#source)) this.#readings.push({ place: name.slice(this.#source.length), to })
  }

  #owns(key: string): boolean {
    return partitionOf(key, this.#home.partitions) === this.#home.partition
  }

  readonly #event = (place: TopicPartition, record: StoredRecord): Taken | undefined => {
    const decoded = this.#decodedEvent(place, record)
    if (decoded === undefined) return undefined
    const { component, lanes: putOff } = this.#deps
    const read = inputOf(place, record, decoded, { id: record.headers[header.id], attempt: 1, home: this.#home })
    const lanes = component.beginnings?.lanesOf(read) ?? none
    const input = putOff.names.size === 0 ? read : { ...read, putOff: putOff.names }
    const keys = component.keysOf(input)
    // What it begins may have to be put off, though there is nothing else to it.
    if (keys.length === 0 && lanes.every((lane) => putOff.has(lane, placeName(place)))) return undefined
    return { input, keys, place, record, sequence: undefined, lanes }
  }

  /** Undefined for what is no event of anybody that is read. */
  #decodedEvent(place: TopicPartition, { unreadable, value }: StoredRecord): Decoded | undefined {
    if (unreadable !== undefined) throw unreadable
    if (value === null) return undefined
    const decoded = this.#decode(place, value)
    if (decoded === undefined) this.#deps.onForeign?.()
    return decoded === undefined || isMarker(decoded.message) ? undefined : decoded
  }

  /** What these records begin in a lane of which they were put off. What is no fault of a record is thrown. */
  again({ lane, place, records }: Pick<LaneChunk, 'lane' | 'place' | 'records'>): Taken[] {
    return records.flatMap((record) => {
      if (record.value === null || !this.#owns(record.key)) return []
      try {
        return this.#again(lane, place, record)
      } catch (error) {
        this.#deps.onPoison(place, record, this.#faultOf(error))
        return []
      }
    })
  }

  #again(lane: string, place: TopicPartition, record: StoredRecord): Taken[] {
    const { component } = this.#deps
    const decoded = this.#decode(place, record.value!)
    if (decoded === undefined) return []
    const named = { id: record.headers[header.id], attempt: 1, home: this.#home }
    const input = { ...inputOf(place, record, decoded, named), lane }
    if (component.beginnings?.lanesOf(input).includes(lane) !== true) return []
    return [{ input, keys: component.keysOf(input), place, record, sequence: undefined, lanes: none }]
  }

  readonly #command = (place: TopicPartition, record: StoredRecord): Taken | undefined => {
    const { key, value, headers, unreadable } = record
    if (unreadable !== undefined) throw unreadable
    if (key !== '' && !this.#owns(key)) throw misplaced(place, key, partitionOf(key, this.#home.partitions))
    const sequence = this.#sequenceOf(place, headers)
    if (sequence !== undefined && !this.#isNew(sequence)) return undefined
    if (key === '') throw malformed('it has no key', 'the key that its answer is to have')
    if (value === null) throw malformed('it has no value', 'a command')
    return this.#commandFrom(place, record, value, sequence)
  }

  #commandFrom(place: TopicPartition, record: StoredRecord, value: Uint8Array, sequence: Sequence | undefined): Taken {
    const { component, codec, lanes: putOff } = this.#deps
    const { key, headers } = record
    const named = { id: idOf(headers), attempt: attemptOf(headers), home: this.#home }
    const decoded = this.#decode(place, value)
    if (decoded === undefined) throw anotherRecord(codec.decode(value).fullName, component.name)
    checkKey(key, decoded)
    const read = inputOf(place, record, decoded, named)
    const lanes = component.beginnings?.lanesOf(read) ?? none
    const input = putOff.names.size === 0 ? read : { ...read, putOff: putOff.names }
    const keys = component.keysOf(input)
    if (keys.length === 0) throw notACommand(input.type, component.name)
    return { input, keys, place, record, sequence, lanes }
  }

  /**
   * Forwarding is in order and stop-and-wait, so whatever is not above the highest sequence of its source has been here
   * already. That holds for journals only: what another source calls a sequence is its own affair, and no end of names
   * would fill the positions.
   */
  #sequenceOf(place: TopicPartition, headers: Headers): Sequence | undefined {
    const { [header.source]: source, [header.sequence]: sequence } = headers
    if (source === undefined || sequence === undefined || !this.#isJournal(source)) return undefined
    return { name: sequencePosition(source, placeName(place)), next: wholeNumber(header.sequence, sequence, 0) + 1 }
  }

  #isNew({ name, next }: Sequence): boolean {
    if (next <= (this.#read.get(name) ?? this.#deps.positions.get(name))) return false
    this.#read.set(name, next)
    return true
  }

  #isJournal(source: string): boolean {
    const place = parseSource(source)
    if (place === undefined) return false
    try {
      return place.partition < this.#deps.partitionCount(place.topic)
    } catch {
      return false
    }
  }
}

const none: readonly never[] = []

type Named = { readonly id: string | undefined; readonly attempt: number; readonly home: Home }

/** A record's value, and its bytes as the contract's own record; `key`: the field that names its entity. */
type Decoded = { readonly message: Message; readonly bytes: Uint8Array; readonly key: string | undefined }

/** Another task has the entity that it names: here it would be decided on as if there were none. */
const checkKey = (recordKey: string, { message: { type, value }, key: field }: Decoded): void => {
  if (field !== undefined && value[field] !== recordKey)
    throw underAnotherKey(type, field, { key: recordKey, named: value[field] })
}

const inputOf = (
  place: TopicPartition,
  { key, headers, offset }: StoredRecord,
  { message: { type, value }, bytes }: Decoded,
  { id, attempt, home }: Named
): MessageInput => ({
  kind: 'message',
  type,
  value,
  bytes,
  key,
  id: id ?? `${placeName(place)}/${offset}`,
  causationId: headers[header.causationId],
  headers,
  correlationId: headers[header.correlationId],
  attempt,
  topic: place.topic,
  partition: place.partition,
  offset,
  home,
  memo: undefined
})

/** What is absent has a standard; what is there has to be right, since its sender has meant something by it. */
const idOf = ({ [header.id]: id }: Headers): string | undefined => {
  if (id === '' || (id?.length ?? 0) > idCharsMax)
    throw malformed(`its ${header.id} has ${id!.length} characters`, `1 to ${idCharsMax}, or no such header`)
  return id
}

const attemptOf = ({ [header.attempt]: attempt }: Headers): number =>
  attempt === undefined ? 1 : wholeNumber(header.attempt, attempt, 1)

const wholeNumber = (name: string, text: string, min: number): number => {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min) return value
  throw malformed(`its ${name} is '${text.slice(0, 40)}'`, `a whole number from ${min}, or no such header`)
}

const malformed = (problem: string, expected: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_MALFORMED',
    `a record is no command as it stands: ${problem}; expected ${expected}; send it again as the rules ask`
  )

const misplaced = ({ topic, partition }: TopicPartition, key: string, expected: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_MISPLACED',
    `a command with the key '${key.slice(0, 80)}' stands in partition '${partition}' of '${topic}'; ` +
      `expected partition '${expected}', where Kafka's own partitioner (murmur2) puts that key, since one task has all ` +
      'of a key; send it with that partitioner (librdkafka: partitioner=murmur2_random), or resend its letter'
  )

const underAnotherKey = (
  type: string,
  field: string,
  { key, named }: { readonly key: string; readonly named: unknown }
): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_OTHER_KEY',
    `a '${type}' for '${String(named).slice(0, 80)}' has the key '${key.slice(0, 80)}'; ` +
      `expected what its field '${field}' holds, since one task has all of an entity; send it again under that key`
  )

const anotherRecord = (fullName: string, component: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_NOT_A_COMMAND',
    `'${fullName}' is no command of '${component}', nor does its schema resolve into the one of that name; ` +
      'expected a record that its contract names; write it with the schema of the contract'
  )

const notACommand = (type: string, component: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_NOT_A_COMMAND',
    `'${type}' is no command of '${component}'; expected one that its contract names; send it to the participant that has it`
  )
