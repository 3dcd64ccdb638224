import { ParcomoloError } from '../../base/index.ts'
import { placeName, type StoredRecord, type TopicPartition } from '../log.ts'
import { heldBytesOf } from '../record-bytes.ts'
import { BrokerRefusal, brokerError } from './broker-errors.ts'
import type { Fetched, FetchFrom } from './fetch.ts'
import type { Link } from './kafkajs.ts'
import { type Decode, decodeWhatCan } from './record-batch.ts'

/** What came of one partition: its records, which may be none, and where to go on. */
export type Arrived<T = StoredRecord> = {
  readonly records: readonly T[]
  readonly next: number
  /** Nothing more could be read when the broker answered. */
  readonly isAtEnd: boolean
  /** What it was on its way here. */
  readonly fetchedBytes: number
  /** What it takes in memory until all of it has been taken. */
  readonly heldBytes: number
}

/**
 * Reads one partition's part of a Fetch answer. Throws BrokerRefusal where another broker has to be asked, and
 * PARCOMOLO_LOG_OUT_OF_RANGE where the log has lost what the reader has not had yet.
 */
export const arrived = (place: TopicPartition, offset: number, fetched: Fetched | undefined): Arrived =>
  arrivedAs(decodeWhatCan, { place, offset }, fetched)

/** The same with another reading of the batches. */
export const arrivedAs = <T>(decode: Decode<T>, from: FetchFrom, fetched: Fetched | undefined): Arrived<T> => {
  const { place, offset } = from
  if (fetched === undefined) return nothing(offset)
  if (fetched.code === 0) {
    const { records, next, plainBytes } = decode(fetched.batches, offset, fetched.aborted)
    const fetchedBytes = fetched.batches.length
    const isAtEnd = next >= fetched.end
    return { records, next, isAtEnd, fetchedBytes, heldBytes: heldBytesOf(plainBytes, records.length) }
  }
  if (fetched.code !== brokerError.offsetOutOfRange)
    throw new BrokerRefusal(fetched.code, `read of '${placeName(place)}'`)
  if (offset === 0) throw new StartGone(place)
  throw outOfRange(place, offset)
}

/** Whoever has never read anything of a topic begins with what retention has left of it: `startOf` says where. */
export class StartGone extends Error {
  constructor(place: TopicPartition) {
    super(`'${placeName(place)}' does not begin with offset 0 any more`)
  }
}

/** The offset of the first record that is still there, by the leader; brokers since 3.6 do not say it in a Fetch. */
export const startOf = async (link: Link, place: TopicPartition): Promise<number> => {
  const { start } = await rangeOf(link, place)
  if (start > 0) return start
  throw outOfRange(place, 0)
}

/** What a partition has, by its leader. */
export type Range = { readonly start: number; readonly end: number }

export const rangeOf = async (link: Link, { topic, partition }: TopicPartition): Promise<Range> => {
  const ask = async (timestamp: number): Promise<number> => {
    const topics = [{ topic, partitions: [{ partition, timestamp }] }]
    const { responses } = await link.listOffsets({ replicaId: -1, isolationLevel: 0, topics })
    return Number(responses[0]!.partitions[0]!.offset)
  }
  return { start: await ask(earliest), end: await ask(latest) }
}

const [latest, earliest] = [-1, -2]

export const nothing = (next: number): Arrived<never> => ({
  ...{ records: [], next, isAtEnd: true },
  ...{ fetchedBytes: 0, heldBytes: 0 }
})

const outOfRange = (place: TopicPartition, offset: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_OUT_OF_RANGE',
    `'${placeName(place)}' cannot be read from '${offset}'; expected an offset between its start and its end, ` +
      'so records were deleted before they were read, or the topic was made anew'
  )
