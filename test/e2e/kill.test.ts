import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { audit, told } from '../helpers/auditor.ts'
import { Crowd, rest } from './crowd.ts'
import { getAll, type OrderView, post, type StockView } from './shop-client.ts'
import { ShopProcess } from './shop-process.ts'

/** How often it is killed, and for how long it works in between, at random up to this. */
const rounds = Number(process.env['ROUNDS'] ?? 5)
const workMsMax = 600
const clientCount = 12
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
  const crowd = new Crowd(shop, { clients: clientCount, waitsForEnds: false })
  t.teardown(() => crowd.abandon())
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
  const key = Crowd.key(0, 0)
  const orderId = crowd.orders.get(key)
  t.truthy(orderId)
  t.like(await post(shop, '/orders', Crowd.body(0, 0), key), { status: 201, body: { orderId } })
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
