import { ParcomoloError } from '../../src/base/index.ts'
import {
  type LogRecord,
  placeName,
  type StoredRecord,
  type TopicPartition,
  type TopicSpec
} from '../../src/log/index.ts'

/** What an idempotent producer sends: the broker knows a batch again by epoch and sequence number. */
export type AppendRequest = {
  readonly epoch: number
  readonly sequence: number
  readonly records: readonly LogRecord[]
}

/** One partition as a broker keeps it. */
export class SimulatedPartition {
  readonly place: TopicPartition
  readonly isCompacted: boolean
  records: StoredRecord[] = []
  end = 0
  durableEnd = 0
  claimedEpoch = 0
  /** The newest epoch that has written, and by epoch the last sequence number with its batch's offset. */
  writerEpoch = 0
  readonly sequences = new Map<number, { sequence: number; offset: number }>()
  readonly listeners = new Set<() => void>()

  constructor(place: TopicPartition, isCompacted: boolean) {
    this.place = place
    this.isCompacted = isCompacted
  }

  between(from: number, to: number): StoredRecord[] {
    if (!this.isCompacted) return this.records.slice(from, to)
    return this.records.filter(({ offset }) => offset >= from && offset < to)
  }

  changed(): void {
    for (const listener of this.listeners) listener()
  }
}

/** Where an append has ended. */
type Append = { readonly partition: SimulatedPartition; readonly end: number }

export type BrokerVariant = 'kafka' | 'embedded'

/**
 * The records of all partitions, outside of any process.
 *
 * `kafka`: what is appended is durable. `embedded`: all ordinary partitions share one order, and a crash of the machine
 * loses an end of what is not synced; a compacted batch syncs all before it and is durable at once.
 */
export class SimulatedBroker {
  readonly variant: BrokerVariant
  readonly topics = new Map<string, TopicSpec>()
  readonly partitions = new Map<string, SimulatedPartition>()
  /** False plants a bug: an older owner may go on writing. */
  checksEpoch = true
  /** False plants a bug: a crash of the machine takes an end of each partition by itself. */
  hasOneOrder = true
  /** Where each append has ended, in the one order of all; only for the embedded variant. */
  #order: Append[] = []
  #syncedCount = 0

  constructor(variant: BrokerVariant) {
    this.variant = variant
  }

  ensure(specs: readonly TopicSpec[]): void {
    for (const spec of specs) {
      const known = this.topics.get(spec.topic) ?? spec
      if (known.partitions !== spec.partitions || known.cleanup !== spec.cleanup) throw mismatch(spec, known)
    }
    for (const spec of specs) this.topics.set(spec.topic, spec)
  }

  partitionCount(topic: string): number {
    const known = this.topics.get(topic)
    if (known === undefined)
      throw new ParcomoloError('PARCOMOLO_LOG_UNKNOWN_TOPIC', `the topic '${topic}' is not declared`)
    return known.partitions
  }

  partition(place: TopicPartition): SimulatedPartition {
    const name = placeName(place)
    let partition = this.partitions.get(name)
    if (partition !== undefined) return partition
    if (place.partition >= this.partitionCount(place.topic))
      throw new ParcomoloError('PARCOMOLO_LOG_UNKNOWN_TOPIC', `the partition '${name}' is not declared`)
    const { topic, partition: number } = place
    partition = new SimulatedPartition({ topic, partition: number }, this.topics.get(topic)!.cleanup === 'compact')
    this.partitions.set(name, partition)
    return partition
  }

  /**
   * The offset of the batch's first record, whether it was appended now or before; undefined where the writer is
   * refused.
   */
  append(partition: SimulatedPartition, { epoch, sequence, records }: AppendRequest): number | undefined {
    if (epoch < partition.writerEpoch && this.checksEpoch) return undefined
    const last = partition.sequences.get(epoch)
    if (last !== undefined && sequence <= last.sequence) return sequence === last.sequence ? last.offset : -1
    const offset = this.add(partition, records)
    partition.writerEpoch = epoch
    partition.sequences.set(epoch, { sequence, offset })
    return offset
  }

  add(partition: SimulatedPartition, records: readonly LogRecord[]): number {
    const base = partition.end
    if (partition.isCompacted) this.sync(this.#order.length)
    for (const { key, value, timestamp, headers } of records)
      partition.records.push({ key, value, timestamp, headers, offset: partition.end++ })
    if (this.variant === 'kafka' || partition.isCompacted) partition.durableEnd = partition.end
    else this.#order.push({ partition, end: partition.end })
    partition.changed()
    return base
  }

  /** How many appends there have been that a sync may cover. */
  get appendCount(): number {
    return this.#order.length
  }

  get hasUnsynced(): boolean {
    return this.#syncedCount < this.#order.length
  }

  sync(appendCount: number): void {
    const changed = new Set<SimulatedPartition>()
    for (; this.#syncedCount < appendCount; this.#syncedCount++) {
      const { partition, end } = this.#order[this.#syncedCount]!
      partition.durableEnd = Math.max(partition.durableEnd, end)
      changed.add(partition)
    }
    for (const partition of changed) partition.changed()
  }

  /**
   * The machine stops: `lost` of the appends not yet synced, from the end, are gone (all if there are fewer). Every
   * process must have crashed before.
   */
  loseEnd(lost: number): number {
    const unsynced = this.#order.splice(this.#syncedCount)
    const kept = this.hasOneOrder ? unsynced.slice(0, Math.max(0, unsynced.length - lost)) : endsOfEach(unsynced, lost)
    this.#order.push(...kept)
    const gone = unsynced.filter((entry) => !kept.includes(entry))
    for (const { partition } of gone) {
      partition.end = this.#order.findLast((entry) => entry.partition === partition)?.end ?? 0
      partition.records = partition.records.filter(({ offset }) => offset < partition.end)
    }
    this.sync(this.#order.length)
    for (const partition of this.partitions.values()) {
      partition.writerEpoch = 0
      partition.sequences.clear()
      partition.listeners.clear()
    }
    return gone.length
  }

  /** Keeps only the newest record of each key in the compacted partitions, as a cleaner does now and then. */
  compact(): void {
    for (const partition of this.partitions.values()) {
      if (!partition.isCompacted) continue
      const newest = new Map(partition.records.map(({ key, offset }) => [key, offset]))
      partition.records = partition.records.filter(({ key, offset }) => newest.get(key) === offset)
    }
  }
}

/** Takes some from the end of every second partition, and nothing from the others. */
const endsOfEach = (unsynced: readonly Append[], lost: number): Append[] => {
  const losers = [...new Set(unsynced.map(({ partition }) => partition))].filter((_, i) => (i + lost) % 2 === 0)
  const counts = new Map(losers.map((partition) => [partition, lost]))
  return unsynced
    .toReversed()
    .filter(({ partition }) => {
      const left = counts.get(partition) ?? 0
      counts.set(partition, left - 1)
      return left <= 0
    })
    .toReversed()
}

const mismatch = (wanted: TopicSpec, known: TopicSpec): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_TOPIC_MISMATCH',
    `'${wanted.topic}' has ${known.partitions} partitions (${known.cleanup}), not ${wanted.partitions} (${wanted.cleanup})`
  )
