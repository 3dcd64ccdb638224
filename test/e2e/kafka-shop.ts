import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import type { AuditRecord, Schemas } from '../helpers/auditor.ts'
import { readTopics, topicsOf } from './journals.ts'
import { ShopProcess } from './shop-process.ts'

export type KafkaPlace = {
  readonly brokers: string
  readonly registryUrl: string
  /** Keeps the topics and groups of this shop apart from those of others on the same cluster. */
  readonly prefix: string
}

const partitions = 4
const pollMs = 50
export type Lag = { readonly records: number; readonly partitions: number }

/** A member that is silent for so long has lost its partitions. */
export const sessionMs = 3_000

/** The shop on Kafka: processes with roles of their own, as on a cluster. */
export class KafkaShop {
  readonly processes = new Map<string, ShopProcess>()
  readonly #place: KafkaPlace
  readonly #folder: string

  constructor(place: KafkaPlace, folder: string) {
    this.#place = place
    this.#folder = folder
  }

  /** Where the REST interface is. */
  get url(): string {
    return this.process('view').url
  }

  process(name: string): ShopProcess {
    return this.processes.get(name)!
  }

  /** A process that is not started yet. */
  add(name: string, roles: string, variables: Record<string, string> = {}): ShopProcess {
    const { brokers, registryUrl, prefix } = this.#place
    const process = new ShopProcess(join(this.#folder, name), {
      KAFKA_BROKERS: brokers,
      SCHEMA_REGISTRY_URL: registryUrl,
      KAFKA_PREFIX: prefix,
      KAFKA_SESSION_TIMEOUT: `${sessionMs / 1000}s`,
      PARTITIONS: String(partitions),
      PARCOMOLO_ROLES: roles,
      ...variables
    })
    this.processes.set(name, process)
    return process
  }

  /** Resolves when all processes are ready, and there is something on the shelves. */
  async start(): Promise<void> {
    await this.startAll()
    while (!(await fetch(`${this.url}/stock/last-one`)).ok) await wait(pollMs)
  }

  async startAll(): Promise<void> {
    await Promise.all([...this.processes.values()].map((process) => process.start()))
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await Promise.all([...this.processes.values()].map((process) => process.end(signal)))
  }

  /** What all processes have said on their standard error output. */
  get errors(): string {
    return [...this.processes].map(([name, { errors }]) => (errors === '' ? '' : `${name}: ${errors}`)).join('')
  }

  /**
   * What ordinary tools show as lag: for each group without the prefix, the records that it has not read yet, and the
   * partitions that it is known to read.
   */
  async lag(): Promise<ReadonlyMap<string, Lag>> {
    const { brokers, prefix } = this.#place
    const admin = new Kafka({ brokers: brokers.split(','), clientId: 'tool', logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      const { groups } = await admin.listGroups()
      const own = groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(prefix))
      const lags = own.map(async (groupId) => [groupId.slice(prefix.length), await lagOf(admin, groupId)] as const)
      return new Map(await Promise.all(lags))
    } finally {
      await admin.disconnect()
    }
  }

  /** All that stands on the topics. */
  async records(): Promise<AuditRecord[]> {
    const { brokers, prefix } = this.#place
    const log = await openKafkaLog({ brokers: brokers.split(','), clientId: 'auditor', prefix })
    await log.ensureTopics(topicsOf(partitions))
    const records = await readTopics(log)
    await log.close()
    return records
  }

  /** The schemas that these records were written with, as the registry has them. */
  schemas(records: readonly AuditRecord[]): Promise<Schemas> {
    return schemasOf(this.#place.registryUrl, records)
  }
}

export const schemasOf = async (registryUrl: string, records: readonly AuditRecord[]): Promise<Schemas> => {
  const values = records.flatMap(({ value }) => (value === null ? [] : [Buffer.from(value)]))
  const ids = new Set(values.filter((value) => value.length > 4).map((value) => value.readUInt32BE(1)))
  const schemaOf = async (id: number): Promise<object> => {
    const response = await fetch(`${registryUrl}/schemas/ids/${id}`)
    const { schema } = (await response.json()) as { schema: string }
    return JSON.parse(schema) as object
  }
  return new Map(await Promise.all([...ids].map(async (id) => [id, await schemaOf(id)] as const)))
}

const lagOf = async (admin: Admin, groupId: string): Promise<Lag> => {
  const lag = { records: 0, partitions: 0 }
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId })) {
    const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]))
    lag.partitions += partitions.length
    for (const { partition, offset } of partitions) lag.records += ends.get(partition)! - Number(offset)
  }
  return lag
}
