import { setImmediate as nextTurn } from 'node:timers/promises'
import { type LogRecord, placeName, type TopicPartition } from '../../src/log/index.ts'
import { Cluster } from '../../src/log/kafka/cluster.ts'
import type { Connector, Link, WireRequest } from '../../src/log/kafka/kafkajs.ts'
import { encodeBatch } from '../../src/log/kafka/record-batch.ts'

type Batch = { readonly base: number; readonly count: number; readonly bytes: Buffer }
type Asked = { readonly place: TopicPartition; readonly offset: number; readonly bytesMax: number }

/** How long it waits for something to come, in turns of the event loop. */
const turnsMax = 10

const producer = { id: 1n, epoch: 0, sequence: 0 }

/** One broker in memory, as far as reading goes: it speaks Fetch as brokers do, bounds included, without sessions. */
export class WireBroker {
  readonly cluster: Cluster
  fetchCount = 0
  /** Every answer takes so many turns of the event loop. */
  answerTurns = 0
  /** The longest answer that it has given. */
  answerBytesMost = 0
  readonly #topics: readonly { readonly name: string; readonly partitions: number }[]
  readonly #partitions = new Map<string, Batch[]>()

  constructor(topics: readonly { readonly name: string; readonly partitions: number }[]) {
    this.#topics = topics
    const link = {
      connect: async () => undefined,
      disconnect: async () => undefined,
      connectionPool: { send: (request: WireRequest<unknown>) => this.#answer(request), getConnection: async () => 0 },
      listOffsets: async ({ topics: asked }: Parameters<Link['listOffsets']>[0]) => ({
        responses: asked.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition }) => ({ partition, offset: String(this.end({ topic, partition })) }))
        }))
      })
    } as unknown as Link
    const connector = { link: () => link } as unknown as Connector
    this.cluster = new Cluster(connector, ['broker:1'])
  }

  async follow(): Promise<this> {
    await this.cluster.follow(this.#topics)
    return this
  }

  append(place: TopicPartition, records: readonly LogRecord[]): void {
    const bytes = encodeBatch(records, producer)
    const base = this.end(place)
    bytes.writeBigInt64BE(BigInt(base), 0)
    this.#batchesOf(place).push({ base, count: records.length, bytes })
  }

  end(place: TopicPartition): number {
    const last = this.#batchesOf(place).at(-1)
    return last === undefined ? 0 : last.base + last.count
  }

  #batchesOf(place: TopicPartition): Batch[] {
    const name = placeName(place)
    const known = this.#partitions.get(name)
    if (known !== undefined) return known
    const batches: Batch[] = []
    this.#partitions.set(name, batches)
    return batches
  }

  async #answer({ request, response }: WireRequest<unknown>): Promise<unknown> {
    if (request.apiName !== 'Fetch') return this.#metadata()
    this.fetchCount++
    for (let turn = 0; turn < this.answerTurns; turn++) await nextTurn()
    const { buffer } = await request.encode()
    const { asked, bytesMax } = readFetch(buffer)
    let parts = this.#partsOf(asked, bytesMax)
    for (let turn = 0; turn < turnsMax && parts.length === 0; turn++) {
      await nextTurn()
      parts = this.#partsOf(asked, bytesMax)
    }
    const payload = writeAnswer(parts)
    this.answerBytesMost = Math.max(this.answerBytesMost, payload.length)
    return response.parse(await response.decode(payload))
  }

  #metadata(): unknown {
    return {
      brokers: [{ nodeId: 1, host: 'broker', port: 1 }],
      topicMetadata: this.#topics.map(({ name, partitions }) => ({
        topicErrorCode: 0,
        topic: name,
        partitionMetadata: Array.from({ length: partitions }, (_, partitionId) => ({
          partitionErrorCode: 0,
          partitionId,
          leader: 1
        }))
      }))
    }
  }

  /** Whole batches within the bounds; the first of all comes in any case. */
  #partsOf(asked: readonly Asked[], bytesMax: number): { place: TopicPartition; batches: Buffer }[] {
    let left = bytesMax
    let isFirst = true
    return asked.flatMap(({ place, offset, bytesMax: most }) => {
      const chosen: Buffer[] = []
      let room = Math.min(most, left)
      for (const { base, count, bytes } of this.#batchesOf(place)) {
        if (base + count <= offset) continue
        if (bytes.length > room && !isFirst) break
        isFirst = false
        chosen.push(bytes)
        room -= bytes.length
        left -= bytes.length
      }
      return chosen.length === 0 ? [] : [{ place, batches: Buffer.concat(chosen) }]
    })
  }
}

const readFetch = (body: Buffer): { readonly asked: readonly Asked[]; readonly bytesMax: number } => {
  let at = 25
  const int32 = (): number => body.readInt32BE((at += 4) - 4)
  const asked: Asked[] = []
  for (let topics = int32(); topics > 0; topics--) {
    const length = body.readInt16BE(at)
    const topic = body.toString('utf8', at + 2, at + 2 + length)
    at += 2 + length
    for (let partitions = int32(); partitions > 0; partitions--) {
      const partition = int32()
      const offset = Number(body.readBigInt64BE(at + 4))
      asked.push({ place: { topic, partition }, offset, bytesMax: body.readInt32BE(at + 20) })
      at += 24
    }
  }
  return { asked, bytesMax: body.readInt32BE(12) }
}

const writeAnswer = (parts: readonly { readonly place: TopicPartition; readonly batches: Buffer }[]): Buffer =>
  Buffer.concat([
    Buffer.alloc(10),
    int32Of(parts.length),
    ...parts.flatMap(({ place: { topic, partition }, batches }) => [
      Buffer.from([0, topic.length]),
      Buffer.from(topic),
      int32Of(1),
      int32Of(partition),
      Buffer.alloc(26),
      int32Of(0),
      int32Of(-1),
      int32Of(batches.length),
      batches
    ])
  ])

const int32Of = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
