import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partitionOf } from '../../src/base/index.ts'
import { type LogRecord, type StoredRecord, type TopicPartition } from '../../src/log/index.ts'
import { connector } from '../../src/log/kafka/kafkajs.ts'
import { header, type TaskLimits } from '../../src/task/index.ts'
import { eventsOf, type History, historyOf, type OrderEvent, placing, type Question } from './restart-orders.ts'
import { component, fullNameOf, now, openParts, type Parts, partitions, type Place, topics } from './restart-parts.ts'
import type { Report, Said, Told } from './restart-process.ts'

const journalOf = (partition: number): TopicPartition => ({ topic: component.journal, partition })
const journals = Array.from({ length: partitions }, (_, partition) => journalOf(partition))
const snapshotsTopic = `${component.name}-snapshots`
const archiveTopic = `${component.name}-archive`
const batchRecordsMax = 1000

export type Start = {
  /** From the call that starts the component until a reader has seen its first event, and that of its last task. */
  readonly firstMs: number
  readonly lastMs: number
  /** From the call until all tasks say that they are at work. */
  readonly readyMs: number
  /** From the start of the process to its first event: with Node, the schemas, the topics, and the connections. */
  readonly processMs: number
  readonly report: Report
}

/** Orders on Kafka with a component that is started again and again, each time as a new process. */
export class RestartStage {
  readonly history: History
  readonly #place: Place
  readonly #driver: Parts
  #process: ComponentProcess | undefined
  #placed = 0

  private constructor(place: Place, driver: Parts, history: History) {
    this.#place = place
    this.#driver = driver
    this.history = history
  }

  static async open(brokers: readonly string[], events: number): Promise<RestartStage> {
    const folder = await mkdtemp(join(tmpdir(), 'parcomolo-restart-'))
    const place = { brokers, prefix: `test-${randomUUID()}-`, folder }
    try {
      return new RestartStage(place, await openParts(place, 'driver'), historyOf(events))
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  async close(): Promise<void> {
    this.#process?.kill()
    await this.#deleteTopics(topics.map(({ topic }) => topic))
    await this.#driver.log.close()
    await rm(this.#place.folder, { recursive: true, force: true })
  }

  /** Writes the history as its owner would have; resolves with the number of events. */
  async write(): Promise<number> {
    const { log, codec } = this.#driver
    const writers = await Promise.all(journals.map((place) => log.claim(place)))
    const batches = writers.map((): LogRecord[] => [])
    let events = 0
    for (const { orderId, type, value } of eventsOf(this.history)) {
      const partition = partitionOf(orderId, partitions)
      const headers = { [header.causationId]: `order/${orderId}/${type}` }
      const written = { key: orderId, value: codec.encode(fullNameOf(type), value), timestamp: Date.now(), headers }
      if (batches[partition]!.push(written) === batchRecordsMax) {
        await writers[partition]!.append(batches[partition]!)
        batches[partition] = []
      }
      events++
    }
    for (const [partition, batch] of batches.entries()) if (batch.length > 0) await writers[partition]!.append(batch)
    return events
  }

  /** Starts the component with an order waiting for each of its tasks. */
  async start(limits: Partial<TaskLimits> = {}): Promise<Start> {
    const commands = journals.map(({ partition }) => this.#newOrder(partition))
    const answers = await this.#listen()
    await this.#send(commands)
    const spawnedAt = now()
    this.#process = new ComponentProcess({ place: this.#place, limits })
    const seen = new Map<string, number>()
    await this.#process.during(
      answers.take(({ causationId }) => {
        if (commands.some(({ id }) => id === causationId)) seen.set(causationId, now())
        return seen.size === commands.length
      })
    )
    const { calledAt, readyAt } = await this.#process.running()
    const times = [...seen.values()]
    return {
      firstMs: Math.min(...times) - calledAt,
      lastMs: Math.max(...times) - calledAt,
      readyMs: readyAt - calledAt,
      processMs: Math.min(...times) - spawnedAt,
      report: await this.#process.report()
    }
  }

  /** Puts all questions at once; gives what each was answered with, by its order and type. */
  async ask(questions: readonly Question[]): Promise<ReadonlyMap<string, OrderEvent>> {
    const byId = new Map(questions.map((question) => [randomUUID() as string, question]))
    const answers = await this.#listen()
    await this.#send([...byId].map(([id, { orderId, type, value }]) => ({ id, orderId, type, value })))
    const given = new Map<string, OrderEvent>()
    await this.#process!.during(
      answers.take(({ causationId, event }) => {
        const question = byId.get(causationId)
        if (question !== undefined) given.set(questionName(question), event)
        return given.size === questions.length
      })
    )
    return given
  }

  /** Waits until everything that the journal holds now stands in whole snapshots. */
  async snapshots(): Promise<void> {
    const { log } = this.#driver
    const wanted = await Promise.all(journals.map((place) => log.end(place)))
    const reader = log.reader(
      journals.map(({ partition }) => ({ topic: snapshotsTopic, partition, offset: 0 })),
      'visible'
    )
    const covered = journals.map(() => 0)
    while (covered.some((offset, partition) => offset < wanted[partition]!)) {
      await this.#process!.during(reader.ready())
      for (const { partition, records } of reader.take(10_000))
        for (const record of records) covered[partition] = Math.max(covered[partition]!, markedOffset(record))
    }
    reader.close()
  }

  report(): Promise<Report> {
    return this.#process!.report()
  }

  async stop(): Promise<void> {
    await this.#process!.stop()
    this.#process = undefined
  }

  /** So that the component finds none of these again. */
  async forget(what: 'snapshots' | 'snapshots and archive'): Promise<void> {
    await this.#deleteTopics(what === 'snapshots' ? [snapshotsTopic] : [snapshotsTopic, archiveTopic])
    await this.#driver.log.ensureTopics(topics)
  }

  async #deleteTopics(names: readonly string[]): Promise<void> {
    const { brokers, prefix } = this.#place
    const admin = connector({ brokers, clientId: 'driver', requestTimeoutMs: 5_000 }).admin()
    await admin.connect()
    await admin.deleteTopics({ topics: names.map((name) => prefix + name) })
    await admin.disconnect()
  }

  /** An order under an id that belongs to this partition. */
  #newOrder(partition: number): Command {
    for (;;) {
      const orderId = randomUUID().replaceAll('-', '')
      if (partitionOf(orderId, partitions) === partition)
        return { id: randomUUID(), orderId, type: 'PlaceOrder', value: placing(orderId, this.#placed++) }
    }
  }

  async #send(commands: readonly Command[]): Promise<void> {
    const { log, codec } = this.#driver
    await log.send(
      commands.map(({ id, orderId, type, value }) => ({
        topic: component.inbox!,
        partition: partitionOf(orderId, partitions),
        key: orderId,
        value: codec.encode(fullNameOf(type), value),
        timestamp: Date.now(),
        headers: { [header.id]: id }
      }))
    )
  }

  /** Follows the journal from its end on. */
  async #listen(): Promise<Answers> {
    const { log, codec } = this.#driver
    const starts = await Promise.all(journals.map(async (place) => ({ ...place, offset: await log.end(place) })))
    const reader = log.reader(starts, 'visible')
    return {
      take: async (isLast) => {
        for (let isDone = false; !isDone;) {
          await reader.ready()
          for (const { key, value, headers } of reader.take(1000).flatMap(({ records }) => records)) {
            const causationId = headers[header.causationId]
            if (causationId === undefined || value === null) continue
            const { type, value: fields } = codec.decode(value)
            isDone = isLast({ orderId: key, causationId, event: { type, value: { ...fields } } }) || isDone
          }
        }
        reader.close()
      }
    }
  }
}

export const questionName = ({ orderId, type }: Pick<Question, 'orderId' | 'type'>): string => `${type} ${orderId}`

type Command = OrderEvent & { readonly id: string; readonly orderId: string }
type Answer = { readonly orderId: string; readonly causationId: string; readonly event: OrderEvent }
type Answers = { take(isLast: (answer: Answer) => boolean): Promise<void> }

/** How much of the journal a whole snapshot stands for, where this record says it. */
const markedOffset = ({ key, value }: StoredRecord): number =>
  key !== 'marker' || value === null ? 0 : (JSON.parse(Buffer.from(value).toString()) as { offset: number }).offset

class ComponentProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<never>
  readonly #calledAt = Promise.withResolvers<number>()
  readonly #readyAt = Promise.withResolvers<number>()
  #reported = Promise.withResolvers<Report>()

  constructor(told: Told) {
    this.#child = fork(new URL('./restart-process.ts', import.meta.url), [JSON.stringify(told)], {
      execArgv: [...process.execArgv, '--max-semi-space-size=32']
    })
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined)
    this.#ended = promise
    this.#child.once('exit', (code) => reject(new Error(`the component's process has ended with '${code}'`)))
    this.#child.on('message', (said: Said) => {
      if (said.kind === 'running') this.#calledAt.resolve(said.calledAt)
      else if (said.kind === 'ready') this.#readyAt.resolve(said.at)
      else this.#reported.resolve(said)
    })
  }

  /** Rejects where the process ends meanwhile. */
  during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#ended])
  }

  running(): Promise<{ readonly calledAt: number; readonly readyAt: number }> {
    const both = Promise.all([this.#calledAt.promise, this.#readyAt.promise])
    return this.during(both.then(([calledAt, readyAt]) => ({ calledAt, readyAt })))
  }

  report(): Promise<Report> {
    this.#reported = Promise.withResolvers()
    this.#child.send('report')
    return this.during(this.#reported.promise)
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.send('stop')
    const [code] = (await exit) as [number | null]
    if (code !== 0) throw new Error(`the component's process has ended with '${code}'`)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
