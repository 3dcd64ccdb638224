import { type Budget, ParcomoloError } from '../../base/index.ts'
import { placeName, type StoredRecord, type TopicPartition } from '../log.ts'
import type { Cluster, Scope } from './cluster.ts'
import { type FetchBounds, type FetchFrom, fetchRequest } from './fetch.ts'
import type { Link } from './kafkajs.ts'
import { type Arrived, arrivedAs, nothing, StartGone, startOf } from './position.ts'
import { ReadRoom } from './read-room.ts'
import { type Decode, decodeBatches, decodeKeys, decodeWanted, decodeWhatCan, type KeyAt } from './record-batch.ts'
import type { KafkaStats } from './stats.ts'

/** The wait matters only right after a change of leaders, when the new one does not yet know how far all have it. */
const boundsOf = (bytesMax: number): FetchBounds => ({ waitMs: 100, bytesMax, partitionBytesMax: bytesMax })
/** For single records: hardly more than the batch that comes in any case. */
const fewBytes = boundsOf(64 * 1024)

/** Reads what stands in the log already, on connections of its own, so that nobody at the end waits for it. */
export class RangeReader {
  readonly #cluster: Cluster
  readonly #stats: KafkaStats
  readonly #budget: Budget

  constructor(cluster: Cluster, stats: KafkaStats, budget: Budget) {
    this.#cluster = cluster
    this.#stats = stats
    this.#budget = budget
  }

  /**
   * What stands from `offset` on: at most so many bytes, or one batch; nothing where the partition ends there. A record
   * stands for a batch that cannot be read.
   */
  next(place: TopicPartition, offset: number, bytesMax: number): Promise<Arrived> {
    return this.#fetch({ place, offset }, boundsOf(bytesMax), decodeWhatCan, 'topic')
  }

  /**
   * The records at these offsets, which rise; those that compaction has removed are left out. Records that stand near
   * to one another come with one request. Their values are copies, as each may be the only one of an answer.
   */
  async at(place: TopicPartition, offsets: readonly number[]): Promise<ReadonlyMap<number, StoredRecord>> {
    const decode = decodeWanted(new Set(offsets))
    const found = new Map<number, StoredRecord>()
    let next = 0
    for (const offset of offsets) {
      if (offset < next) continue
      const what = await this.#fetch({ place, offset }, fewBytes, decode)
      for (const record of what.records) found.set(record.offset, withOwnValue(record))
      next = what.next
    }
    return found
  }

  /** All records in `[from, to)`. */
  all(place: TopicPartition, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    return this.#all({ place, offset: from }, to, decodeBatches)
  }

  /** Of all records in `[from, to)` the keys. */
  keys(place: TopicPartition, from: number, to: number): AsyncGenerator<readonly KeyAt[]> {
    return this.#all({ place, offset: from }, to, decodeKeys)
  }

  /** The next request is under way while the caller works on what the last one gave, if there is room for both. */
  async *#all<T extends Pick<StoredRecord, 'offset'>>(
    from: FetchFrom,
    to: number,
    decode: Decode<T>
  ): AsyncGenerator<readonly T[]> {
    const { place } = from
    const account = this.#budget.account('ranges')
    const room = new ReadRoom(account)
    const fetch = (offset: number): Promise<Arrived<T>> | undefined =>
      offset < to ? room.read((bytesMax) => this.#fetch({ place, offset }, boundsOf(bytesMax), decode)) : undefined
    let ahead = fetch(from.offset)
    let at = from.offset
    while (ahead !== undefined) {
      const { records, next, heldBytes } = await ahead
      if (next === at) await this.#checkEnd(place, from.offset, to)
      at = next
      account.hold(heldBytes)
      try {
        ahead = room.hasMore ? fetch(at) : undefined
        ahead?.catch(() => undefined)
        const wanted = at <= to ? records : records.filter(({ offset }) => offset < to)
        if (wanted.length > 0) yield wanted
      } finally {
        account.release(heldBytes)
      }
      ahead ??= fetch(at)
    }
  }

  /** The offset that the next record will get that can be read: what an open transaction holds up comes later. */
  async end(place: TopicPartition): Promise<number> {
    const { topic, partition } = place
    const topics = [{ topic, partitions: [{ partition, timestamp: latest }] }]
    const asking = { what: `the end of '${placeName(place)}'`, scope: 'log' } as const
    const { responses } = await this.#cluster.atLeader('read', place, asking, (link) =>
      link.listOffsets({ replicaId: -1, isolationLevel: 1, topics })
    )
    return Number(responses[0]!.partitions[0]!.offset)
  }

  #fetch<T>(from: FetchFrom, bounds: FetchBounds, decode: Decode<T>, scope: Scope = 'log'): Promise<Arrived<T>> {
    const { place } = from
    return this.#cluster.atLeader('read', place, { what: `read of '${placeName(place)}'`, scope }, async (link) => {
      this.#stats.fetchRequests++
      const answer = await link.connectionPool.send(fetchRequest([from], bounds))
      const fetched = answer.fetched.get(placeName(place))
      const what = await arrivedFrom(link, from, () => arrivedAs(decode, from, fetched))
      this.#stats.fetchedRecords += what.records.length
      this.#stats.fetchedBytes += fetched?.batches.length ?? 0
      return what
    })
  }

  async #checkEnd(place: TopicPartition, from: number, to: number): Promise<void> {
    const end = await this.end(place)
    if (end >= to) return
    throw new ParcomoloError(
      'PARCOMOLO_LOG_OUT_OF_RANGE',
      `'${placeName(place)}' cannot be read from '${from}' to '${to}'; expected a range within 0 and ${end}`
    )
  }
}

const arrivedFrom = async <T>(link: Link, { place }: FetchFrom, read: () => Arrived<T>): Promise<Arrived<T>> => {
  try {
    return read()
  } catch (error) {
    if (error instanceof StartGone) return nothing(await startOf(link, place))
    throw error
  }
}

const withOwnValue = (record: StoredRecord): StoredRecord =>
  record.value === null ? record : { ...record, value: Uint8Array.from(record.value) }

const latest = -1
