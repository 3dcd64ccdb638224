import { randomUUID } from 'node:crypto'
import { canonicalJson, isParcomoloError, sha256Hex, systemClock } from '../../../src/base/index.ts'
import { type Codec, registerContracts } from '../../../src/contract/index.ts'
import type { Log, Reader, StoredRecord } from '../../../src/log/index.ts'
import { commandSender } from '../../../src/main/commands.ts'
import type { Config } from '../../../src/config/index.ts'
import { readContractFiles } from '../../../src/main/contract-files.ts'
import { openLog, openRegistry } from '../../../src/main/open-log.ts'
import { ownRecords, theShop, viewTopics } from '../../helpers/shop-parts.ts'
import { systemTopics } from '../../../src/main/system.ts'
import { priceCents } from '../parcomolo.ts'
import type { Connection, Order, OrderRequest } from '../target.ts'

export type Records = { connect(): Promise<Connection> }

/** An installation, as one of its own processes gets at it. */
export type Access = { readonly log: Log; readonly codec: Codec }

/** Its topics are made where they are missing. */
export const openAccess = async (resources: AsyncDisposableStack, config: Config): Promise<Access> => {
  const log = resources.adopt(await openLog(config), (it) => it.close())
  const contracts = await readContractFiles(config.sagasFolder, theShop)
  const registry = await openRegistry(config)
  const codec = await registerContracts(registry, contracts.all, ownRecords)
  await registry.close()
  await log.ensureTopics(systemTopics(contracts, { application: theShop, partitions: config.partitions }))
  return { log, codec }
}

/**
 * Places orders past REST and the read model, as records on the inbox of the order service, and reads from the journal
 * of the sagas how each has ended. That is later than the end of the order itself, and what REST waits for, too.
 */
export const openRecords = async (resources: AsyncDisposableStack, config: Config): Promise<Records> => {
  const { log, codec } = await openAccess(resources, config)
  return { connect: () => connect(log, codec) }
}

export const connect = async (log: Log, codec: Codec): Promise<Connection> => {
  const ends = await Ends.follow(log, codec)
  const send = commandSender(log, codec, systemClock)
  const placeOrder = requestsOf()
  return {
    // Nobody waits for the answer: an inbox keeps its order, and whoever orders comes later.
    setStock: (sku, onHand) =>
      send({
        inbox: 'inventory-commands',
        key: sku,
        id: newId(),
        type: 'parcomolo.inventory.SetStock',
        value: { sku, name: sku, priceCents, onHand }
      }),
    order: async (order) => {
      const orderId = newId()
      const end = ends.of(orderId)
      try {
        await send({
          inbox: 'order-commands',
          key: orderId,
          id: newId(),
          type: 'parcomolo.order.PlaceOrder',
          value: { ...placeOrder(order), orderId }
        })
      } catch (error) {
        if (!isParcomoloError(error)) throw error
        ends.forget(orderId)
        return error.code
      }
      return end
    },
    [Symbol.asyncDispose]: () => ends.close()
  }
}

/** As long as the ids that REST gives. */
export const newId = (): string => randomUUID().replaceAll('-', '')

/** What REST would make of a request, made once for each. */
const requestsOf = (): ((order: Order) => object) => {
  const made = new Map<Order, object>()
  return (order) => {
    const known = made.get(order)
    if (known !== undefined) return known
    const value = valueOf(order.request)
    made.set(order, value)
    return value
  }
}

/** The command to place it, but for the order's id. */
export const valueOf = (request: OrderRequest): object => {
  const { lines, ...rest } = request
  return {
    ...rest,
    lines: lines.map((line) => ({ ...line, priceCents })),
    totalCents: lines.reduce((total, { quantity }) => total + quantity * priceCents, 0),
    currency: 'EUR',
    voucher: null,
    requestHash: sha256Hex(canonicalJson({ ...request, voucher: null }))
  }
}

type Waiting = {
  readonly since: number
  readonly resolve: (end: string) => void
  readonly reject: (error: unknown) => void
}

/** How sagas end, for those who wait for it. */
class Ends {
  readonly #reader: Reader
  /** By the first bytes of a record, which tell its schema: all others are not even decoded. */
  readonly #statuses: ReadonlyMap<number, string>
  readonly #waiting = new Map<string, Waiting>()
  readonly #watch = setInterval(() => this.#giveUp(), 1_000)
  #following: Promise<void> = Promise.resolve()
  #isClosed = false

  static async follow(log: Log, codec: Codec): Promise<Ends> {
    const topic = viewTopics.saga
    const places = Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ topic, partition }))
    const starts = await Promise.all(places.map(async (place) => ({ ...place, offset: await log.end(place) })))
    const ends = new Ends(log.reader(starts, 'visible'), codec)
    ends.#following = ends.#follow()
    return ends
  }

  constructor(reader: Reader, codec: Codec) {
    this.#reader = reader
    const schemaOf = (record: string): number =>
      schemaId(codec.encode(`parcomolo.saga.${record}`, { saga: '', key: '' }))
    this.#statuses = new Map([
      [schemaOf('SagaCompleted'), 'COMPLETED'],
      [schemaOf('SagaCompensated'), 'REJECTED']
    ])
  }

  of(orderId: string): Promise<string> {
    return new Promise((resolve, reject) => this.#waiting.set(orderId, { since: performance.now(), resolve, reject }))
  }

  forget(orderId: string): void {
    this.#waiting.delete(orderId)
  }

  async close(): Promise<void> {
    clearInterval(this.#watch)
    this.#isClosed = true
    this.#reader.close()
    await this.#following
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#isClosed) {
        await this.#reader.ready()
        for (const { records } of this.#reader.take(recordsMax)) this.#look(records)
      }
    } catch (error) {
      for (const { reject } of this.#waiting.values()) reject(error)
    }
  }

  #look(records: readonly StoredRecord[]): void {
    for (const { key, value } of records) {
      const status = value === null ? undefined : this.#statuses.get(schemaId(value))
      if (status !== undefined) this.#end(key, status)
    }
  }

  #end(orderId: string, status: string): void {
    this.#waiting.get(orderId)?.resolve(status)
    this.#waiting.delete(orderId)
  }

  #giveUp(): void {
    const since = performance.now() - patienceMs
    for (const [orderId, waiting] of this.#waiting) {
      if (waiting.since > since) return
      this.#end(orderId, `no end in ${patienceMs / 1000} s`)
    }
  }
}

const schemaId = (value: Uint8Array): number => (value[1]! << 24) | (value[2]! << 16) | (value[3]! << 8) | value[4]!

const recordsMax = 10_000
/** As long as REST is asked to wait. */
const patienceMs = 60_000
