import { ParcomoloError } from '../../base/index.ts'
import { type LogRecord, placeName, type TopicPartition } from '../log.ts'
import type { Appender } from './appender.ts'
import { asRefused, brokerError, codeOf } from './broker-errors.ts'
import type { Cluster } from './cluster.ts'
import { encodeBatch } from './record-batch.ts'
import type { KafkaStats } from './stats.ts'

/** What has been appended: from which offset on, and how long it was when encoded. */
export type Appended = { readonly base: number; readonly records: readonly LogRecord[]; readonly bytes: number }

/** `JournalWriter.append`, with more to tell. */
export type PartitionWriter = { append(records: readonly LogRecord[]): Promise<Appended> }

export type WriterDeps = { readonly cluster: Cluster; readonly appender: Appender; readonly stats: KafkaStats }

/** What topics of this room take (`max.message.bytes`). */
export const batchBytesMax = 16 * 1024 * 1024
const sequencesMax = 2 ** 31

/**
 * The one writer of a partition, by the epoch of a transactional id but without transactions.
 *
 * W1. InitProducerId raises the epoch; from this writer's first batch on, the broker refuses every older one. Before
 *     that an older one may still append, so whoever takes over appends first and reads then.
 * W2. A batch is sent again as the same bytes until its outcome is known: its sequence number lets the broker answer a
 *     repeat with the offset that it has.
 * W3. Whatever the broker says of epoch and sequence that it does not like ends this writer.
 */
export const claimPartition = async (place: TopicPartition, id: string, deps: WriterDeps): Promise<PartitionWriter> => {
  const { cluster, appender, stats } = deps
  const name = placeName(place)
  const { producerId, producerEpoch } = await cluster
    .atCoordinator('write', { kind: 1, key: id }, (link) =>
      link.initProducerId({ transactionalId: id, transactionTimeout: 60_000 })
    )
    .catch((error: unknown) => {
      throw asRefused(`the claim of '${name}' (transactional id '${id}')`, error)
    })
  let sequence = 0
  let fenced: ParcomoloError | undefined
  let isInFlight = false
  const appendOne = async (records: readonly LogRecord[]): Promise<Appended> => {
    const batch = encodeBatch(records, { id: BigInt(producerId), epoch: producerEpoch, sequence })
    checkSize(name, batch)
    const base = await cluster.persist(`append to '${name}'`, () => appender.append(place, () => batch))
    sequence = (sequence + records.length) % sequencesMax
    stats.producedRecords += records.length
    return { base, records, bytes: batch.length }
  }
  return {
    append: async (records) => {
      checkFilled(name, records)
      if (fenced !== undefined) throw fenced
      if (isInFlight) throw new TypeError(`two appends at once to '${name}'`)
      isInFlight = true
      try {
        return await appendOne(records)
      } catch (error) {
        if (isFence(error)) throw (fenced = fencedError(name, producerEpoch, error))
        throw asRefused(`an append to '${name}'`, error)
      } finally {
        isInFlight = false
      }
    }
  }
}

const fences = new Set<number | undefined>([
  brokerError.invalidProducerEpoch,
  brokerError.producerFenced,
  brokerError.outOfOrderSequence,
  brokerError.unknownProducerId,
  brokerError.duplicateSequence
])

export const isFence = (error: unknown): boolean => fences.has(codeOf(error))

const fencedError = (name: string, epoch: number, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_FENCED',
    `'${name}' has been claimed again, so this writer of epoch ${epoch} may not append (error ${codeOf(cause)})`,
    { cause }
  )

export const checkFilled = (name: string, records: readonly LogRecord[]): void => {
  if (records.length > 0) return
  throw new ParcomoloError('PARCOMOLO_LOG_BATCH_REFUSED', `a batch for '${name}' has no records; expected at least 1`)
}

export const checkSize = (name: string, batch: Buffer): void => {
  if (batch.length <= batchBytesMax) return
  throw new ParcomoloError(
    'PARCOMOLO_LOG_BATCH_REFUSED',
    `a batch for '${name}' has '${batch.length}' bytes; expected at most ${batchBytesMax}`
  )
}
