import { partitionOf } from '../../src/base/index.ts'
import type { Codec } from '../../src/contract/index.ts'
import {
  type Headers,
  type JournalWriter,
  type Log,
  type LogRecord,
  placeName,
  type TopicPartition
} from '../../src/log/index.ts'
import { journalsOf } from '../../src/main/system.ts'
import { theShop } from '../helpers/shop-parts.ts'
import { header } from '../../src/task/index.ts'
import {
  type OrderTemplate,
  positionIn,
  type Stage,
  takeTemplates,
  templateCustomer,
  type Templates,
  topicOf
} from './order-template.ts'

export type JournalsPlan = {
  readonly orders: number
  /** When the first order is placed, in ms since 1970; 250 orders a second follow. */
  readonly firstAt?: number
  /** Every so many-th order's payment is declined. */
  readonly declinedEvery?: number
  /** Orders that go on side by side, and so share batches. */
  readonly waveOrders?: number
}

const standard = { firstAt: 1_790_000_000_000, declinedEvery: 10, waveOrders: 100 }
const ordersPerMs = 0.25

export type WrittenJournals = {
  readonly records: number
  readonly bytes: number
  /** The id of the n-th order, from 0. */
  readonly orderId: (order: number) => string
  readonly isDeclined: (order: number) => boolean
}

/**
 * Writes the journals that so many orders leave behind when all have ended: those of a real order with other ids, times
 * and customers, in batches whose positions name what they answer for. The topics are there already, and empty. Inboxes
 * stay empty, as nobody reads them once the journals name how far they were read.
 */
export const writeJournals = async (log: Log, codec: Codec, plan: JournalsPlan): Promise<WrittenJournals> => {
  const { orders, firstAt, declinedEvery, waveOrders } = { ...standard, ...plan }
  const templates = await takeTemplates(codec)
  const journals = await Journals.open(log, templates)
  const isDeclined = (order: number): boolean => order % declinedEvery === declinedEvery - 1
  const makers = [new OrderMaker(templates.completed, firstAt), new OrderMaker(templates.rejected, firstAt)] as const
  for (let first = 0; first < orders; first += waveOrders) {
    const wave = Array.from({ length: Math.min(waveOrders, orders - first) }, (_, i) => first + i)
    const declined = wave.filter(isDeclined)
    await journals.writeWave(
      makers[0],
      wave.filter((order) => !isDeclined(order))
    )
    if (declined.length > 0) await journals.writeWave(makers[1], declined)
  }
  const { records, bytes } = journals
  return { records, bytes, isDeclined, orderId: (order) => orderIdOf(order, firstAt) }
}

class Journals {
  records = 0
  bytes = 0
  readonly #log: Log
  readonly #writers: ReadonlyMap<string, JournalWriter>
  readonly #ends = new Map<string, number>()
  readonly #inboxes = new Map<string, number>()

  static async open(log: Log, { opening }: Templates): Promise<Journals> {
    const writers = new Map<string, JournalWriter>()
    for (const topic of journalsOf(theShop))
      for (let partition = 0; partition < log.partitionCount(topic); partition++)
        writers.set(placeName({ topic, partition }), await log.claim({ topic, partition }))
    const journals = new Journals(log, writers)
    for (const [name, { topic, partition }] of writers) {
      const here = opening.filter((one) => one.topic === topic && (partition === 0 || one.key === ''))
      const records = here.map(({ key, value, headers }) => ({ key, value, headers, timestamp: standard.firstAt }))
      await journals.#append(name, records)
    }
    return journals
  }

  constructor(log: Log, writers: ReadonlyMap<string, JournalWriter>) {
    this.#log = log
    this.#writers = writers
  }

  /** Stage by stage, each as one batch a partition. */
  async writeWave(maker: OrderMaker, numbers: readonly number[]): Promise<void> {
    const orders = numbers.map((number) => maker.orderOf(number))
    for (const [index, { topic }] of maker.stages.entries()) {
      const byPartition = Map.groupBy(orders, ({ id }) => this.#partitionOf(topic, id))
      const writes = [...byPartition].map(([partition, mine]) => this.#writeStage(maker, index, partition, mine))
      await Promise.all(writes)
    }
  }

  async #writeStage(maker: OrderMaker, index: number, partition: number, orders: readonly Order[]): Promise<void> {
    const { topic, covers } = maker.stages[index]!
    const records = orders.flatMap((order) => maker.recordsOf(index, order))
    const positions = this.#positions(covers, { topic, partition }, orders[0]!.id)
    const [first] = records as [LogRecord]
    const headers = { ...first.headers, [header.positions]: JSON.stringify(positions) }
    await this.#append(placeName({ topic, partition }), records.with(0, { ...first, headers }))
  }

  /**
   * What a batch answers for: of a journal in as many partitions as its own, the one of its keys; else all of them. A
   * batch has read one more record of its inbox for each order, of which nobody asks more than that it counts up.
   */
  #positions(covers: Stage['covers'], place: TopicPartition, key: string): Record<string, number> {
    const positions: Record<string, number> = {}
    const isShared = this.#log.partitionCount(place.topic) === 1
    for (const position of covers) {
      const source = topicOf(position)
      const isJournal = this.#ends.has(placeName({ topic: source, partition: 0 }))
      const own = isJournal ? this.#partitionOf(source, key) : place.partition
      const others =
        isJournal && isShared ? Array.from({ length: this.#log.partitionCount(source) }, (_, i) => i) : [own]
      for (const partition of others) {
        const name = positionIn(position, (topic) => (topic === source ? partition : place.partition))
        positions[name] = isJournal ? this.#ends.get(placeName({ topic: source, partition }))! : this.#inboxNext(name)
      }
    }
    return positions
  }

  #inboxNext(name: string): number {
    const next = (this.#inboxes.get(name) ?? 0) + 1
    this.#inboxes.set(name, next)
    return next
  }

  #partitionOf(topic: string, key: string): number {
    return partitionOf(key, this.#log.partitionCount(topic))
  }

  async #append(name: string, records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return
    const offset = await this.#writers.get(name)!.append(records)
    this.#ends.set(name, offset + records.length)
    this.records += records.length
    for (const { value } of records) this.bytes += value!.length
  }
}

/** An order to be: `names` are what it has in the places of the template's. */
type Order = { readonly id: string; readonly at: number; readonly names: readonly string[] }

/** Makes orders of one template: their own names stand where the template's stood. */
class OrderMaker {
  readonly stages: readonly Stage[]
  readonly #firstAt: number
  readonly #names: readonly string[]
  readonly #holes: readonly (readonly (readonly Hole[])[])[]

  constructor({ names, stages }: OrderTemplate, firstAt: number) {
    this.stages = stages
    this.#firstAt = firstAt
    this.#names = names
    this.#holes = stages.map(({ records }) => records.map(({ value }) => holesIn(value, names)))
  }

  orderOf(number: number): Order {
    const id = orderIdOf(number, this.#firstAt)
    return { id, at: placedAt(number, this.#firstAt), names: this.#names.map((name) => nameOf(name, id, number)) }
  }

  recordsOf(index: number, { id, at, names }: Order): LogRecord[] {
    return this.stages[index]!.records.map(({ value, headers }, i) => {
      const bytes = Buffer.from(value)
      for (const hole of this.#holes[index]![i]!) bytes.write(names[hole.name]!, hole.at, 'latin1')
      return { key: id, value: bytes, timestamp: at + index, headers: this.#headers(headers, names) }
    })
  }

  #headers(headers: Headers, names: readonly string[]): Headers {
    const causationId = headers[header.causationId]
    if (causationId === undefined) return headers
    const name = this.#names.findIndex((one) => causationId.endsWith(one))
    return { ...headers, [header.causationId]: causationId.slice(0, -names[name]!.length) + names[name]! }
  }
}

/** Where in a value one of the names stands. */
type Hole = { readonly at: number; readonly name: number }

const holesIn = (value: Buffer, names: readonly string[]): Hole[] =>
  names.flatMap((text, name) => {
    const holes: Hole[] = []
    for (let at = value.indexOf(text); at >= 0; at = value.indexOf(text, at + 1)) holes.push({ at, name })
    return holes
  })

/** What this order has in the place of the template's name, of the same length. */
const nameOf = (name: string, orderId: string, order: number): string => {
  if (name === templateCustomer) return `customer-${String(order % 50_000).padStart(7, '0')}`
  if (name.startsWith('pay_')) return `pay_${orderId.slice(-16)}`
  if (name.startsWith('PM')) return `PM${orderId.slice(-12).toUpperCase()}`
  return orderId
}

const placedAt = (order: number, firstAt: number): number => firstAt + Math.floor(order / ordersPerMs)

/** As the product makes them: time first, then what nobody can guess. */
const orderIdOf = (order: number, firstAt: number): string =>
  placedAt(order, firstAt).toString(16).padStart(12, '0') +
  scrambled(order, 1) +
  scrambled(order, 2) +
  scrambled(order, 3).slice(4)

/** Eight digits that look as if drawn. */
const scrambled = (order: number, round: number): string => {
  let h = Math.imul(order + 1, 0x9e3779b1) ^ Math.imul(round, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return ((h ^ (h >>> 15)) >>> 0).toString(16).padStart(8, '0')
}
