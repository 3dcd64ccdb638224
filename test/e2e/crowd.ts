import { setTimeout as wait } from 'node:timers/promises'
import { get, type OrderView, post, requestBody, type Shop } from './shop-client.ts'

export type CrowdOptions = {
  readonly clients: number
  /** Each order is waited for before the next, and its end noted. */
  readonly waitsForEnds: boolean
  /** Payment tokens, taken in turn; all kinds that end if not given. */
  readonly tokens?: readonly string[]
  /** Put before the keys of orders, where there are several crowds in one shop. */
  readonly name?: string
}

const allTokens = ['tok_visa', 'tok_visa', 'tok_visa', 'tok_declined', 'tok_slow', 'tok_flaky']
/** A client asks again after this pause when it has had no answer. */
const retryMs = 100

/** Clients that order until they are told to stop, and insist on an answer to all they ask, with the same key. */
export class Crowd {
  /** Order ids by idempotency key. */
  readonly orders = new Map<string, string>()
  readonly cancellations: string[] = []
  /** When orders were seen to have ended, as `performance.now()`; only where ends are waited for. */
  readonly endedAt: number[] = []
  retried = 0
  #stopped = false
  readonly #abandoned = new AbortController()
  readonly #shop: Shop
  readonly #options: CrowdOptions
  readonly #clients: Promise<void>[]

  constructor(shop: Shop, options: CrowdOptions) {
    this.#shop = shop
    this.#options = options
    this.#clients = Array.from({ length: options.clients }, (_, client) => this.#run(client))
    for (const client of this.#clients) client.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  /** What the client places as its order of this number. */
  static body(client: number, i: number, tokens = allTokens as readonly string[]): string {
    return requestBody(tokens[(client + i) % tokens.length]!, i % 3 === 0 ? 'lamp' : 'book')
  }

  static key(client: number, i: number, name = ''): string {
    return `${name}client ${client}, order ${i}`
  }

  /** Lets go of everything, also of what has not been answered: for a test that has failed already. */
  abandon(): void {
    this.#stopped = true
    this.#abandoned.abort(new Error('the crowd has gone'))
  }

  async #run(client: number): Promise<void> {
    const { name, tokens } = this.#options
    for (let i = 0; !this.#stopped; i++) {
      const key = Crowd.key(client, i, name)
      const { body } = await this.#insist('/orders', Crowd.body(client, i, tokens), key)
      const orderId = String(body['orderId'])
      this.orders.set(key, orderId)
      if ((client + i) % 5 === 0) await this.#cancel(orderId)
      if (this.#options.waitsForEnds) await this.#untilEnd(orderId)
    }
  }

  async #cancel(orderId: string): Promise<void> {
    const { status } = await this.#insist('/cancelOrder', JSON.stringify({ orderId }))
    if (status === 200) this.cancellations.push(orderId)
  }

  async #untilEnd(orderId: string): Promise<void> {
    for (;;) {
      this.#abandoned.signal.throwIfAborted()
      const seen = await get<Partial<OrderView>>(this.#shop, `/orders/${orderId}?wait=10s`).catch(() => undefined)
      if (seen?.status !== undefined && isEnd.has(seen.status)) return void this.endedAt.push(performance.now())
      await wait(retryMs)
    }
  }

  /** Until the answer says yes or no: a connection that breaks and a 503 say neither. */
  async #insist(path: string, body: string, key?: string): ReturnType<typeof post> {
    for (;;) {
      this.#abandoned.signal.throwIfAborted()
      const answer = await post(this.#shop, path, body, key).catch(() => undefined)
      if (answer !== undefined && answer.status < 500) return answer
      this.retried++
      await wait(retryMs)
    }
  }
}

const isEnd = new Set<unknown>(['COMPLETED', 'REJECTED', 'CANCELLED'])

/** Until every saga has come to its end, as the read model sees it. */
export const rest = async (shop: Shop): Promise<void> => {
  const isBusy = async (): Promise<boolean> => {
    const pages = ['running', 'retrying', 'waiting', 'compensating'].map((status) =>
      get<{ items: unknown[] }>(shop, `/sagas?status=${status}&limit=1`)
    )
    return (await Promise.all(pages)).some(({ items }) => items.length > 0)
  }
  while (await isBusy()) await wait(retryMs)
}
