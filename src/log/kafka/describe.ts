import { ByteWriter } from './byte-writer.ts'
import { FlexibleReader } from './flexible.ts'
import { type WireRequest, wireRequest } from './kafkajs.ts'

/** What a topic is. Made anew under its name it has another id. */
export type TopicFacts = { readonly name: string; readonly id: string; readonly partitions: number }

const metadata = { key: 3, version: 10, name: 'Metadata' }

/** Metadata, version 10, for the ids that version 6 has not (KIP-516). Topics that there are not are left out. */
export const describeRequest = (topics: readonly string[]): WireRequest<readonly TopicFacts[]> => {
  const body = new ByteWriter(256)
  body.byte(0)
  body.unsigned(topics.length + 1)
  for (const topic of topics) {
    for (let i = 0; i < 4; i++) body.int32(0)
    body.compact(topic)
    body.byte(0)
  }
  // No topic is made; rights are not asked for, neither of the cluster nor of topics.
  for (let flag = 0; flag < 3; flag++) body.byte(0)
  body.byte(0)
  return wireRequest(metadata, body.written(), decodeAnswer)
}

/**
 * Throttle time 4, [node 4, host, port 4, rack], cluster, controller 4, [error 2, topic, id 16, internal 1,
 * [error 2, partition 4, leader 4, leader epoch 4, [replica 4], [in sync 4], [offline 4]], rights 4], rights 4.
 */
const decodeAnswer = (payload: Buffer): readonly TopicFacts[] => {
  const reader = new FlexibleReader(payload)
  reader.skip(4)
  reader.list(() => {
    reader.skip(4)
    reader.text()
    reader.skip(4)
    reader.text()
    reader.tags()
  })
  reader.text()
  reader.skip(4)
  return reader
    .list(() => {
      const error = reader.int16()
      const name = reader.text()
      const id = reader.hex(16)
      reader.skip(1)
      const partitions = reader.list(() => {
        reader.skip(14)
        for (let lists = 0; lists < 3; lists++) reader.list(() => reader.skip(4))
        reader.tags()
      }).length
      reader.skip(4)
      reader.tags()
      return { error, name, id, partitions }
    })
    .flatMap(({ error, ...topic }) => (error === 0 ? [topic] : []))
}
