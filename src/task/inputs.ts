import { partitionOf } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import { type Chunk, placeName, type StoredRecord, type TopicPartition } from '../log/index.ts'
import type { Component, MessageInput } from './component.ts'
import { header, sequencePosition } from './headers.ts'
import type { Positions } from './positions.ts'

/**
 * Which partitions a task reads: of a topic that has as many as its journal, its own; of any other, all, where what
 * belongs to another task is told by the record's key (so whoever answers a command uses its key).
 */
export const inputPlaces = (
  component: Pick<Component<unknown>, 'inbox' | 'reads'>,
  journal: TopicPartition,
  partitionCount: (topic: string) => number
): TopicPartition[] => {
  const topics = component.inbox === undefined ? component.reads : [component.inbox, ...component.reads]
  const own = partitionCount(journal.topic)
  return topics.flatMap((topic) => {
    const partitions = partitionCount(topic)
    if (partitions === own) return [{ topic, partition: journal.partition }]
    return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  })
}

export type InputsDeps = {
  readonly codec: Codec
  readonly positions: Positions
  readonly journal: TopicPartition
  readonly partitionCount: (topic: string) => number
  /** A record could not be read; `at` is `<topic>/<partition>/<offset>`. */
  readonly onPoison: (at: string, error: unknown) => void
}

/** Makes inputs of records, and takes note of their positions. */
export class Inputs {
  readonly #deps: InputsDeps
  readonly #partitions: number

  constructor(deps: InputsDeps) {
    this.#deps = deps
    this.#partitions = deps.partitionCount(deps.journal.topic)
  }

  /**
   * The inputs of a chunk. None are: markers, records of other tasks, forwarded commands that came before, and what
   * cannot be read, which says nothing to anybody, now or later: it is reported, stays in the log, and does not hold up
   * what comes after it.
   */
  of(chunk: Chunk): MessageInput[] {
    const { positions, onPoison } = this.#deps
    const place = placeName(chunk)
    // Of a topic that is partitioned as the journal is, only the own partition is read, whoever has chosen it.
    const isShared = this.#deps.partitionCount(chunk.topic) !== this.#partitions
    const inputs: MessageInput[] = []
    for (const record of chunk.records) {
      if (record.value === null || (isShared && !this.#owns(record.key))) continue
      if (isRepeatedForward(place, record, positions)) continue
      try {
        inputs.push(this.#input(chunk, place, record, record.value))
      } catch (error) {
        onPoison(`${place}/${record.offset}`, error)
      }
    }
    positions.advance(place, chunk.records.at(-1)!.offset + 1)
    return inputs
  }

  #owns(key: string): boolean {
    return partitionOf(key, this.#partitions) === this.#deps.journal.partition
  }

  #input(chunk: Chunk, place: string, record: StoredRecord, bytes: Uint8Array): MessageInput {
    const { type, value } = this.#deps.codec.decode(bytes)
    const { headers, key, offset } = record
    return {
      kind: 'message',
      type,
      value,
      bytes,
      key,
      id: headers[header.id] ?? `${place}/${offset}`,
      causationId: headers[header.causationId],
      correlationId: headers[header.correlationId],
      attempt: Number(headers[header.attempt] ?? 1),
      topic: chunk.topic,
      partition: chunk.partition,
      offset
    }
  }
}

/**
 * Forwarding is in order and stop-and-wait, so whatever is not above the highest sequence of its source has been here
 * already.
 */
const isRepeatedForward = (inbox: string, { headers }: StoredRecord, positions: Positions): boolean => {
  const sequence = headers[header.sequence]
  const source = headers[header.source]
  if (sequence === undefined || source === undefined) return false
  return !positions.advance(sequencePosition(source, inbox), Number(sequence) + 1)
}
