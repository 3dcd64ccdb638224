import { ParcomoloError } from '../../base/index.ts'
import { placeName, type StoredRecord, type TopicPartition } from '../log.ts'
import { BrokerRefusal, brokerError } from './broker-errors.ts'
import type { Fetched } from './fetch.ts'
import { decodeBatches } from './record-batch.ts'

/** What came of one partition: its records, which may be none, and where to go on. */
export type Arrived = { readonly records: readonly StoredRecord[]; readonly next: number }

/**
 * Reads one partition's part of a Fetch answer, or what of it is at `wanted` offsets. Throws BrokerRefusal where
 * another broker has to be asked, and PARCOMOLO_LOG_OUT_OF_RANGE where the log has lost what was not read yet.
 */
export const arrived = (
  place: TopicPartition,
  offset: number,
  fetched: Fetched | undefined,
  wanted?: ReadonlySet<number>
): Arrived => {
  if (fetched === undefined) return { records: [], next: offset }
  if (fetched.code === 0) return decodeBatches(fetched.batches, offset, wanted)
  if (fetched.code !== brokerError.offsetOutOfRange)
    throw new BrokerRefusal(fetched.code, `read of '${placeName(place)}'`)
  // Whoever has never read anything of a topic begins with what retention has left of it.
  if (offset === 0 && fetched.logStart > 0) return { records: [], next: fetched.logStart }
  throw outOfRange(place, offset, fetched.logStart)
}

const outOfRange = (place: TopicPartition, offset: number, logStart: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_OUT_OF_RANGE',
    `'${placeName(place)}' cannot be read from '${offset}'; expected an offset from ${logStart} to its end, ` +
      'so records were deleted before they were read, or the topic was made anew; restore the topic, or begin anew'
  )
