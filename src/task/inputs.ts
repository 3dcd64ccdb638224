import type { Codec } from '../contract/index.ts'
import { placeName, type StoredRecord, type TopicPartition } from '../log/index.ts'
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

/**
 * The input that a record is, and its position taken note of; undefined where it is none: a marker, or a forwarded
 * command that came before.
 * Forwarding is in order and stop-and-wait, so whatever is not above the highest sequence of its source has been here
 * already.
 */
export const toInput = (
  place: TopicPartition,
  record: StoredRecord,
  task: {
    readonly codec: Codec
    readonly positions: Positions
    readonly owns: (place: TopicPartition, key: string) => boolean
  }
): MessageInput | undefined => {
  const name = placeName(place)
  task.positions.advance(name, record.offset + 1)
  if (record.value === null || !task.owns(place, record.key)) return undefined
  if (isRepeatedForward(name, record, task.positions)) return undefined
  const { headers } = record
  const message = task.codec.decode(record.value)
  return {
    kind: 'message',
    type: message.type,
    value: message.value,
    bytes: record.value,
    key: record.key,
    id: headers[header.id] ?? `${name}/${record.offset}`,
    ...optional('causationId', headers[header.causationId]),
    ...optional('correlationId', headers[header.correlationId]),
    attempt: Number(headers[header.attempt] ?? 1),
    topic: place.topic,
    partition: place.partition,
    offset: record.offset
  }
}

const isRepeatedForward = (inbox: string, record: StoredRecord, positions: Positions): boolean => {
  const sequence = record.headers[header.sequence]
  const source = record.headers[header.source]
  if (sequence === undefined || source === undefined) return false
  const position = sequencePosition(source, inbox)
  if (Number(sequence) < positions.get(position)) return true
  positions.advance(position, Number(sequence) + 1)
  return false
}

const optional = <K extends string>(name: K, value: string | undefined): { [P in K]?: string } =>
  value === undefined ? {} : ({ [name]: value } as { [P in K]: string })
