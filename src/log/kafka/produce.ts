import { placeName, type TopicPartition } from '../log.ts'
import { BrokerRefusal } from './broker-errors.ts'
import { ByteWriter } from './byte-writer.ts'
import { type WireRequest, wireRequest } from './kafkajs.ts'

/** An encoded batch for one partition; a request has at most one for each. */
export type Addressed = { readonly place: TopicPartition; readonly batch: Buffer }

/** By `<topic>/<partition>`: the offset of the batch's first record, or why it was refused. */
export type ProduceAnswer = ReadonlyMap<string, number | BrokerRefusal>

const produce = { key: 0, version: 7, name: 'Produce' }
/** A broker that cannot get enough copies within this time says so, and is asked again. */
const replicationTimeoutMs = 4_000

/** Produce, version 7: transactional id 2 (-1, none), acks 2 (-1, all), timeout 4, [topic, [partition 4, batch]]. */
export const produceRequest = (batches: readonly Addressed[]): WireRequest<ProduceAnswer> => {
  const size = batches.reduce((sum, { place, batch }) => sum + batch.length + place.topic.length * 3 + 32, 64)
  const body = new ByteWriter(size)
  body.int16(-1)
  body.int16(-1)
  body.int32(replicationTimeoutMs)
  const topics = Map.groupBy(batches, ({ place }) => place.topic)
  body.int32(topics.size)
  for (const [topic, ofTopic] of topics) {
    body.string(topic)
    body.int32(ofTopic.length)
    for (const { place, batch } of ofTopic) {
      body.int32(place.partition)
      body.block(batch)
    }
  }
  return wireRequest(produce, body.written(), decodeAnswer)
}

/** [topic, [partition 4, error 2, base offset 8, append time 8, log start 8]], throttle time 4. */
const decodeAnswer = (payload: Buffer): ProduceAnswer => {
  const answer = new Map<string, number | BrokerRefusal>()
  let at = 0
  const int32 = (): number => payload.readInt32BE((at += 4) - 4)
  for (let topics = int32(); topics > 0; topics--) {
    const length = payload.readInt16BE(at)
    const topic = payload.toString('utf8', at + 2, at + 2 + length)
    at += 2 + length
    for (let partitions = int32(); partitions > 0; partitions--) {
      const name = placeName({ topic, partition: int32() })
      const code = payload.readInt16BE(at)
      const base = Number(payload.readBigInt64BE(at + 2))
      answer.set(name, code === 0 ? base : new BrokerRefusal(code, `append to '${name}'`))
      at += 26
    }
  }
  return answer
}
