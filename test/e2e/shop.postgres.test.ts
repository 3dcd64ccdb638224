import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shopLayout } from '../helpers/shop-parts.ts'
import test, { type ExecutionContext } from 'ava'
import { databaseUrl, newSchema, type Schema, whyNoDatabase } from '../view/database.ts'
import { throughRelay } from '../view/relay.ts'
import { get, order, type OrderView, post, requestBody, type StockView } from './shop-client.ts'
import { ShopProcess } from './shop-process.ts'

if (databaseUrl === undefined) test.skip(`the shop with a PostgreSQL: ${whyNoDatabase}`, () => undefined)
else {
  testShop(databaseUrl)
  testLosses(databaseUrl)
}

function testShop(url: string): void {
  test.serial(
    'orders are placed and found again after a restart, also after one that nobody had announced',
    async (t) => {
      const { schema, shop } = await shopOf(t, url)
      await shop.start()
      const completed = await order(shop, requestBody('tok_visa'))
      t.is(completed.status, 'COMPLETED')
      const rejected = await order(shop, requestBody('tok_declined', 'lamp', 3))
      t.like(rejected, { status: 'REJECTED', stock: { status: 'RELEASED' } })
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await shop.end(signal)
        await shop.start()
        t.deepEqual(await get<OrderView>(shop, `/orders/${completed.orderId}`), completed)
        t.deepEqual(await get<OrderView>(shop, `/orders/${rejected.orderId}`), rejected)
        t.is((await order(shop, requestBody('tok_visa'))).status, 'COMPLETED')
      }
      t.is((await get<{ items: unknown[] }>(shop, '/orders')).items.length, 4)
      t.like(await get<StockView>(shop, '/stock/book'), { onHand: 1_000_000 - 3, reserved: 0 })
      await shop.end('SIGTERM')
      t.notRegex(shop.errors, /error|warn/)
      t.is((await schema.query(`SELECT 1 FROM ${schema.name}.parcomolo_view_${shopLayout.version}_orders`)).length, 4)
    }
  )

  test.serial(
    'while the database is away, orders are taken, what needs a row is refused, nothing is lost',
    async (t) => {
      const { schema, relay, shop } = await shopOf(t, url)
      await shop.start()
      const before = await order(shop, requestBody('tok_visa'))
      await relay.cut()
      const unready = /"status":"failing".*the read model's database '[^']+' does not answer: /
      await until(async () => (unready.test((await answerOf(`${shop.url}/readyz?view`)).text) ? true : undefined))
      // The intake follows the journals by itself from then on, and has first to come to their end.
      await until(async () => ((await answerOf(`${shop.url}/readyz`)).status === 200 ? true : undefined))
      const taken = await post(shop, '/orders', requestBody('tok_visa'))
      t.is(taken.status, 201)
      t.deepEqual(await get<OrderView>(shop, `/orders/${before.orderId}`), before, 'it is in memory')
      for (const path of ['/orders', '/orders/elsewhere'])
        t.regex((await answerOf(shop.url + path)).text, /"status":503,"code":"PARCOMOLO_VIEW_STORE_UNAVAILABLE"/)
      t.is((await answerOf(`${shop.url}/healthz`)).status, 200)
      await relay.open()
      await until(async () => ((await answerOf(`${shop.url}/readyz?view`)).status === 200 ? true : undefined))
      const { orderId } = taken.body as { orderId: string }
      t.is((await get<OrderView>(shop, `/orders/${orderId}?wait=20s`)).status, 'COMPLETED')
      t.is((await order(shop, requestBody('tok_visa'))).status, 'COMPLETED')
      t.is((await get<{ items: unknown[] }>(shop, '/orders')).items.length, 3)
      await shop.end('SIGTERM')
      t.notRegex(shop.errors, new RegExp(new URL(schema.url).password))
    }
  )
}

function testLosses(url: string): void {
  test.serial(
    'a database that is made anew under the shop is filled again, and orders are taken meanwhile',
    async (t) => {
      const { schema, shop } = await shopOf(t, url)
      await shop.start()
      const before = await order(shop, requestBody('tok_visa'))
      await schema.query(`DROP SCHEMA ${schema.name} CASCADE; CREATE SCHEMA ${schema.name}`)
      const taken = await post(shop, '/orders', requestBody('tok_visa'))
      t.is(taken.status, 201)
      const listed = await until(async () => {
        const answer = await answerOf(`${shop.url}/orders`)
        return answer.status === 200 ? (JSON.parse(answer.text) as { items: unknown[] }) : undefined
      })
      t.is(listed.items.length, 2)
      t.deepEqual(await get<OrderView>(shop, `/orders/${before.orderId}`), before)
      t.is((await order(shop, requestBody('tok_visa'))).status, 'COMPLETED')
      t.regex(shop.errors, /the store of the read model is opened anew/)
      await shop.end('SIGTERM')
    }
  )

  test.serial('a start waits for its database and says so, and can be stopped meanwhile', async (t) => {
    const { relay, shop } = await shopOf(t, url, { LOG_LEVEL: 'warn' })
    await relay.cut()
    const said = /the start waits for the database of the read model, and goes on when it answers/
    const gone = shop.start().catch(String)
    await until(async () => (said.test(shop.errors) ? true : undefined))
    await shop.end('SIGTERM')
    t.regex(String(await gone), /has ended before it was ready/)
    shop.errors = ''
    const starting = shop.start()
    await until(async () => (said.test(shop.errors) ? true : undefined))
    t.regex(shop.errors, /"code":"PARCOMOLO_VIEW_STORE_UNAVAILABLE".*does not answer: connect ECONNREFUSED/)
    await relay.open()
    await starting
    t.is((await order(shop, requestBody('tok_visa'))).status, 'COMPLETED')
    await shop.end('SIGTERM')
  })
}

type Setup = { readonly schema: Schema; readonly shop: ShopProcess } & Pick<
  Awaited<ReturnType<typeof throughRelay>>,
  'relay'
>

const shopOf = async (t: ExecutionContext, url: string, variables: Record<string, string> = {}): Promise<Setup> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-postgres-'))
  const schema = await newSchema(url)
  const { relay, url: through } = await throughRelay(t, schema.url)
  const shop = new ShopProcess(folder, { VIEW_DATABASE_URL: through, ...variables })
  t.teardown(async () => {
    await shop.end('SIGKILL')
    await schema.drop()
    await rm(folder, { recursive: true, force: true })
  })
  return { schema, relay, shop }
}

const answerOf = async (url: string): Promise<{ readonly status: number; readonly text: string }> => {
  const response = await fetch(url)
  return { status: response.status, text: await response.text() }
}

const until = async <T>(attempt: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const found = await attempt()
    if (found !== undefined) return found
    await new Promise((resolve) => void setImmediate(resolve))
  }
}
