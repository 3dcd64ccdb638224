import { setTimeout as wait } from 'node:timers/promises'
import type { Order, OrderRequest, Target } from './target.ts'

export type LoadOptions = {
  readonly clients: number
  readonly seconds: number
  readonly declinedPercent: number
  readonly skus: readonly string[]
  /** Whether every tenth order is asked for as soon as it is placed. */
  readonly asksForSeen?: boolean
}

/** Latencies are from sending the order to knowing its end. */
export type LoadResult = {
  readonly seconds: number
  readonly completedMs: readonly number[]
  readonly rejectedMs: readonly number[]
  /** Until a client was told to come again later. */
  readonly refusedMs: readonly number[]
  /** From the answer to who has placed an order until the read model has shown it to them. */
  readonly seenMs: readonly number[]
  /** Answers that were not as they should be, by status and code. */
  readonly errors: ReadonlyMap<string, number>
}

/** Closed loop: each client places an order, waits for its end, and places the next. */
export const runLoad = async (target: Pick<Target, 'connect'>, options: LoadOptions): Promise<LoadResult> => {
  const { clients, seconds, declinedPercent, skus, asksForSeen = false } = options
  await using connection = await target.connect(clients)
  const paid = skus.map((sku) => orderOf(sku, 'tok_visa'))
  const declined = skus.map((sku) => orderOf(sku, 'tok_declined'))
  const result = {
    completedMs: [] as number[],
    rejectedMs: [] as number[],
    refusedMs: [] as number[],
    seenMs: [] as number[],
    errors: new Map<string, number>()
  }
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1000
  const patience = { endAt, onRefused: (afterMs: number): void => void result.refusedMs.push(afterMs) }
  const asking = { ...patience, onSeen: (afterMs: number): void => void result.seenMs.push(afterMs) }
  let orders = 0
  const client = async (i: number): Promise<void> => {
    await wait((i / comingPerSecond) * 1000)
    while (performance.now() < endAt) {
      const isDeclined = (orders * declinedPercent) % 100 < declinedPercent
      const order = (isDeclined ? declined : paid)[orders++ % skus.length]!
      const at = performance.now()
      const how = asksForSeen && orders % seenEvery === 0 ? asking : patience
      const outcome = await connection.order(order, how).catch(codeOf)
      if (outcome === 'COMPLETED') result.completedMs.push(performance.now() - at)
      else if (outcome === 'REJECTED') result.rejectedMs.push(performance.now() - at)
      else if (outcome !== undefined) result.errors.set(outcome, (result.errors.get(outcome) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, i) => client(i)))
  return { ...result, seconds: (performance.now() - startedAt) / 1000 }
}

/** A connection that breaks is counted, too; anything else is no matter of load. */
const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') throw error
  return code
}

/** Clients come one after the other, as people do; in one moment there would be nothing but new connections. */
const comingPerSecond = 1_000

const seenEvery = 10

/** Puts so much on the shelves that nothing is sold out. */
export const fillShelves = async (target: Pick<Target, 'connect'>, skus: readonly string[]): Promise<void> => {
  await using connection = await target.connect(fillersMax)
  const left = [...skus]
  const filler = async (): Promise<void> => {
    for (let sku = left.pop(); sku !== undefined; sku = left.pop()) await connection.setStock(sku, onHand)
  }
  await Promise.all(Array.from({ length: fillersMax }, filler))
}

const fillersMax = 16
const onHand = 100_000_000

export const orderOf = (sku: string, paymentToken: string): Order => {
  const request: OrderRequest = {
    customerId: 'bench',
    lines: [{ sku, quantity: 2 }],
    paymentToken,
    shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
  }
  return { request, json: JSON.stringify(request) }
}
