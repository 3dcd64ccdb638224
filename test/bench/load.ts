import { Pool } from 'undici'

export type LoadOptions = {
  readonly url: string
  readonly clients: number
  readonly seconds: number
  readonly declinedPercent: number
}

/** Latencies are from sending the POST to having the answer that tells the end. */
export type LoadResult = {
  readonly seconds: number
  readonly completedMs: readonly number[]
  readonly rejectedMs: readonly number[]
  /** Answers that were not as they should be, by status and code. */
  readonly errors: ReadonlyMap<string, number>
}

/** Closed loop: each client places an order, waits for its end, and places the next. */
export const runLoad = async ({ url, clients, seconds, declinedPercent }: LoadOptions): Promise<LoadResult> => {
  const pool = new Pool(url, { connections: clients, pipelining: 1 })
  const result = { completedMs: [] as number[], rejectedMs: [] as number[], errors: new Map<string, number>() }
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1000
  let orders = 0
  const client = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const declined = (orders++ * declinedPercent) % 100 < declinedPercent
      const at = performance.now()
      const outcome = await order(pool, declined ? bodies.declined : bodies.paid)
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

const order = async (pool: Pool, body: string): Promise<string> => {
  const placed = await pool.request({ path: '/orders', method: 'POST', headers, body })
  const { orderId, code } = (await placed.body.json()) as { orderId?: string; code?: string }
  if (orderId === undefined) return `${placed.statusCode} ${code}`
  const ended = await pool.request({ path: `/orders/${orderId}?wait=60s`, method: 'GET' })
  return ((await ended.body.json()) as { status: string }).status
}

const headers = { 'content-type': 'application/json' }

const bodyWith = (paymentToken: string): string =>
  JSON.stringify({
    customerId: 'bench',
    lines: [{ sku: 'book', quantity: 2 }],
    paymentToken,
    shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
  })

const bodies = { paid: bodyWith('tok_visa'), declined: bodyWith('tok_declined') }
