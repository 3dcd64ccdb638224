import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import type { Log } from '../../src/log/index.ts'
import { type Config, readConfig } from '../../src/config/index.ts'
import { openLog, openRegistry } from '../../src/main/open-log.ts'
import { type Running, start } from '../../src/main/start.ts'
import type { Storage } from '../../src/main/stage.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { freePort } from '../helpers/free-port.ts'
import { orderBody } from '../http/requests.ts'
import { configOf, type Json, json, newFolder, sharedStorage, until } from './process-stage.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

const place = (url: string, key?: string): Promise<Response> =>
  fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
    body: JSON.stringify(orderBody())
  })

test('each role by itself, they make one shop, in whatever order they start', async (t) => {
  const config = configOf(await newFolder(t))
  const storage = await sharedStorage(t, config)
  // On Kafka a process with the view is the first to need its data folder.
  const dataFolder = join(config.dataFolder, 'of', 'the view')
  const running: Running[] = []
  const run = async (...roles: string[]): Promise<Running> => {
    const process = await start({ ...config, dataFolder, roles }, { storage })
    running.push(process)
    t.deepEqual(process.roles, roles)
    return process
  }
  const { url } = await run('view')
  t.like(await json(`${url}/readyz`), { status: 503 }, 'no saga is published yet')
  t.like(await json(`${url}/orders`), { status: 200 }, 'what is there can be read')
  const early = await place(url)
  t.is(early.status, 503)
  t.like(await early.json(), { code: 'PARCOMOLO_HTTP_NOT_READY' })

  const others = serviceNames.filter((name) => name !== 'inventory')
  const services = await run(...others)
  await run('orchestrator')
  await run('operator')
  await until(async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined))
  t.like(await json(`${url}/definitions`), { status: 200, body: { items: [{ saga: 'order' }] } })
  t.like(await json(`${url}/stock/book`), { status: 404 }, 'the inventory has not set it yet')
  const unsold = await place(url)
  t.is(unsold.status, 503, 'so that is not for good')
  t.like(await unsold.json(), { code: 'PARCOMOLO_HTTP_NOT_READY' })

  const inventory = await run('inventory')
  await until(async () => ((await json(`${url}/stock/book`)).status === 200 ? true : undefined))
  const placed = await place(url)
  t.is(placed.status, 201)
  const { orderId } = (await placed.json()) as { orderId: string }
  t.like(await json(`${url}/orders/${orderId}?wait=20s`), { body: { status: 'COMPLETED' } })

  t.like(await json(`${inventory.url}/readyz`), { status: 200 })
  const metrics = await (await fetch(`${inventory.url}/metrics`)).text()
  t.regex(metrics, /^parcomolo_task_events_total\{component="inventory",task="stock-events\/0"\} [1-9]/m)
  t.regex(metrics, /^parcomolo_log_healthy 1$/m)
  const elsewhere = await json(`${services.url}/orders`)
  t.like(elsewhere, { status: 404, body: { code: 'PARCOMOLO_HTTP_NOT_FOUND' } })
  t.is(
    elsewhere.body['detail'],
    `there is nothing at '/orders'; this process runs ${others.map((name) => `'${name}'`).join(', ')}; ` +
      "ask one with the role 'view', which has the REST interface"
  )
  for (const process of running.reverse()) await process.stop()
  t.is(storage.openCount, 0)
})

test('while it waits for the registry it lives and is not ready, and a stop ends it at once', async (t) => {
  const port = await freePort()
  const config = configOf(await newFolder(t), { port, roles: ['order'] })
  const shared = await sharedStorage(t, config)
  const reasons: unknown[] = []
  const storage: Storage = {
    ...shared,
    openRegistry: (_, waiting) => {
      reasons.push(waiting?.onWaiting)
      return new Promise(() => undefined)
    }
  }
  const stop = new AbortController()
  const starting = start(config, { signal: stop.signal, storage })
  const url = `http://127.0.0.1:${port}`
  const detail = 'it is waiting for the schema registry'
  const ready = await until(async () => {
    const answer = await json(`${url}/readyz`)
    return JSON.stringify(answer).includes(detail) ? answer : undefined
  })
  t.deepEqual(ready, {
    status: 503,
    body: {
      status: 'failing',
      checks: [
        { name: 'start', ok: false, detail },
        { name: 'tasks', ok: true, detail: '' },
        { name: 'log', ok: true, detail: '' }
      ]
    }
  })
  t.like(await json(`${url}/healthz`), { status: 200 })
  t.is(typeof reasons[0], 'function', 'the registry can say why it is waited for')
  stop.abort(new Error('enough'))
  await t.throwsAsync(starting, { message: 'enough' })
  await t.throwsAsync(fetch(`${url}/healthz`), undefined, 'nobody listens any more')
})

test('a start that fails half-way closes what it has opened', async (t) => {
  const port = await freePort()
  const config = configOf(await newFolder(t), { port, roles: ['order'] })
  const shared = await sharedStorage(t, config)
  const openRegistry = async (): Promise<never> => {
    throw new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'on purpose')
  }
  await t.throwsAsync(start(config, { storage: { ...shared, openRegistry } }), {
    code: 'PARCOMOLO_REGISTRY_UNAVAILABLE'
  })
  await t.throwsAsync(fetch(`http://127.0.0.1:${port}/healthz`))
  t.is(shared.openCount, 0)
})

test('a start behind a registry that has given its ids anew ends with its error', async (t) => {
  const config = configOf(await newFolder(t), { partitions: 4, logLevel: 'error' })
  const first = await start(config)
  t.is((await place(first.url)).status, 201)
  await first.stop()
  await rm(join(config.dataFolder, 'registry'), { recursive: true })
  const registry = await openEmbeddedRegistry(join(config.dataFolder, 'registry'))
  await registry.register('other', { type: 'record', name: 'Other', fields: [] })
  await registry.close()
  await t.throwsAsync(start(config), { code: 'PARCOMOLO_TASK_JOURNAL_UNREADABLE' })
  const log = await openLog(config)
  await log.close()
})

test('a registry that denies what a start has to register ends it at once', async (t) => {
  const config = configOf(await newFolder(t), { roles: ['order'] })
  const shared = await sharedStorage(t, config)
  const url = 'http://registry'
  const denied = (status: number): ParcomoloError =>
    new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'denied', { retryable: true, details: { url, status } })
  const openDenying = async () => ({ ...(await shared.openRegistry(config)), check: () => Promise.reject(denied(403)) })
  await t.throwsAsync(start(config, { storage: { ...shared, openRegistry: openDenying } }), {
    code: 'PARCOMOLO_REGISTRY_UNAVAILABLE'
  })
  t.is(shared.openCount, 0)
})

test.serial('a participant whose topics are not as they have to be concerns nobody else', async (t) => {
  const folder = await newFolder(t)
  const sagasFolder = join(folder, 'sagas')
  await cp('sagas', sagasFolder, { recursive: true })
  await cp('test/foreign/loyalty/participant.yaml', join(sagasFolder, 'participants', 'loyalty.yaml'))
  const config = configOf(join(folder, 'data'), { sagasFolder })
  const log = await openLog(config)
  await log.ensureTopics([{ topic: 'loyalty-events', partitions: 3, cleanup: 'delete', retention: 'forever' }])
  await log.close()
  const { result: running, lines } = await withLines(() => start(config))
  t.teardown(() => running.stop())
  t.is((await place(running.url)).status, 201)
  const told = lines.find(({ code }) => code === 'PARCOMOLO_LOG_TOPIC_MISMATCH')
  t.regex(String(told?.['error']), /^participant 'loyalty' is left out until its topics are mended: .*loyalty-events/)
})

test('everything in one process takes orders as soon as it has started, and starts again', async (t) => {
  const config = configOf(await newFolder(t))
  const first = await start(config)
  t.is(first.roles, 'all')
  t.is((await place(first.url)).status, 201)
  await first.stop()
  const second = await start(config)
  t.like(await json(`${second.url}/orders`), { status: 200 })
  await second.stop()
})

test('orders are taken as long as a saga in force begins with them: otherwise 503, and not ready', async (t) => {
  const sagasFolder = await newFolder(t)
  await cp('sagas', sagasFolder, { recursive: true })
  const file = join(sagasFolder, 'order.yaml')
  const yaml = await readFile(file, 'utf8')
  await writeFile(file, yaml.replace('command: ReserveStock', 'command: ReservStock'))
  const running = await start(configOf(await newFolder(t), { sagasFolder }))
  const { url } = running
  const refused = await place(url)
  t.is(refused.status, 503)
  const body = (await refused.json()) as Json
  t.like(body, { code: 'PARCOMOLO_HTTP_NOT_READY' })
  t.regex(String(body['detail']), /^no order is taken now: no saga begins with OrderPlaced: none is published yet/)
  const { status, body: ready } = await json(`${url}/readyz`)
  t.is(status, 503)
  t.regex(JSON.stringify(ready), /"name":"sagas","ok":false,"detail":"no saga begins with OrderPlaced/)
  t.like(await json(`${url}/orders`), { status: 200 }, 'what is there can be read')
  await writeFile(file, yaml)
  await until(async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined))
  const placed = await place(url, 'once')
  t.is(placed.status, 201)
  await rm(file)
  await until(async () => ((await fetch(`${url}/readyz`)).ok ? undefined : true))
  t.regex(String(((await (await place(url)).json()) as Json)['detail']), /OrderPlaced: publish one that does/)
  t.is((await place(url, 'once')).status, 201, 'what is placed already is answered')
  await running.stop()
})

test('in choreography no saga is needed', async (t) => {
  const sagasFolder = await newFolder(t)
  await cp('sagas/participants', join(sagasFolder, 'participants'), { recursive: true })
  const running = await start(configOf(await newFolder(t), { sagasFolder, flow: 'choreography' }))
  t.true((await fetch(`${running.url}/readyz`)).ok)
  t.is((await place(running.url)).status, 201)
  await running.stop()
})

/** The embedded log, in which the read model gets no saga to fold before it is let go on. */
const holdingBack = (config: Config, goOn: Promise<void>): Storage => ({
  openRegistry: () => openRegistry(config),
  openLog: async () => {
    const log = await openLog(config)
    const reader: Log['reader'] = (places, isolation) => {
      const inner = log.reader(places, isolation)
      if (isolation === 'visible' || !places.some(({ topic }) => topic === 'saga-events')) return inner
      return { take: (max) => inner.take(max), ready: () => goOn.then(() => inner.ready()), close: () => inner.close() }
    }
    return new Proxy(log, {
      get: (target, name) => {
        const member: unknown = name === 'reader' ? reader : Reflect.get(target, name)
        return typeof member === 'function' ? (member as () => unknown).bind(target) : member
      }
    })
  }
})

test('orders are taken while the read model is built anew, which then has them', async (t) => {
  const config = configOf(await newFolder(t))
  const first = await start(config)
  t.is((await place(first.url)).status, 201)
  await first.stop()
  await rm(join(config.dataFolder, 'view.sqlite'))
  const [port, goOn] = [await freePort(), Promise.withResolvers<void>()]
  const starting = start({ ...config, port }, { storage: holdingBack(config, goOn.promise) })
  const url = `http://127.0.0.1:${port}`
  const placed = await until(async () => {
    const answer = await place(url)
    return answer.status === 201 ? answer : undefined
  })
  const order = `${url}${String(placed.headers.get('location'))}`
  const early = await until(async () => {
    const { status, body } = await json(order)
    const { done, of } = body['progress'] as { done: number; of: number }
    return done < of ? { status, body } : undefined
  })
  t.like(early, { status: 503, body: { code: 'PARCOMOLO_HTTP_NOT_READY' } })
  goOn.resolve()
  const running = await starting
  t.like(await json(`${order}?wait=20s`), { status: 200, body: { status: 'COMPLETED' } })
  t.is(((await json(`${url}/orders`)).body['items'] as unknown[]).length, 2)
  await running.stop()
})

test('metrics have a port of their own where one is set', async (t) => {
  const metricsPort = await freePort()
  const running = await start(configOf(await newFolder(t), { metricsPort }))
  t.is((await fetch(`${running.url}/metrics`)).status, 404)
  t.is((await fetch(`${running.url}/readyz`)).status, 200)
  const { links } = (await (await fetch(running.url)).json()) as { links: object }
  t.false('/metrics' in links)
  t.regex(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(), /process_cpu_seconds_total/)
  await running.stop()
  await t.throwsAsync(fetch(`http://127.0.0.1:${metricsPort}/healthz`), undefined, 'nobody listens any more')
})

test('orders are taken before the read model has found its database', async (t) => {
  const first = configOf(await newFolder(t))
  const stocked = await start(first)
  await stocked.stop()
  const [port, nobody] = [await freePort(), await freePort()]
  const { viewDatabase } = readConfig({ VIEW_DATABASE_URL: `postgres://nobody:none@127.0.0.1:${nobody}/none` })
  const stop = new AbortController()
  const starting = start({ ...first, port, viewDatabase, stopDelay: 200 }, { signal: stop.signal })
  const url = `http://127.0.0.1:${port}`
  const placed = await until(async () => {
    const answer = await place(url)
    return answer.status === 201 ? answer : undefined
  })
  t.regex(String(placed.headers.get('parcomolo-position')), /^order-events\/0@\d+$/)
  const refused = await fetch(`${url}${String(placed.headers.get('location'))}`)
  t.is(refused.status, 503)
  t.like(await refused.json(), { code: 'PARCOMOLO_HTTP_NOT_READY' })
  t.is((await fetch(`${url}/readyz`)).status, 200)
  const withView = await json(`${url}/readyz?view`)
  t.is(withView.status, 503)
  t.regex(
    JSON.stringify(withView.body),
    new RegExp(`it is looking for the read model's database 'none' at .*${nobody}`)
  )
  stop.abort(new Error('enough'))
  t.is((await fetch(`${url}/readyz`)).status, 503)
  t.is((await place(url)).status, 201, 'until nobody sends more')
  await t.throwsAsync(starting, { message: 'enough' })
  await t.throwsAsync(fetch(`${url}/healthz`), undefined, 'nobody listens any more')
})

test('a process that is to stop is not ready first, takes what comes meanwhile, and then goes', async (t) => {
  const config = configOf(await newFolder(t), { stopDelay: 300 })
  const running = await start(config)
  const stopped = running.stop()
  const ready = await json(`${running.url}/readyz`)
  t.is(ready.status, 503)
  t.regex(JSON.stringify(ready.body), /"name":"stop","ok":false/)
  t.is((await fetch(`${running.url}/healthz`)).status, 200)
  t.is((await place(running.url)).status, 201)
  await stopped
  await t.throwsAsync(fetch(`${running.url}/healthz`), undefined, 'nobody listens any more')
})

test('a folder that has only participants and sagas of others is enough', async (t) => {
  const folder = await newFolder(t)
  const sagasFolder = join(folder, 'sagas')
  await mkdir(join(sagasFolder, 'participants'), { recursive: true })
  await cp('test/foreign/loyalty/saga.yaml', join(sagasFolder, 'loyalty.yaml'))
  await cp('test/foreign/loyalty/participant.yaml', join(sagasFolder, 'participants', 'loyalty.yaml'))
  const running = await start(configOf(join(folder, 'data'), { sagasFolder }))
  t.teardown(() => running.stop())
  const { body } = await json(`${running.url}/definitions`)
  t.deepEqual(
    (body['items'] as Json[]).map(({ saga }) => saga),
    ['loyalty']
  )
})

/** What a start with this configuration says on stderr until it has ended, and what comes of it. */
const withLines = async <T>(work: () => Promise<T>): Promise<{ result: T; lines: Json[] }> => {
  const lines: Json[] = []
  const write = process.stderr.write.bind(process.stderr)
  process.stderr.write = ((text: string) => lines.push(JSON.parse(text) as Json) > 0) as typeof write
  try {
    return { result: await work(), lines }
  } finally {
    process.stderr.write = write
  }
}

test.serial('contracts that were refused while it ran do not stop the next start, and each is told', async (t) => {
  const folder = await newFolder(t)
  const sagasFolder = join(folder, 'sagas')
  await cp('sagas', sagasFolder, { recursive: true })
  const participants = join(sagasFolder, 'participants')
  const change = async (name: string, to: string, from: string, by: string): Promise<void> => {
    const text = await readFile(join(participants, `${name}.yaml`), 'utf8')
    t.true(text.includes(from))
    await writeFile(join(participants, `${to}.yaml`), text.replaceAll(from, by))
  }
  const saga = await readFile('test/foreign/loyalty/saga.yaml', 'utf8')
  await writeFile(join(sagasFolder, 'loyalty.yaml'), saga.replaceAll('command: ', 'command: loyalty.'))
  await cp('test/foreign/loyalty/participant.yaml', join(participants, 'loyalty.yaml'))
  await change('loyalty', 'gift', 'loyalty', 'gift')
  await change('loyalty', 'broken', 'loyalty', 'broken')
  const config = configOf(join(folder, 'data'), { sagasFolder })
  const first = await start(config)
  await first.stop()

  await change(
    'payment',
    'payment',
    'record PaymentRefunded { @key string orderId; long amountCents; }',
    'record PaymentRefunded { @key string orderId; int amountCents; }'
  )
  await change('loyalty', 'loyalty', 'long points', 'int points')
  await change('gift', 'gift', 'long balance', 'int balance')
  await change('broken', 'broken', 'record', 'recrod')
  const { result: second, lines } = await withLines(() => start(config))
  t.teardown(() => second.stop())
  t.is((await place(second.url)).status, 201)
  const { body } = await json(`${second.url}/definitions`)
  t.deepEqual((body['items'] as Json[]).map(({ saga }) => saga).toSorted(), ['loyalty', 'order'])
  const told = (name: string): Json[] =>
    lines.filter((line) => new RegExp(`${name}( |\\.yaml )is refused`).test(String(line['message'])))
  for (const name of ['payment', 'gift'])
    t.like(told(name)[0], { level: 'error', code: 'PARCOMOLO_REGISTRY_INCOMPATIBLE' }, name)
  t.like(told('loyalty')[0], { level: 'error', code: 'PARCOMOLO_CONTRACT_IN_USE' })
  t.like(told('broken')[0], { level: 'error', code: 'PARCOMOLO_CONTRACT_INVALID' })
})
