/**
 * The log on a Kafka cluster. What of it is safe rests on the brokers: acknowledged by all replicas in sync is durable,
 * readers see only what is, and so `visible` and `durable` are one (L3); the producer epoch is the fence (L2, W1-W3);
 * a batch is a record batch (L1).
 */
import { Budget, ParcomoloError } from '../../base/index.ts'
import {
  type DiskUsage,
  type Isolation,
  type JournalWriter,
  type Log,
  type LogHealth,
  type LogRecord,
  type Membership,
  placeName,
  type Reader,
  type StoredRecord,
  type TopicPartition,
  type TopicRange,
  type TopicSpec
} from '../log.ts'
import { Appender } from './appender.ts'
import { asRefused, closedError, unreachable } from './broker-errors.ts'
import { Cluster } from './cluster.ts'
import { CompactedPartition } from './compacted.ts'
import { Concerns } from './concerns.ts'
import { diskUsage } from './disk-usage.ts'
import { Growth } from './growth.ts'
import { GroupOffsets } from './group-offsets.ts'
import { GroupMember } from './group.ts'
import { type Admin, type Connector, connector } from './kafkajs.ts'
import { decisionsTopic, Losses } from './losses.ts'
import type { KafkaOptions } from './options.ts'
import { claimPartition } from './partition-writer.ts'
import { Proof, proofMsStandard, systemClocks } from './proof.ts'
import { RangeReader } from './range-reader.ts'
import { KafkaReader } from './reader.ts'
import { Sender } from './sender.ts'
import { newStats } from './stats.ts'
import { Tail } from './tail.ts'
import { ensureTopics, troubled } from './topics.ts'

type Settings = KafkaOptions &
  Required<
    Pick<
      KafkaOptions,
      'prefix' | 'sessionTimeoutMs' | 'requestTimeoutMs' | 'budget' | 'proofMs' | 'clocks' | 'growthLookMs'
    >
  >

const defaults = {
  ...{ prefix: '', sessionTimeoutMs: 6_000, requestTimeoutMs: 5_000 },
  ...{ proofMs: proofMsStandard, clocks: systemClocks, growthLookMs: 30_000 }
}
/** Where nobody says what the process may have. */
const budgetBytes = 64 * 1024 * 1024

/** How long an opening log looks for a broker. */
const reachMsMax = 30_000

/**
 * Opens the log; rejects with PARCOMOLO_LOG_UNREACHABLE where no broker answers within half a minute.
 * `connect`: how connections are made, for tests that lose requests and answers.
 */
export const openKafkaLog = async (options: KafkaOptions, connect: typeof connector = connector): Promise<Log> => {
  const settings = { ...defaults, budget: new Budget(budgetBytes), ...options }
  const log = new KafkaLog(settings, connect(settings))
  try {
    await log.reach()
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}

class KafkaLog implements Log {
  readonly #settings: Settings
  readonly #connector: Connector
  readonly #cluster: Cluster
  readonly #stats = newStats()
  readonly #topics = new Map<string, TopicSpec>()
  readonly #appender: Appender
  readonly #sender: Sender
  readonly #tail: Tail
  readonly #ranges: RangeReader
  readonly #concerns: Concerns
  readonly #losses: Losses
  readonly #growth: Growth
  readonly #groupOffsets: GroupOffsets
  readonly #readers = new Set<KafkaReader>()
  readonly #members = new Set<GroupMember>()
  readonly #compacted = new Map<string, CompactedPartition>()
  #failure: ParcomoloError | undefined

  constructor(settings: Settings, connecting: Connector) {
    this.#settings = settings
    this.#connector = connecting
    this.#concerns = new Concerns(
      (about, error) => settings.onConcern?.(about, error),
      (what, name, cause) => this.#troubled(what, name, cause)
    )
    this.#cluster = new Cluster(connecting, settings.brokers, this.#concerns)
    this.#appender = new Appender(this.#cluster, this.#stats)
    this.#tail = new Tail(this.#cluster, this.#stats, settings.budget)
    const [cluster, appender, stats, tail] = [this.#cluster, this.#appender, this.#stats, this.#tail]
    this.#sender = new Sender({ cluster, appender, stats, tail })
    this.#ranges = new RangeReader(this.#cluster, this.#stats, settings.budget)
    const [concerns, ranges, { prefix }] = [this.#concerns, this.#ranges, settings]
    this.#losses = new Losses({ cluster, concerns, ranges, prefix })
    this.#growth = new Growth(cluster, settings.growthLookMs, (name) => name.slice(prefix.length))
    this.#groupOffsets = new GroupOffsets(connecting)
  }

  async reach(): Promise<void> {
    const until = performance.now() + reachMsMax
    for (;;) {
      try {
        return await this.#cluster.refresh()
      } catch (error) {
        if (error instanceof Error && error.name === 'KafkaJSSASLAuthenticationError')
          throw asRefused('the log-in', error)
        if (performance.now() >= until) throw unreachable(this.#settings.brokers, error)
      }
      await this.#cluster.pause(500)
    }
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#checkOpen()
    const named = specs.map((spec) => ({ ...spec, name: this.#nameOf(spec.topic) }))
    const { replicationFactor, createsTopics = true } = this.#settings
    const rules = { replicationFactor, creates: createsTopics }
    await this.#cluster
      .persist('the making and checking of topics', () => this.#withAdmin((admin) => ensureTopics(admin, named, rules)))
      .catch((error: unknown) => {
        throw asRefused('the administration of topics', error)
      })
    await this.#cluster.follow(named)
    for (const spec of specs) this.#topics.set(spec.topic, spec)
    await this.#growth.watch(named.filter(({ morePartitions }) => morePartitions === 'read'))
  }

  onGrown(listener: (topic: string) => void): void {
    this.#growth.onGrown(listener)
  }

  partitionCount(topic: string): number {
    const { partitions } = this.#spec(topic)
    return this.#growth.countOf(this.#nameOf(topic)) ?? partitions
  }

  async claim(place: TopicPartition): Promise<JournalWriter> {
    const inCluster = this.#placeOf(place)
    const proof = new Proof(this.#settings.proofMs, this.#settings.clocks)
    const deps = { cluster: this.#cluster, appender: this.#appender, stats: this.#stats, proof }
    const writer = await claimPartition(inCluster, `${this.#settings.prefix}parcomolo-${placeName(place)}`, deps)
    const { topic, partition } = place
    if (this.#spec(topic).cleanup === 'delete') {
      const append = async (records: readonly LogRecord[]): Promise<number> => {
        const appended = await writer.append(records)
        this.#tail.appended(inCluster, appended)
        return appended.base
      }
      return { topic, partition, append }
    }
    const compacted = new CompactedPartition(inCluster, this.#ranges)
    this.#compacted.set(placeName(place), compacted)
    return {
      topic,
      partition,
      append: async (records) => {
        const { base } = await writer.append(records)
        await compacted.appended(records, base)
        return base
      }
    }
  }

  async send(records: readonly (LogRecord & TopicPartition)[]): Promise<void> {
    this.#checkOpen()
    await this.#sender.send(records.map((record) => ({ ...record, ...this.#placeOf(record) })))
  }

  async committed(group: string, topic: string): Promise<ReadonlyMap<number, number>> {
    this.#checkOpen()
    return this.#groupOffsets.committed(group, this.#nameOf(this.#spec(topic).topic))
  }

  reader(starts: readonly (TopicPartition & { readonly offset: number })[], _isolation: Isolation): Reader {
    this.#checkOpen()
    const { prefix, budget } = this.#settings
    const reader = new KafkaReader(
      starts.map((start) => ({ ...this.#placeOf(start), offset: start.offset })),
      {
        tail: this.#tail,
        ranges: this.#ranges,
        losses: this.#losses,
        budget,
        topicOf: (name) => name.slice(prefix.length),
        isClosed: () => this.#cluster.isClosed,
        onClosed: (closed) => this.#readers.delete(closed)
      }
    )
    this.#readers.add(reader)
    return reader
  }

  read(place: TopicPartition, from: number, to: number): AsyncIterable<readonly StoredRecord[]> {
    this.#checkOpen()
    return this.#ranges.all(this.#placeOf(place), from, to)
  }

  async end(place: TopicPartition): Promise<number> {
    this.#checkOpen()
    return this.#ranges.end(this.#placeOf(place))
  }

  /** What can be read has been acknowledged by all replicas in sync; so this only waits for what is under way. */
  async durable(place: TopicPartition, offset: number): Promise<void> {
    const inCluster = this.#placeOf(place)
    while ((await this.#ranges.end(inCluster)) < offset) await this.#cluster.pause(5)
  }

  async lookup(place: TopicPartition, keys: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> {
    const name = placeName(place)
    let compacted = this.#compacted.get(name)
    if (compacted === undefined)
      this.#compacted.set(name, (compacted = new CompactedPartition(this.#placeOf(place), this.#ranges)))
    return compacted.lookup(keys)
  }

  async join(
    group: string,
    places: readonly TopicPartition[],
    onAssignment: (mine: readonly TopicPartition[]) => void
  ): Promise<Membership> {
    this.#checkOpen()
    const { prefix, sessionTimeoutMs } = this.#settings
    const member = new GroupMember(this.#cluster, this.#stats, {
      group: prefix + group,
      places: places.map((place) => this.#placeOf(place)),
      sessionTimeoutMs,
      nameOf: (topic) => this.#nameOf(topic),
      onAssignment: (mine) =>
        onAssignment(mine.map(({ topic, partition }) => ({ topic: topic.slice(prefix.length), partition })))
    })
    this.#members.add(member)
    await member
      .start((error) => this.#fail(asRefused(`the membership of group '${prefix + group}'`, error)))
      .catch((error: unknown) => {
        throw asRefused(`the membership of group '${prefix + group}'`, error)
      })
    return member
  }

  health(): LogHealth {
    if (this.#failure !== undefined) return { ok: false, code: this.#failure.code, message: this.#failure.message }
    const trouble = this.#cluster.trouble()
    if (trouble !== undefined) return { ok: false, code: 'PARCOMOLO_LOG_UNREACHABLE', message: trouble }
    const concerns = this.#concerns.all().map(({ code, message }) => `${code}: ${message}`)
    return concerns.length === 0 ? { ok: true } : { ok: true, concerns }
  }

  async acceptLoss(topic: string, by: string, reason: string): Promise<readonly TopicRange[]> {
    this.#checkOpen()
    const { partitions, ...rest } = await this.#losses.decide(this.#nameOf(topic), { by, reason, at: Date.now() })
    await this.ensureTopics([{ topic: decisionsTopic, partitions: 1, cleanup: 'delete', retention: 'forever' }])
    await this.#sender.send([this.#losses.record({ ...rest, partitions })])
    return partitions
  }

  #troubled(what: string, name: string, cause: unknown): ParcomoloError {
    const { prefix, brokers, replicationFactor = 1 } = this.#settings
    const spec = { ...this.#spec(name.slice(prefix.length)), name }
    return troubled(what, { spec, replicas: replicationFactor, brokers: brokers.join(',') }, cause)
  }

  stats(): Readonly<Record<string, number>> {
    return { ...this.#stats }
  }

  async diskUsage(): Promise<DiskUsage> {
    const { prefix } = this.#settings
    const places = [...this.#topics.values()].flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => this.#placeOf({ topic, partition }))
    )
    const { topics, volumes } = await diskUsage(this.#cluster, places)
    return { topics: new Map([...topics].map(([name, bytes]) => [name.slice(prefix.length), bytes])), volumes }
  }

  async close(): Promise<void> {
    if (this.#cluster.isClosed) return
    await Promise.allSettled([...this.#members].map((member) => member.leave()))
    await this.#groupOffsets.close()
    await this.#cluster.close(closedError())
    for (const reader of this.#readers) reader.fail(closedError())
  }

  /** Without its group a process would do nothing for ever, so its readers tell their tasks. */
  #fail(error: ParcomoloError): void {
    this.#failure ??= error
    for (const reader of this.#readers) reader.fail(error)
  }

  async #withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#connector.admin()
    try {
      await admin.connect()
      return await work(admin)
    } finally {
      await admin.disconnect().catch(() => undefined)
    }
  }

  #nameOf(topic: string): string {
    return this.#settings.prefix + topic
  }

  #placeOf({ topic, partition }: TopicPartition): TopicPartition {
    const partitions = this.partitionCount(topic)
    if (partition < partitions) return { topic: this.#nameOf(topic), partition }
    throw new ParcomoloError(
      'PARCOMOLO_LOG_UNKNOWN_TOPIC',
      `topic '${topic}' has no partition '${partition}'; expected one below ${partitions}`
    )
  }

  #spec(topic: string): TopicSpec {
    const spec = this.#topics.get(topic)
    if (spec !== undefined) return spec
    throw new ParcomoloError(
      'PARCOMOLO_LOG_UNKNOWN_TOPIC',
      `unknown topic '${topic}'; expected one that was declared with ensureTopics`
    )
  }

  #checkOpen(): void {
    if (this.#cluster.isClosed) throw closedError()
  }
}
