/** Copies of the data folder of a shop that works: by the commands that are made for it, and by hand. */
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { audit, told } from '../helpers/auditor.ts'
import { Crowd, rest } from './crowd.ts'
import { get, getAll, type OrderView, post, type StockView } from './shop-client.ts'
import { ShopProcess } from './shop-process.ts'

const run = promisify(execFile)

const clientCount = 12
/** So much that snapshots are written under way. */
const ordersMin = 300

const folderOf = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-backup-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const parcomolo = async (data: string, ...words: string[]): Promise<string> => {
  const { KAFKA_BROKERS: _brokers, SCHEMA_REGISTRY_URL: _registry, ...env } = process.env
  const { stdout } = await run(process.execPath, ['src/cli/parcomolo.ts', ...words], {
    env: { ...env, PARCOMOLO_DATA: data }
  })
  return stdout
}

const busyShop = async (t: ExecutionContext): Promise<{ data: string; shop: ShopProcess; crowd: Crowd }> => {
  const data = join(await folderOf(t), 'data')
  const shop = new ShopProcess(data)
  t.teardown(() => shop.end('SIGKILL'))
  await shop.start()
  const crowd = new Crowd(shop, { clients: clientCount, waitsForEnds: false })
  t.teardown(() => crowd.abandon())
  while (crowd.orders.size < ordersMin) await wait(20)
  return { data, shop, crowd }
}

/** What is renamed a moment later is nothing to copy. */
const isSettled = (path: string): boolean => !path.endsWith('.new')

type Before = { readonly orders: ReadonlyMap<string, string>; readonly cancellations: readonly string[] }

const acknowledgedBy = ({ orders, cancellations }: Crowd): Before => ({
  orders: new Map(orders),
  cancellations: [...cancellations]
})

/** Starts a shop on a copy, lets it come to rest, and judges it by what had been acknowledged before it was made. */
const judge = async (t: ExecutionContext, data: string, { orders, cancellations }: Before): Promise<void> => {
  const shop = new ShopProcess(data)
  t.teardown(() => shop.end('SIGKILL'))
  await shop.start()
  for (const [key, orderId] of [...orders].slice(0, 20)) {
    const [client, i] = key.match(/\d+/g)!.map(Number) as [number, number]
    t.like(await post(shop, '/orders', Crowd.body(client, i), key), { status: 201, body: { orderId } })
  }
  const { body } = await post(shop, '/orders', Crowd.body(0, 1), 'new')
  t.like(await get(shop, `/orders/${String(body['orderId'])}?wait=20s`), { saga: { status: 'completed' } })
  await rest(shop)
  const shown = { orders: await getAll<OrderView>(shop, '/orders'), stock: await getAll<StockView>(shop, '/stock') }
  await shop.end('SIGTERM')
  const acknowledged = { orders: [...orders.values()], cancellations, skus: ['book', 'lamp', 'unicorn', 'last-one'] }
  const [records, schemas] = [await shop.records(), await shop.schemas()]
  const found = audit({ records, schemas, flow: 'orchestration', isQuiet: true, now: Date.now(), acknowledged, shown })
  t.is(told(found), '')
}

test('a backup that is made under load has all that was been acknowledged, and starts, restored or not', async (t) => {
  t.timeout(120_000)
  const { data, shop, crowd } = await busyShop(t)
  const before = acknowledgedBy(crowd)
  const backup = join(await folderOf(t), 'backup')
  const said = await parcomolo(data, 'backup', backup)
  t.regex(said, /has a backup of \d+ records, \d+ bytes/)
  const restored = join(await folderOf(t), 'data')
  await parcomolo(restored, 'restore', backup)
  crowd.abandon()
  await shop.end('SIGKILL')
  await judge(t, restored, before)
  await judge(t, backup, before)
  t.is(shop.errors, '')
})

test('a folder that is copied by hand under load is good or refused', async (t) => {
  t.timeout(180_000)
  const { data, shop, crowd } = await busyShop(t)
  const copies: { copy: string; before: Before }[] = []
  for (const parts of [
    ['log', 'registry'],
    ['registry', 'log'],
    ['log/0000000000000000.log', 'log']
  ]) {
    const [before, copy] = [acknowledgedBy(crowd), join(await folderOf(t), 'copy')]
    for (const part of parts) {
      await cp(join(data, part), join(copy, part), { recursive: true, force: false, filter: isSettled })
      await wait(200)
    }
    await cp(data, copy, { recursive: true, force: false, filter: isSettled })
    copies.push({ copy, before })
  }
  crowd.abandon()
  await shop.end('SIGKILL')
  const outcomes = { good: 0, refused: 0 }
  for (const { copy, before } of copies) {
    const first = new ShopProcess(copy)
    const error = await first.start().then(
      () => undefined,
      (cause: unknown) => cause as Error
    )
    await first.end('SIGKILL')
    if (error !== undefined) t.regex(error.message, /PARCOMOLO_LOG_CORRUPT.*parcomolo restore/s)
    else await judge(t, copy, before)
    outcomes[error === undefined ? 'good' : 'refused']++
  }
  t.log(outcomes)
})

test('what is no data folder is not backed up, and nothing is written over', async (t) => {
  const folder = await folderOf(t)
  const refused = { message: /PARCOMOLO_MAIN_BACKUP_REFUSED/ }
  await t.throwsAsync(parcomolo(folder, 'backup', join(folder, 'backup')), refused)
  const shop = new ShopProcess(join(folder, 'data'))
  await shop.start()
  await shop.end('SIGTERM')
  await t.throwsAsync(parcomolo(join(folder, 'data'), 'restore', join(folder, 'data')), refused)
  await t.throwsAsync(parcomolo(join(folder, 'data'), 'backup', join(folder, 'data')), refused)
})
