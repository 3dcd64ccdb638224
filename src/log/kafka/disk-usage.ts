/**
 * What topics take on the brokers' disks, and what room those have: Kafka's DescribeLogDirs (KIP-113), with sizes of
 * the volumes (KIP-827, from Kafka 3.3 on). Each broker knows its own disks alone, and so each is asked.
 */
import type { DiskUsage, TopicPartition } from '../log.ts'
import { BrokerRefusal } from './broker-errors.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Cluster } from './cluster.ts'
import { type WireRequest, wireRequest } from './kafkajs.ts'

/** One of a broker's folders for partitions; bytes. */
type Folder = {
  readonly folder: string
  readonly topics: readonly { readonly topic: string; readonly bytes: number }[]
  readonly volumeBytes: number
  readonly freeBytes: number
}

/** Of these places, at all brokers that lead one of them. Rejects where one does not answer or refuses. */
export const diskUsage = async (cluster: Cluster, places: readonly TopicPartition[]): Promise<DiskUsage> => {
  const nodes = new Set(places.flatMap((place) => cluster.leader(place) ?? []))
  const answers = [...nodes].map(async (node) => {
    const folders = await cluster.at('disk', node, (link) => link.connectionPool.send(describeRequest(places)))
    return folders.map((folder) => ({ node, ...folder }))
  })
  const folders = (await Promise.all(answers)).flat()
  const topics = new Map<string, number>()
  for (const { topic, bytes } of folders.flatMap((folder) => folder.topics))
    topics.set(topic, (topics.get(topic) ?? 0) + bytes)
  const volumes = folders.map(({ node, folder, volumeBytes, freeBytes }) => ({
    ...{ node, folder, freeBytes },
    bytes: volumeBytes
  }))
  return { topics, volumes }
}

const describeLogDirs = { key: 35, version: 4, name: 'DescribeLogDirs' }

/**
 * DescribeLogDirs, version 4, after the tags of its header: [topic, [partition 4], tags], tags. Lengths are varints of
 * one more than there are, and tags a 0 where there are none.
 */
export const describeRequest = (places: readonly TopicPartition[]): WireRequest<readonly Folder[]> => {
  const topics = Map.groupBy(places, ({ topic }) => topic)
  const body = new ByteWriter(64 + places.length * 4 + topics.size * 300)
  body.byte(0)
  unsignedVarint(body, topics.size + 1)
  for (const [topic, ofTopic] of topics) {
    const name = Buffer.from(topic)
    unsignedVarint(body, name.length + 1)
    for (const byte of name) body.byte(byte)
    unsignedVarint(body, ofTopic.length + 1)
    for (const { partition } of ofTopic) body.int32(partition)
    body.byte(0)
  }
  body.byte(0)
  return wireRequest(describeLogDirs, body.written(), decodeFolders)
}

const unsignedVarint = (writer: ByteWriter, value: number): void => {
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) writer.byte((rest & 0x7f) | 0x80)
  writer.byte(rest)
}

/**
 * Tags of the header, throttle time 4, error 2, [error 2, folder, [topic, [partition 4, size 8, lag 8, future 1, tags],
 * tags], volume 8, free 8, tags], tags.
 */
export const decodeFolders = (payload: Buffer): readonly Folder[] => {
  const answer = new CompactReader(payload)
  answer.tags()
  answer.skip(4)
  refuseIf(answer.int16())
  return answer.list(() => {
    refuseIf(answer.int16())
    const folder = answer.text()
    const topics = answer.list(() => {
      const topic = answer.text()
      const sizes = answer.list(() => {
        answer.skip(4)
        const size = answer.int64()
        answer.skip(9)
        answer.tags()
        return size
      })
      answer.tags()
      return { topic, bytes: sizes.reduce((sum, size) => sum + size, 0) }
    })
    const [volumeBytes, freeBytes] = [answer.int64(), answer.int64()]
    answer.tags()
    return { folder, topics, volumeBytes, freeBytes }
  })
}

const refuseIf = (code: number): void => {
  if (code !== 0) throw new BrokerRefusal(code, 'a look at the disks of a broker')
}

/** Reads what the newer versions of Kafka's requests consist of. */
class CompactReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  int16(): number {
    return this.#bytes.readInt16BE((this.#at += 2) - 2)
  }

  int64(): number {
    return Number(this.#bytes.readBigInt64BE((this.#at += 8) - 8))
  }

  text(): string {
    const length = this.#length()
    return this.#bytes.toString('utf8', this.#at, (this.#at += length))
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: this.#length() }, item)
  }

  /** What a version to come adds is passed over. */
  tags(): void {
    for (let tags = this.#varint(); tags > 0; tags--) {
      this.#varint()
      this.skip(this.#varint())
    }
  }

  /** Nothing at all counts as empty. */
  #length(): number {
    return Math.max(0, this.#varint() - 1)
  }

  #varint(): number {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }
}
