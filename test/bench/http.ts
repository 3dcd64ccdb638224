import { Pool } from 'undici'
import type { Connection, Order } from './target.ts'

/** How a server is spoken to. */
export type Speech = {
  setStock(pool: Pool, sku: string, onHand: number): Promise<void>
  order(pool: Pool, order: Order): Promise<string>
}

/** Each client has a connection of its own, which is kept open. */
export const connectByHttp = (url: string, clients: number, speech: Speech): Connection => {
  const pool = new Pool(url, { connections: clients, pipelining: 1 })
  return {
    setStock: (sku, onHand) => speech.setStock(pool, sku, onHand),
    order: (order) => speech.order(pool, order),
    [Symbol.asyncDispose]: () => pool.close()
  }
}

export const jsonHeaders = { 'content-type': 'application/json' }
