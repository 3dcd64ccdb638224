import { Pool } from 'undici'
import type { OrderRequest, Target } from './target.ts'

export type LoadOptions = {
  readonly clients: number
  readonly seconds: number
  readonly declinedPercent: number
  readonly skus: readonly string[]
}

/** Latencies are from sending the order to having the answer that tells its end. */
export type LoadResult = {
  readonly seconds: number
  readonly completedMs: readonly number[]
  readonly rejectedMs: readonly number[]
  /** Answers that were not as they should be, by status and code. */
  readonly errors: ReadonlyMap<string, number>
}

/** Closed loop: each client places an order, waits for its end, and places the next. */
export const runLoad = async (target: Target, options: LoadOptions): Promise<LoadResult> => {
  const { clients, seconds, declinedPercent, skus } = options
  const pool = new Pool(target.url, { connections: clients, pipelining: 1 })
  const bodies = {
    paid: skus.map((sku) => body(sku, 'tok_visa')),
    declined: skus.map((sku) => body(sku, 'tok_declined'))
  }
  const result = { completedMs: [] as number[], rejectedMs: [] as number[], errors: new Map<string, number>() }
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1000
  let orders = 0
  const client = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const declined = (orders * declinedPercent) % 100 < declinedPercent
      const json = (declined ? bodies.declined : bodies.paid)[orders++ % skus.length]!
      const at = performance.now()
      const outcome = await target.order(pool, json)
      if (outcome === 'COMPLETED') result.completedMs.push(performance.now() - at)
      else if (outcome === 'REJECTED') result.rejectedMs.push(performance.now() - at)
      else result.errors.set(outcome, (result.errors.get(outcome) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const took = (performance.now() - startedAt) / 1000
  await pool.close()
  return { ...result, seconds: took }
}

/** Puts so much on the shelves that nothing is sold out. */
export const fillShelves = async (target: Target, skus: readonly string[]): Promise<void> => {
  const pool = new Pool(target.url, { connections: fillersMax, pipelining: 1 })
  const left = [...skus]
  const filler = async (): Promise<void> => {
    for (let sku = left.pop(); sku !== undefined; sku = left.pop()) await target.setStock(pool, sku, onHand)
  }
  await Promise.all(Array.from({ length: fillersMax }, filler))
  await pool.close()
}

const fillersMax = 16
const onHand = 100_000_000

const body = (sku: string, paymentToken: string): string =>
  JSON.stringify({
    customerId: 'bench',
    lines: [{ sku, quantity: 2 }],
    paymentToken,
    shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
  } satisfies OrderRequest)
