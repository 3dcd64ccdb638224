import { ParcomoloError } from '../../base/index.ts'
import { type LogRecord, placeName, type TopicPartition } from '../log.ts'
import type { Appender } from './appender.ts'
import { asRefused, brokerError, codeOf, reasonOf } from './broker-errors.ts'
import type { Cluster } from './cluster.ts'
import { rangeOf } from './position.ts'
import type { Proof } from './proof.ts'
import { encodeBatch } from './record-batch.ts'
import { type ProducerId, renewRequest } from './renew-id.ts'
import type { KafkaStats } from './stats.ts'

/** What has been appended: from which offset on, and how long it was when encoded. */
export type Appended = { readonly base: number; readonly records: readonly LogRecord[]; readonly bytes: number }

/** `JournalWriter.append`, with more to tell. */
export type PartitionWriter = { append(records: readonly LogRecord[]): Promise<Appended> }

export type WriterDeps = {
  readonly cluster: Pick<Cluster, 'atCoordinator' | 'atLeader' | 'persist'>
  readonly appender: Pick<Appender, 'append'>
  readonly stats: KafkaStats
}

export type ClaimDeps = WriterDeps & { readonly proof: Proof }

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
 * W4. Brokers forget ids that nobody uses, and with them who is fenced. So no batch leaves under a proof that is older
 *     than `Proof` allows, which is well below that: before, the writer takes a new epoch by the one that it has, which
 *     the coordinator refuses where another has claimed since. Where the coordinator had forgotten both, the end of the
 *     partition is not where this writer's last batch ended, as whoever takes over appends first (W1).
 * W5. A batch that has left, and whose proof has grown too old before its outcome is known, ends this writer: sent
 *     again under a new epoch it might stand there twice.
 *
 * A batch that left in time arrives in time: what is not read from a connection within `connections.max.idle.ms` of the
 * brokers (10 minutes) is closed with it.
 */
export const claimPartition = async (place: TopicPartition, id: string, deps: ClaimDeps): Promise<PartitionWriter> => {
  const name = placeName(place)
  const { producerId, producerEpoch } = await deps.cluster
    .atCoordinator('write', { kind: 1, key: id }, (link) =>
      link.initProducerId({ transactionalId: id, transactionTimeout: 60_000 })
    )
    .catch((error: unknown) => {
      throw asRefused(`the claim of '${name}' (transactional id '${id}')`, error)
    })
  deps.proof.give()
  return new Writer(place, id, { id: BigInt(producerId), epoch: producerEpoch }, deps)
}

/** The proof was good when the batch was handed over, and is no more. */
class ProofTooOld extends Error {
  constructor() {
    super('it was not proved for too long')
  }
}

class Writer implements PartitionWriter {
  readonly #place: TopicPartition
  readonly #name: string
  readonly #id: string
  readonly #deps: ClaimDeps
  #producer: ProducerId
  #sequence = 0
  /** Where its last batch ended. */
  #end: number | undefined
  #fenced: ParcomoloError | undefined
  #isInFlight = false

  constructor(place: TopicPartition, id: string, producer: ProducerId, deps: ClaimDeps) {
    this.#place = place
    this.#name = placeName(place)
    this.#id = id
    this.#producer = producer
    this.#deps = deps
  }

  async append(records: readonly LogRecord[]): Promise<Appended> {
    checkFilled(this.#name, records)
    if (this.#fenced !== undefined) throw this.#fenced
    if (this.#isInFlight) throw new TypeError(`two appends at once to '${this.#name}'`)
    this.#isInFlight = true
    try {
      return await this.#append(records)
    } catch (error) {
      if (isFence(error)) throw (this.#fenced = fencedError(this.#name, this.#producer.epoch, error))
      throw asRefused(`an append to '${this.#name}'`, error)
    } finally {
      this.#isInFlight = false
    }
  }

  async #append(records: readonly LogRecord[]): Promise<Appended> {
    const { stats, proof } = this.#deps
    for (;;) {
      if (proof.isStale) await this.#prove()
      const batch = encodeBatch(records, { ...this.#producer, sequence: this.#sequence })
      checkSize(this.#name, batch)
      const base = await this.#send(batch)
      if (base === undefined) continue
      this.#sequence = (this.#sequence + records.length) % sequencesMax
      this.#end = base + records.length
      stats.producedRecords += records.length
      return { base, records, bytes: batch.length }
    }
  }

  /** Undefined where nothing has left, as the proof has grown too old while the batch waited for its request. */
  async #send(batch: Buffer): Promise<number | undefined> {
    const { cluster, appender, proof } = this.#deps
    let hasLeft = false
    const encode = (): Buffer => {
      if (proof.isStale) throw new ProofTooOld()
      hasLeft = true
      return batch
    }
    try {
      return await cluster.persist(`append to '${this.#name}'`, () => appender.append(this.#place, encode))
    } catch (error) {
      if (error instanceof ProofTooOld && !hasLeft) return undefined
      throw error
    }
  }

  /**
   * By a new epoch, and by the end of the partition (W4): before, so that whoever wakes up late does not take the id
   * from its owner; and after, as it may have slept in between.
   */
  async #prove(): Promise<void> {
    const { cluster, proof } = this.#deps
    await this.#checkEnd()
    this.#producer = await cluster.atCoordinator('write', { kind: 1, key: this.#id }, (link) =>
      link.connectionPool.send(renewRequest(this.#id, this.#producer))
    )
    this.#sequence = 0
    await this.#checkEnd()
    proof.give()
  }

  async #checkEnd(): Promise<void> {
    if (this.#end === undefined) return
    const asking = { what: `the end of '${this.#name}'`, scope: 'log' } as const
    const { end } = await this.#deps.cluster.atLeader('write', this.#place, asking, (link) =>
      rangeOf(link, this.#place)
    )
    if (end !== this.#end) throw new EndMoved(this.#end, end)
  }
}

/** Somebody else has appended, or what was acknowledged is lost. */
class EndMoved extends Error {
  constructor(expected: number, found: number) {
    super(`it ends at ${found}, and not at ${expected} as this writer has left it`)
  }
}

const fences = new Set<number | undefined>([
  brokerError.invalidProducerEpoch,
  brokerError.producerFenced,
  brokerError.outOfOrderSequence,
  brokerError.unknownProducerId,
  brokerError.duplicateSequence,
  brokerError.invalidProducerIdMapping
])

export const isFence = (error: unknown): boolean =>
  error instanceof ProofTooOld || error instanceof EndMoved || fences.has(codeOf(error))

const fencedError = (name: string, epoch: number, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_FENCED',
    `'${name}' has been claimed again, or may have been, so this writer of epoch ${epoch} may not append (${reasonOf(cause)})`,
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
