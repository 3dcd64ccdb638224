import { type LogRecord, placeName, type TopicPartition } from '../log.ts'
import { asRefused } from './broker-errors.ts'
import { checkSize, isFence, type WriterDeps } from './partition-writer.ts'
import { encodeBatch } from './record-batch.ts'
import type { Tail } from './tail.ts'

type SenderDeps = WriterDeps & { readonly tail: Tail }

type Producer = { readonly id: bigint; readonly epoch: number; sequence: number }

/** What goes as one batch, and who waits for it. */
type Batch = { readonly waiting: readonly Waiting[]; readonly records: readonly LogRecord[] }

type Waiting = {
  readonly records: readonly LogRecord[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * A batch is closed when it has so many records or bytes. What is larger goes alone: with others it might be too large
 * for the partition, and all of them refused.
 */
const batchRecordsMax = 5_000
const batchBytesAim = 512 * 1024
const bytesPerRecord = 128

/**
 * Appends to partitions that everybody may write. One batch a partition is under way, and all that arrives meanwhile
 * makes the next: the order of the calls is the order of the partition.
 * The process has a producer id for each partition, so a batch whose outcome is unknown is not doubled by being sent
 * again.
 */
export class Sender {
  readonly #deps: SenderDeps
  readonly #partitions = new Map<string, PartitionSender>()

  constructor(deps: SenderDeps) {
    this.#deps = deps
  }

  async send(records: readonly (LogRecord & TopicPartition)[]): Promise<void> {
    const batches = Map.groupBy(records, placeName)
    await Promise.all([...batches].map(([name, batch]) => this.#partition(name, batch[0]!).send(batch)))
  }

  #partition(name: string, { topic, partition }: TopicPartition): PartitionSender {
    let found = this.#partitions.get(name)
    if (found === undefined) this.#partitions.set(name, (found = new PartitionSender({ topic, partition }, this.#deps)))
    return found
  }
}

class PartitionSender {
  readonly #place: TopicPartition
  readonly #deps: SenderDeps
  #waiting: Waiting[] = []
  #underWay: Batch | undefined
  #isSending = false
  #producer: Producer | undefined

  constructor(place: TopicPartition, deps: SenderDeps) {
    this.#place = place
    this.#deps = deps
  }

  send(records: readonly LogRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject })
      if (!this.#isSending) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isSending = true
    while (this.#waiting.length > 0) {
      try {
        for (const { resolve } of await this.#append()) resolve()
      } catch (error) {
        const refused = asRefused(`commands for '${placeName(this.#place)}'`, error)
        for (const { reject } of this.#underWay?.waiting ?? this.#next()) reject(refused)
      }
      this.#underWay = undefined
    }
    this.#isSending = false
  }

  #next(): readonly Waiting[] {
    let records = 0
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && records < batchRecordsMax) {
      const entry = this.#waiting[count]!
      for (const { key, value } of entry.records) bytes += key.length + (value?.length ?? 0) + bytesPerRecord
      if (count > 0 && bytes > batchBytesAim) break
      records += entry.records.length
      count++
    }
    return this.#waiting.splice(0, count)
  }

  /** Gives those whose records are in the log then. */
  async #append(): Promise<readonly Waiting[]> {
    const { cluster, appender, stats, tail } = this.#deps
    const what = `append to '${placeName(this.#place)}'`
    for (;;) {
      const producer = (this.#producer ??= await this.#newProducer())
      let bytes: Buffer | undefined
      const encode = (): Buffer => (bytes ??= this.#encode(producer))
      try {
        const base = await cluster.persist(what, () => appender.append(this.#place, encode), this.#place.topic)
        const { waiting, records } = this.#underWay!
        producer.sequence = (producer.sequence + records.length) % 2 ** 31
        stats.producedRecords += records.length
        tail.sent(this.#place, { base, records, bytes: bytes!.length })
        return waiting
      } catch (error) {
        // Whatever state is doubtful goes with the id; the batch may then be there twice, which its readers can tell.
        this.#producer = undefined
        if (!isFence(error)) throw error
      }
    }
  }

  /** All that waits by now; what was taken before, where that goes under a new producer id. */
  #encode(producer: Producer): Buffer {
    this.#underWay ??= batchOf(this.#next())
    const bytes = encodeBatch(this.#underWay.records, producer)
    checkSize(placeName(this.#place), bytes)
    return bytes
  }

  async #newProducer(): Promise<Producer> {
    const { cluster } = this.#deps
    const asking = { what: 'a producer id', scope: 'topic' } as const
    const { producerId, producerEpoch } = await cluster.atLeader('write', this.#place, asking, (link) =>
      link.initProducerId({ transactionTimeout: 60_000 })
    )
    return { id: BigInt(producerId), epoch: producerEpoch, sequence: 0 }
  }
}

const batchOf = (waiting: readonly Waiting[]): Batch => ({
  waiting,
  records: waiting.flatMap(({ records }) => records)
})
