import { randomUUID } from 'node:crypto'
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import type { TopicSpec } from '../../src/log/index.ts'
import { deadLetterTopic } from '../../src/task/index.ts'
import { topicsOf } from '../e2e/journals.ts'
import { get, post } from '../e2e/shop-client.ts'
import { ShopProcess } from '../e2e/shop-process.ts'
import { brokers } from '../helpers/kafka.ts'
import { readAll } from '../log/records.ts'
import type { ForeignProcess } from './foreign-process.ts'

/** A saga as `GET /sagas/{saga}/{key}` shows it, as far as the tests look at it. */
export type SagaView = {
  readonly status: string
  readonly failure: { readonly type: string } | null
  readonly timeline: readonly SagaEntry[]
}

export type SagaEntry = {
  readonly type: string
  readonly step?: string
  readonly attempt?: number
  readonly detail?: string
}

const registryUrl = process.env['SCHEMA_REGISTRY_URL']

/** Why nothing can be shown here; undefined where the product has Kafka and a registry. */
export const missing: string | undefined =
  brokers === undefined
    ? 'KAFKA_BROKERS names no broker'
    : registryUrl === undefined
      ? 'SCHEMA_REGISTRY_URL names no schema registry'
      : undefined

/** More than one, so that it matters where a key goes. */
export const partitions = 3
const lookMs = 50
const hasEnded = /^(completed|compensated|parked|aborted)$/

/** The product on Kafka, all roles in one process, with its own sagas and what YAML the test adds. */
export class ForeignShop {
  /** Before every topic and group of this test. */
  readonly prefix = `test-${randomUUID()}-`
  /** Of the foreign process: where it finds Kafka and the registry. */
  readonly variables = {
    KAFKA_BROKERS: String(brokers),
    SCHEMA_REGISTRY_URL: String(registryUrl),
    KAFKA_PREFIX: this.prefix
  }
  readonly process: ShopProcess
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
    const PARCOMOLO_SAGAS = join(folder, 'sagas')
    this.process = new ShopProcess(folder, { ...this.variables, PARCOMOLO_SAGAS, PARTITIONS: String(partitions) })
  }

  /** `added`: a folder beside this file with a saga and its participant, which are all that it takes. */
  static async start(t: ExecutionContext, added?: string): Promise<ForeignShop> {
    const folder = await mkdtemp(join(tmpdir(), 'parcomolo-foreign-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    await cp('sagas', join(folder, 'sagas'), { recursive: true })
    if (added !== undefined) {
      const yaml = (name: string): string => join(import.meta.dirname, added, `${name}.yaml`)
      await copyFile(yaml('saga'), join(folder, 'sagas', `${added}.yaml`))
      await copyFile(yaml('participant'), join(folder, 'sagas', 'participants', `${added}.yaml`))
    }
    const shop = new ForeignShop(folder)
    t.teardown(() => shop.process.end('SIGKILL'))
    await shop.process.start()
    while (!(await fetch(`${shop.process.url}/stock/book`)).ok) await wait(lookMs)
    return shop
  }

  /** Places an order, and gives its id. */
  async order(customerId: string, sku: string, quantity: number): Promise<string> {
    const shippingAddress = { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
    const order = { customerId, lines: [{ sku, quantity }], paymentToken: 'tok_visa', shippingAddress }
    const { body } = await post(this.process, '/orders', JSON.stringify(order))
    return String(body['orderId'])
  }

  /** The saga of this order, once it has come to its end. */
  async ended(saga: string, orderId: string): Promise<SagaView> {
    for (;;) {
      const view = await get<Partial<SagaView>>(this.process, `/sagas/${saga}/${orderId}`)
      if (hasEnded.test(view.status ?? '')) return view as SagaView
      await wait(lookMs)
    }
  }

  /** Everything that stands in a topic. */
  async records(topic: string): Promise<Stored[]> {
    return this.#onLog(added(topic), async (log) => {
      const stored: Stored[] = []
      for (let partition = 0; partition < partitions; partition++) {
        const records = await readAll(log, { topic, partition })
        for (const { key, value, headers } of records)
          stored.push({ partition, key, headers, value: Buffer.from(value ?? '') })
      }
      return stored
    })
  }

  /** How many records stand in a topic of the shop's own. */
  async count(topic: string): Promise<number> {
    return this.#onLog([...topicsOf(partitions), deadLetterTopic], async (log) => {
      const places = Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ topic, partition }))
      const ends = await Promise.all(places.map((place) => log.end(place)))
      return ends.reduce((sum, end) => sum + end, 0)
    })
  }

  /** What stands in an events topic as answers to one command, once `from` has made that many. */
  async answers(topic: string, commandId: string, count: number, from: ForeignProcess): Promise<Stored[]> {
    for (;;) {
      from.assertGoesOn()
      const records = await this.records(topic)
      const answers = records.filter(({ headers }) => headers['ce_causationid'] === commandId)
      if (answers.length >= count) return answers
      await wait(lookMs)
    }
  }

  /** Sends a command as anybody may: here one that was sent before, but for what is given as `other`. */
  async send(topic: string, command: Stored, other: Readonly<Record<string, string>> = {}): Promise<void> {
    const headers = { ...command.headers, ...other }
    await this.#onLog(added(topic), (log) => log.send([{ ...command, topic, headers, timestamp: Date.now() }]))
  }

  async #onLog<T>(
    topics: readonly TopicSpec[],
    work: (log: Awaited<ReturnType<typeof openKafkaLog>>) => Promise<T>
  ): Promise<T> {
    const log = await openKafkaLog({ brokers: brokers ?? [], clientId: 'test', prefix: this.prefix })
    try {
      await log.ensureTopics(topics)
      return await work(log)
    } finally {
      await log.close()
    }
  }
}

/** A topic of the participant that was added. */
const added = (topic: string): TopicSpec[] => [{ topic, partitions, cleanup: 'delete' }]

export type Stored = {
  readonly partition: number
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: Buffer
}

/** What a saga has done, a word for each: the commands that it sent, and what came of its steps. */
export const story = ({ timeline }: SagaView): string[] =>
  timeline
    .filter(({ type, attempt = 1 }) => !(type === 'CommandIssued' && attempt > 1) && type !== 'AttemptTimedOut')
    .map(({ type, detail }) => detail ?? type)
