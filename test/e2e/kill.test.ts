import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { audit, told } from '../helpers/auditor.ts'
import { get, getAll, type OrderView, post, requestBody, type StockView } from './shop-client.ts'
import { ShopProcess } from './shop-process.ts'

/** How often it is killed, and for how long it works in between, at random up to this. */
const rounds = Number(process.env['ROUNDS'] ?? 5)
const workMsMax = 600
const clientCount = 12
const tokens = ['tok_visa', 'tok_visa', 'tok_visa', 'tok_declined', 'tok_slow', 'tok_flaky']
/** A client asks again after this pause when it has had no answer. */
const retryMs = 100

/** Clients that order until they are told to stop, and insist on an answer to all they ask, with the same key. */
class Crowd {
  readonly orders = new Map<string, string>()
  readonly cancellations: string[] = []
  retried = 0
  #stopped = false
  readonly #shop: ShopProcess
  readonly #clients: Promise<void>[]

  constructor(shop: ShopProcess) {
    this.#shop = shop
    this.#clients = Array.from({ length: clientCount }, (_, client) => this.#run(client))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #run(client: number): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const key = `client ${client}, order ${i}`
      const token = tokens[(client + i) % tokens.length]!
      const { body } = await this.#insist('/orders', requestBody(token, i % 3 === 0 ? 'lamp' : 'book'), key)
      const orderId = String(body['orderId'])
      this.orders.set(key, orderId)
      if ((client + i) % 5 !== 0) continue
      const { status } = await this.#insist('/cancelOrder', JSON.stringify({ orderId }))
      if (status === 200) this.cancellations.push(orderId)
    }
  }

  /** Until the answer says yes or no: a connection that breaks and a 503 say neither. */
  async #insist(path: string, body: string, key?: string): ReturnType<typeof post> {
    for (;;) {
      const answer = await post(this.#shop, path, body, key).catch(() => undefined)
      if (answer !== undefined && answer.status < 500) return answer
      this.retried++
      await wait(retryMs)
    }
  }
}

/** Until every saga has come to its end, as the read model sees it. */
const rest = async (shop: ShopProcess): Promise<void> => {
  const isBusy = async (): Promise<boolean> => {
    const pages = ['running', 'retrying', 'waiting', 'compensating'].map((status) =>
      get<{ items: unknown[] }>(shop, `/sagas?status=${status}&limit=1`)
    )
    return (await Promise.all(pages)).some(({ items }) => items.length > 0)
  }
  while (await isBusy()) await wait(retryMs)
}

const folderOf = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-kill-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('killed again and again under load, the shop loses no order and does none twice', async (t) => {
  t.timeout(60_000 + rounds * 20_000)
  const shop = new ShopProcess(await folderOf(t))
  t.teardown(() => shop.end('SIGKILL'))
  await shop.start()
  const crowd = new Crowd(shop)
  const restarts: number[] = []
  for (let round = 0; round < rounds; round++) {
    await wait(100 + Math.random() * workMsMax)
    await shop.end('SIGKILL')
    restarts.push(await shop.start())
  }
  await wait(200)
  await crowd.stop()
  await rest(shop)

  // By its name: which order is the first to be acknowledged is chance.
  const key = 'client 0, order 0'
  const orderId = crowd.orders.get(key)
  t.truthy(orderId)
  t.like(await post(shop, '/orders', requestBody(tokens[0]!, 'lamp'), key), { status: 201, body: { orderId } })
  const shown = { orders: await getAll<OrderView>(shop, '/orders'), stock: await getAll<StockView>(shop, '/stock') }
  await shop.end('SIGKILL')

  const { orders, cancellations, retried } = crowd
  t.is(shown.orders.length, orders.size, 'as many orders as were asked for, each once')
  t.true(retried > 0, 'no request was ever cut off')
  t.is(shop.errors, '')
  const acknowledged = { orders: [...orders.values()], cancellations, skus: ['book', 'lamp', 'unicorn', 'last-one'] }
  const [records, schemas] = [await shop.records(), await shop.schemas()]
  const flow = 'orchestration'
  t.is(told(audit({ records, schemas, flow, isQuiet: true, now: Date.now(), acknowledged, shown })), '')
  t.log(
    `${rounds} kills, ${orders.size} orders, ${cancellations.length} cancelled, ${retried} requests cut off;`,
    `ready again after ${restarts.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`
  )
})
