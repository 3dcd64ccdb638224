import { isParcomoloError } from '../../base/index.ts'
import type { Codec, Message } from '../../contract/index.ts'
import type { Log, Reader, StoredRecord } from '../../log/index.ts'
import { header, readSnapshot } from '../../task/index.ts'

/** Where prices stand: a component's snapshots and its journal, of one partition, and how to read either. */
export type PriceSource = {
  readonly component: string
  readonly journal: string
  /** The one event that sets a price, by its short name. */
  readonly eventType: string
  ofEntity(key: string, bytes: Uint8Array): Price | undefined
  ofEvent(value: object): Price
}

type Price = { readonly sku: string; readonly priceCents: number }

export type CatalogueDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly source: PriceSource
  /** Teaches the codec the schema of a value; undefined where it knows it. */
  readonly learn: (value: Uint8Array) => Promise<unknown> | undefined
}

const partition = 0
/** Records looked at without letting the event loop turn; most are passed over by their headers. */
const recordsPerTurnMax = 1_000

/**
 * The price of each SKU, as the journal's visible end has it: what an order is priced with becomes durable after it.
 *
 * C1. It begins with the newest snapshot, so that it is there at once however long the journal is; without one the
 *     journal is read from its start.
 * C2. Until all that stood in the journal at the opening has been read, an unknown SKU may only be unread.
 */
export class Catalogue {
  readonly #deps: CatalogueDeps
  readonly #prices = new Map<string, { readonly priceCents: number; readonly version: number }>()
  readonly #complete = Promise.withResolvers<void>()
  #isComplete = false
  #isClosed = false
  #reader: Reader | undefined

  constructor(deps: CatalogueDeps) {
    this.#deps = deps
  }

  /** Resolves with C2, and when it is closed before. */
  get complete(): Promise<void> {
    return this.#complete.promise
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  price(sku: string): number | undefined {
    return this.#prices.get(sku)?.priceCents
  }

  skus(): string[] {
    return [...this.#prices.keys()]
  }

  /** Reads until it is closed; rejects where log or registry cannot be asked, or a value cannot be read. */
  async follow(): Promise<void> {
    const { log, source } = this.#deps
    const from = await readSnapshot(log, source.component, partition, ({ key, bytes, version }) =>
      this.#set(source.ofEntity(key, bytes), version)
    )
    const place = { topic: source.journal, partition }
    const target = await log.end(place)
    if (this.#isClosed) return
    this.#reader?.close()
    this.#reader = log.reader([{ ...place, offset: from }], 'visible')
    await this.#read(this.#reader, from, target)
  }

  async #read(reader: Reader, from: number, target: number): Promise<void> {
    for (let next = from; !this.#isClosed;) {
      if (next >= target) this.#completed()
      await reader.ready()
      for (const { records } of reader.take(recordsPerTurnMax)) {
        await this.#fold(records)
        next = records.at(-1)!.offset + 1
      }
      await nextTurn()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#complete.resolve()
    this.#reader?.close()
  }

  async #fold(records: readonly StoredRecord[]): Promise<void> {
    for (const { value, headers, offset } of records) {
      const type = headers[header.type]
      if (value === null || (type !== undefined && type !== this.#deps.source.eventType)) continue
      await this.#deps.learn(value)
      this.#take(value, offset)
    }
  }

  #take(value: Uint8Array, offset: number): void {
    const { source } = this.#deps
    const message = this.#decoded(value)
    // A record from before types stood in headers may be any.
    if (message?.type === source.eventType) this.#set(source.ofEvent(message.value), offset + 1)
  }

  /** What cannot be read is missing here as it is in the read model, which tells of it. */
  #decoded(value: Uint8Array): Message | undefined {
    try {
      return this.#deps.codec.decode(value)
    } catch (error) {
      if (!isParcomoloError(error)) throw error
      return undefined
    }
  }

  #set(price: Price | undefined, version: number): void {
    if (price === undefined || (this.#prices.get(price.sku)?.version ?? -1) >= version) return
    this.#prices.set(price.sku, { priceCents: price.priceCents, version })
  }

  #completed(): void {
    this.#isComplete = true
    this.#complete.resolve()
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
