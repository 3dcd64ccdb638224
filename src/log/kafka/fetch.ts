import { placeName, type TopicPartition } from '../log.ts'
import type { Aborted } from './aborted.ts'
import { BrokerRefusal } from './broker-errors.ts'
import { ByteWriter } from './byte-writer.ts'
import { type SessionPart, withoutSession } from './fetch-session.ts'
import { type WireRequest, wireRequest } from './kafkajs.ts'

export type FetchFrom = { readonly place: TopicPartition; readonly offset: number }

export type FetchBounds = {
  /** How long the broker holds its answer while it has nothing. */
  readonly waitMs: number
  readonly bytesMax: number
  /** The first batch of a partition comes whole, however long it is. */
  readonly partitionBytesMax: number
}

/** One partition's part of an answer; the batches are as they stand in the log. */
export type Fetched = {
  readonly code: number
  readonly batches: Buffer
  /** The offset after the last record that could be read when the broker answered (its last stable offset). */
  readonly end: number
  /** The transactions that were aborted of which the batches may have something; undefined where there is none. */
  readonly aborted: readonly Aborted[] | undefined
}

const fetch = { key: 1, version: 11, name: 'Fetch' }
const noBatches = Buffer.alloc(0)

/** An answer: the session that it belongs to (0: none), and by `<topic>/<partition>` what has something to say. */
export type FetchAnswer = { readonly session: number; readonly fetched: ReadonlyMap<string, Fetched> }

/** A Fetch outside of any session. */
export const fetchRequest = (from: readonly FetchFrom[], bounds: FetchBounds): WireRequest<FetchAnswer> =>
  sessionFetchRequest(withoutSession(from), bounds)

/**
 * Fetch, version 11: replica 4 (-1), wait 4, bytes at least 4 and at most 4, isolation 1 (1: what is committed),
 * session 4, session epoch 4, [topic, [partition 4, leader epoch 4 (-1), offset 8, log start 8 (-1), bytes at most 4]],
 * [forgotten topic, [partition 4]], rack.
 */
export const sessionFetchRequest = (
  { id, epoch, from, forgotten }: SessionPart,
  { waitMs, bytesMax, partitionBytesMax }: FetchBounds
): WireRequest<FetchAnswer> => {
  const body = new ByteWriter((from.length + forgotten.length) * 64 + 64)
  for (const number of [-1, waitMs, 1, bytesMax]) body.int32(number)
  body.byte(1)
  body.int32(id)
  body.int32(epoch)
  const topics = Map.groupBy(from, ({ place }) => place.topic)
  body.int32(topics.size)
  for (const [topic, ofTopic] of topics) {
    body.string(topic)
    body.int32(ofTopic.length)
    for (const { place, offset } of ofTopic) {
      body.int32(place.partition)
      body.int32(-1)
      body.int64(offset)
      body.int64(-1)
      body.int32(partitionBytesMax)
    }
  }
  writeForgotten(body, forgotten)
  body.string('')
  return wireRequest(fetch, body.written(), decodeAnswer)
}

/**
 * The part of one partition. It is a view where that keeps little else in memory, and else a copy: its records may be
 * held for long, when those of all others in the answer have been taken.
 */
const part = (payload: Buffer, start: number, end: number): Buffer => {
  const view = payload.subarray(start, end)
  return payload.length <= viewedBytesMax || view.length * 2 > payload.length ? view : Buffer.from(view)
}

const viewedBytesMax = 1024 * 1024

const readAborted = (payload: Buffer, at: number, count: number): Aborted[] =>
  Array.from({ length: count }, (_, i) => ({
    producerId: payload.readBigInt64BE(at + i * 16),
    firstOffset: Number(payload.readBigInt64BE(at + i * 16 + 8))
  }))

const writeForgotten = (body: ByteWriter, forgotten: readonly TopicPartition[]): void => {
  const topics = Map.groupBy(forgotten, ({ topic }) => topic)
  body.int32(topics.size)
  for (const [topic, ofTopic] of topics) {
    body.string(topic)
    body.int32(ofTopic.length)
    for (const { partition } of ofTopic) body.int32(partition)
  }
}

/**
 * Throttle time 4, error 2, session 4, [topic, [partition 4, error 2, high watermark 8, last stable 8, log start 8,
 * [aborted: producer 8, offset 8] or null, preferred replica 4, batches (length 4)]].
 */
const decodeAnswer = (payload: Buffer): FetchAnswer => {
  const refused = payload.readInt16BE(4)
  if (refused !== 0) throw new BrokerRefusal(refused, 'a fetch')
  const fetched = new Map<string, Fetched>()
  let at = 10
  const int32 = (): number => payload.readInt32BE((at += 4) - 4)
  for (let topics = int32(); topics > 0; topics--) {
    const length = payload.readInt16BE(at)
    const topic = payload.toString('utf8', at + 2, at + 2 + length)
    at += 2 + length
    for (let partitions = int32(); partitions > 0; partitions--) {
      const partition = int32()
      const code = payload.readInt16BE(at)
      const end = Number(payload.readBigInt64BE(at + 10))
      at += 26
      const count = Math.max(0, int32())
      const aborted = count === 0 ? undefined : readAborted(payload, at, count)
      at += count * 16 + 4
      const bytes = Math.max(0, int32())
      const batches = bytes === 0 ? noBatches : part(payload, at, at + bytes)
      at += bytes
      if (code !== 0 || bytes > 0) fetched.set(placeName({ topic, partition }), { code, batches, end, aborted })
    }
  }
  return { session: payload.readInt32BE(6), fetched }
}
