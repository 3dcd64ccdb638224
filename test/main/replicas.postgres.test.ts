import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Log } from '../../src/log/index.ts'
import { type Config, readConfig } from '../../src/main/config.ts'
import { openLog, openRegistry } from '../../src/main/open-log.ts'
import type { Storage } from '../../src/main/stage.ts'
import { type Running, start } from '../../src/main/start.ts'
import { get, type OrderView, post, requestBody } from '../e2e/shop-client.ts'
import { databaseUrl, newSchema, whyNoDatabase } from '../view/database.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

if (databaseUrl === undefined) test.skip(`replicas of the view: ${whyNoDatabase}`, () => undefined)
else testReplicas(databaseUrl)

function testReplicas(url: string): void {
  test('what one replica has taken, each other one shows, and one that comes later has it too', async (t) => {
    const { run } = await cluster(t, url)
    await run(...serviceNames, 'orchestrator', 'operator')
    const [a, b] = [await run('view'), await run('view')]
    const place = (replica: Running, token: string) => post(replica, '/orders', requestBody(token))
    await placedWhenReady(() => place(a, 'tok_visa'))
    const placed = await place(b, 'tok_declined')
    t.is(placed.status, 201)
    const orderId = String(placed.body['orderId'])
    const ends = [a, b].map((replica) => get<OrderView>(replica, `/orders/${orderId}?wait=20s`))
    for (const ended of await Promise.all(ends)) t.like(ended, { status: 'REJECTED', stock: { status: 'RELEASED' } })

    const headers = { 'parcomolo-position': (await positionOf(a, orderId)) ?? '' }
    t.true(headers['parcomolo-position'] !== '')
    t.is((await fetch(`${b.url}/orders/${orderId}`, { headers })).status, 200)
    const listed = await listOf(a)
    t.is(listed.length, 2)
    t.deepEqual(await listOf(b), listed)

    await a.stop()
    t.is((await place(b, 'tok_visa')).status, 201)
    const c = await run('view')
    t.is((await listOf(c)).length, 3)
    t.deepEqual(await listOf(b), await listOf(c))
  })
}

const listOf = async (replica: Running): Promise<readonly OrderView[]> =>
  (await get<{ items: OrderView[] }>(replica, '/orders?customerId=ada')).items.map((row) => ({ ...row, timeline: [] }))

/** That of the same request again. */
const positionOf = async (replica: Running, orderId: string): Promise<string | undefined> => {
  const { timeline } = await get<{ timeline: { topic: string; partition: number; offset: number }[] }>(
    replica,
    `/orders/${orderId}`
  )
  const last = timeline.at(-1)
  return last === undefined ? undefined : `${last.topic}/${last.partition}@${last.offset}`
}

const placedWhenReady = async (place: () => Promise<{ readonly status: number }>): Promise<void> => {
  while ((await place()).status !== 201) continue
}

/** Processes that share what they would have on Kafka, and the database. */
const cluster = async (t: ExecutionContext, url: string) => {
  const schema = await newSchema(url)
  const dataFolder = await mkdtemp(join(tmpdir(), 'parcomolo-replicas-'))
  const config = readConfig({
    PORT: '0',
    PARCOMOLO_DATA: dataFolder,
    LOG_LEVEL: 'error',
    VIEW_DATABASE_URL: schema.url
  })
  const [log, registry] = [await openLog(config), await openRegistry(config)]
  const shared = new Proxy(log, {
    get: (target, name) => {
      const member: unknown = name === 'close' ? async () => undefined : Reflect.get(target, name)
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member
    }
  }) as Log
  const storage: Storage = {
    openLog: async () => shared,
    openRegistry: async () => ({ ...registry, close: async () => undefined })
  }
  const running: Running[] = []
  const run = async (...roles: Exclude<Config['roles'], 'all'>[number][]): Promise<Running> => {
    const process = await start({ ...config, roles }, { storage })
    running.push(process)
    return process
  }
  t.teardown(async () => {
    for (const process of running.reverse()) await process.stop()
    await log.close()
    await registry.close()
    await schema.drop()
    await rm(dataFolder, { recursive: true, force: true })
  })
  return { run }
}
