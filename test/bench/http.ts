import { setTimeout as wait } from 'node:timers/promises'
import { type Dispatcher, Pool } from 'undici'
import type { Connection, Order, Patience } from './target.ts'

/** How a server is spoken to. */
export type Speech = {
  setStock(pool: Pool, sku: string, onHand: number): Promise<void>
  order(pool: Pool, order: Order, patience: Patience): Promise<string | undefined>
}

/** Each client has a connection of its own, which is kept open. */
export const connectByHttp = (url: string, clients: number, speech: Speech): Connection => {
  const pool = new Pool(url, { connections: clients, pipelining: 1 })
  return {
    setStock: (sku, onHand) => speech.setStock(pool, sku, onHand),
    order: (order, patience) => speech.order(pool, order, patience),
    [Symbol.asyncDispose]: () => pool.close()
  }
}

export const jsonHeaders = { 'content-type': 'application/json' }

export type Answer = {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly body: Readonly<Record<string, unknown>>
}

/** Asks until it is not sent away (503 with Retry-After, nothing taken); undefined where it may not before the end. */
export const askPatiently = async (
  pool: Pool,
  options: Dispatcher.RequestOptions,
  { onRefused, endAt }: Patience
): Promise<Answer | undefined> => {
  for (;;) {
    const askedAt = performance.now()
    const { statusCode: status, headers, body: stream } = await pool.request(options)
    const body = (await stream.json()) as Answer['body']
    const seconds = Number(headers['retry-after'])
    if (status !== 503 || Number.isNaN(seconds) || body['code'] === 'PARCOMOLO_HTTP_OUTCOME_UNKNOWN')
      return { status, headers, body }
    onRefused(performance.now() - askedAt)
    if (performance.now() + seconds * 1000 > endAt) {
      await wait(Math.max(0, endAt - performance.now()))
      return undefined
    }
    await wait(seconds * 1000)
  }
}
