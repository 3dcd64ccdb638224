import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Config } from '../../src/config/index.ts'
import { start } from '../../src/main/start.ts'
import { billing, Billing, subscribe, subscribeTwo } from '../helpers/foreign-billing.ts'
import { configOf, json, newFolder, sharedStorage } from './process-stage.ts'

const sagasOf = async (t: ExecutionContext): Promise<string> => {
  const folder = await newFolder(t)
  await mkdir(join(folder, 'participants'))
  await writeFile(join(folder, 'participants/billing.yaml'), billing)
  await writeFile(join(folder, 'subscribe.yaml'), subscribe)
  return folder
}

const bareConfig = async (t: ExecutionContext): Promise<Config> =>
  configOf(await newFolder(t), { app: 'none', sagasFolder: await sagasOf(t) })

test('the engine alone runs sagas of participants that run elsewhere, and answers nothing of a shop', async (t) => {
  const config = await bareConfig(t)
  const storage = await sharedStorage(t, config)
  const running = await start(config, { storage })
  const { url } = running
  t.like(await json(`${url}/readyz?view`), { status: 200, body: { status: 'ok' } })
  t.like(await json(`${url}/definitions`), { body: { items: [{ saga: 'subscribe' }] } })
  for (const path of ['/orders', '/orders/x', '/stock', '/stock/book'])
    t.like(await json(`${url}${path}`), { status: 404, body: { code: 'PARCOMOLO_HTTP_NOT_FOUND' } }, path)
  const { body: root } = await json(`${url}/`)
  t.deepEqual(Object.keys(root['links'] as object), [
    '/docs',
    '/openapi.json',
    '/sagas',
    '/definitions',
    '/readyz',
    '/metrics'
  ])
  const { body: openapi } = await json(`${url}/openapi.json`)
  t.deepEqual(
    Object.keys(openapi['paths'] as object).filter((path) => /order|stock/i.test(path)),
    []
  )

  const participant = await Billing.open(await storage.openLog(config), await storage.openRegistry(config), 1)
  t.deepEqual(await subscribeTwo(participant, url), { ada: 'completed', bob: 'compensated' })
  await running.stop()
})

test('without the shop a participant may be called as one of its services', async (t) => {
  const config = await bareConfig(t)
  const named = billing.replaceAll('billing', 'payment').replaceAll('acme.payment', 'acme.pay')
  await writeFile(join(config.sagasFolder, 'participants/billing.yaml'), named)
  const running = await start(config)
  t.like(await json(`${running.url}/readyz?view`), { status: 200 })
  t.like(await json(`${running.url}/definitions`), { body: { items: [{ saga: 'subscribe' }] } })
  await running.stop()
})

test('the topics of the engine alone are its own and those of its participants', async (t) => {
  const config = await bareConfig(t)
  const storage = await sharedStorage(t, config)
  const running = await start(config, { storage })
  const log = await storage.openLog(config)
  for (const topic of ['billing-commands', 'billing-events', 'saga-events', 'saga-definitions'])
    t.is(log.partitionCount(topic), 1, topic)
  for (const topic of ['order-commands', 'order-events', 'stock-events', 'payment-events', 'shipping-events'])
    t.throws(() => log.partitionCount(topic), { code: 'PARCOMOLO_LOG_UNKNOWN_TOPIC' }, topic)
  await running.stop()
})
