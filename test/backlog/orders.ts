import { partitionOf, sha256Hex } from '../../src/base/index.ts'
import type { StoredRecord } from '../../src/log/index.ts'
import { header } from '../../src/task/index.ts'
import { type Access, newId, valueOf } from '../bench/kafka/records.ts'
import { orderOf } from '../bench/load.ts'
import { type Following, followTopic } from './following.ts'

/** Each declined order has an undo more than a paid one. */
const declinedEvery = 10
const batchOrders = 500
/** Enough that no task ever waits for more. */
export const usualWindow = 256

export const skus = Array.from({ length: 1000 }, (_, i) => `sku-${i}`)

/** What has become of the orders that are placed from now on, whoever places them; the open ones by their ids. */
export class Orders {
  placed = 0
  ended = 0
  /** By `performance.now()`; undefined until the next one after `mark`. */
  firstEndedAt: number | undefined
  lastEndedAt = 0
  readonly #open = new Set<string>()
  readonly #access: Access
  #following: Following | undefined
  #failure: Error | undefined
  #changed = Promise.withResolvers<void>()
  /** By this driver, under ids that begin with `run`. */
  sent = 0
  readonly run = newId().slice(0, 8)

  private constructor(access: Access) {
    this.#access = access
  }

  static async follow(resources: AsyncDisposableStack, access: Access): Promise<Orders> {
    const orders = new Orders(access)
    const onError = (error: unknown): void => {
      orders.#failure = new Error('the journal of orders cannot be followed', { cause: error })
      orders.#change()
    }
    orders.#following = await followTopic(access.log, 'order-events', (records) => orders.#see(records), onError)
    resources.defer(() => orders.#following?.close())
    return orders
  }

  /** From now on the first end is looked for anew. */
  mark(): void {
    this.firstEndedAt = undefined
  }

  get open(): number {
    return this.#open.size
  }

  /** All that this driver has sent. */
  get areDone(): boolean {
    return this.#sentEnded === this.sent
  }

  /** Resolves when another order was placed or has ended, or after a while. */
  async change(): Promise<void> {
    const timer = setTimeout(() => this.#change(), tickMs)
    await this.#changed.promise
    clearTimeout(timer)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** So many orders at once, as fast as the inbox takes them. */
  async place(count: number): Promise<void> {
    for (let left = count; left > 0; left -= batchOrders) await this.#send(Math.min(left, batchOrders))
  }

  /** As many as there is work for, for so many seconds; gives how many have ended in each of them. */
  async saturate(seconds: number): Promise<number> {
    const [since, before] = [performance.now(), this.ended]
    while (performance.now() < since + seconds * 1000) {
      const credit = usualWindow - (this.sent - this.#sentEnded)
      if (credit > 0) await this.#send(Math.min(credit, batchOrders))
      else await this.change()
    }
    return ((this.ended - before) * 1000) / (performance.now() - since)
  }

  #sentEnded = 0

  #see(records: readonly StoredRecord[]): void {
    for (const { key, headers } of records) {
      const type = headers[header.type]
      if (type === 'OrderPlaced') this.#place(key)
      else if (type !== undefined && ends.has(type)) this.#end(key)
    }
    this.#change()
  }

  #place(orderId: string): void {
    this.placed++
    this.#open.add(orderId)
  }

  /** An end may be told again, to whoever asks again. */
  #end(orderId: string): void {
    if (!this.#open.delete(orderId)) return
    this.ended++
    if (orderId.startsWith(this.run)) this.#sentEnded++
    this.lastEndedAt = performance.now()
    this.firstEndedAt ??= this.lastEndedAt
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  async #send(count: number): Promise<void> {
    const { log } = this.#access
    const partitions = log.partitionCount(inbox)
    await log.send(
      Array.from({ length: count }, () => {
        const record = this.#command(this.sent++)
        return { ...record, topic: inbox, partition: partitionOf(record.key, partitions) }
      })
    )
  }

  #command(number: number) {
    const orderId = orderIdOf(this.run, number)
    const token = number % declinedEvery === 0 ? 'tok_declined' : 'tok_visa'
    const { request } = orderOf(skus[number % skus.length]!, token)
    const value = this.#access.codec.encode('parcomolo.order.PlaceOrder', { ...valueOf(request), orderId })
    const headers = {
      [header.specVersion]: '1.0',
      [header.id]: `place-${orderId}`,
      [header.type]: 'PlaceOrder',
      [header.source]: '/backlog',
      [header.subject]: orderId,
      [header.attempt]: '1'
    }
    return { key: orderId, value, headers, timestamp: Date.now() }
  }
}

/** As long as those that REST gives. */
export const orderIdOf = (run: string, number: number): string =>
  `${run}${number.toString(16).padStart(8, '0')}${sha256Hex(`${run} ${number}`).slice(0, 16)}`

/** Which order of a run an id names; not a number for any other. */
export const numberOf = (run: string, orderId: string): number =>
  orderId.startsWith(run) ? Number.parseInt(orderId.slice(run.length, run.length + 8), 16) : Number.NaN

const inbox = 'order-commands'
const ends = new Set(['OrderCompleted', 'OrderRejected', 'OrderCancelled'])
const tickMs = 200
