import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '../../src/base/index.ts'
import { Admission, admissionLimits } from '../../src/http/admission.ts'
import { createHttp, type HttpDeps } from '../../src/http/index.ts'
import { shopRoutes } from '../../src/shop/index.ts'
import type { Projection, RowWait, ViewQuery } from '../../src/view/index.ts'
import { Waiters } from '../../src/view/waiters.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { get, jsonOf, orderBody, post } from './requests.ts'

const limits = { ...admissionLimits, inWorkMin: 4, inWorkMax: 40, heldMax: 6, heldForUnknownMax: 3 }

const stage = () => {
  const clock = new VirtualClock(1_000_000)
  return { clock, admission: new Admission(clock, limits) }
}

/** Lets in as many as it may, and answers all of them after this time; gives how many those were. */
const wave = ({ clock, admission }: ReturnType<typeof stage>, answerMs: number): number => {
  const leaves: (() => void)[] = []
  for (let leave = admission.begin(); leave !== undefined; leave = admission.begin()) leaves.push(leave)
  clock.advance(answerMs)
  for (const leave of leaves) leave()
  clock.advance(100)
  return leaves.length
}

test('so many orders are in work and no more, and each that is answered makes room for one', (t) => {
  const { admission } = stage()
  const leaves = Array.from({ length: 4 }, () => admission.begin())
  t.true(leaves.every((leave) => leave !== undefined))
  t.is(admission.begin(), undefined)
  leaves[0]!()
  t.not(admission.begin(), undefined)
  t.is(admission.begin(), undefined)
})

test('a young order that somebody is held for counts as work, once, and an old one does not', (t) => {
  const { clock, admission } = stage()
  const letGo = ['o1', 'o2', 'o3', 'o4', 'o4'].map((orderId) => admission.holdFor(orderId, clock.now()))
  t.is(admission.inWork, 4)
  t.is(admission.begin(), undefined)
  letGo[0]!()
  letGo[4]!()
  t.is(admission.inWork, 3)
  clock.advance(limits.heldAsWorkMs)
  t.is(admission.inWork, 0)
  admission.holdFor('o5', clock.now() - limits.heldAsWorkMs)
  t.not(admission.begin(), undefined)
  for (const go of letGo) go?.()
  t.is(admission.inWork, 1)
})

test('who waits for what is not there takes no place from orders, and few places from others who wait', (t) => {
  const { admission } = stage()
  const letGo = Array.from({ length: limits.heldForUnknownMax }, () => admission.holdFor('nobody-has-it', undefined))
  t.true(letGo.every((go) => go !== undefined))
  t.is(admission.holdFor('nor-this', undefined), undefined)
  t.is(admission.inWork, 0)
  letGo[0]!()
  t.not(admission.holdFor('nor-this', null), undefined)
})

test('bodies in work are bounded in bytes', (t) => {
  const { admission } = stage()
  const leave = admission.read(limits.bodyBytesInWorkMax - 10)
  t.is(admission.read(11), undefined)
  t.not(admission.read(10), undefined)
  leave?.()
  t.not(admission.read(11), undefined)
})

test('who sends a long body while others are in work is sent away before it is read', async (t) => {
  const { http, waiters } = server(t, { bodyBytesInWorkMax: 5_000 })
  const long = orderBody({ lines: Array.from({ length: 100 }, () => ({ sku: 'book', quantity: 1 })) })
  const taken = post(http, '/orders', long)
  await until(() => waiters.count === 1)
  t.like(jsonOf(await post(http, '/cancelOrder', long)) as unknown, { code: 'PARCOMOLO_HTTP_OVERLOADED' })
  t.is((await post(http, '/cancelOrder', { orderId: 'o1' })).statusCode, 404, 'a short one is read')
  waiters.end()
  await taken
  t.is((await post(http, '/cancelOrder', long)).statusCode, 400)
})

test('requests that are held are bounded, however long', (t) => {
  const { clock, admission } = stage()
  const letGo = Array.from({ length: limits.heldMax }, () => admission.hold())
  clock.advance(limits.heldAsWorkMs)
  t.is(admission.hold(), undefined)
  letGo[0]!()
  t.not(admission.hold(), undefined)
})

test('while answers come quickly more are let in, and when they become slow fewer, within bounds', (t) => {
  const scene = stage()
  t.is(wave(scene, 5), 4)
  for (let i = 0; i < 20; i++) wave(scene, 5)
  t.is(wave(scene, 5), limits.inWorkMax)
  for (let i = 0; i < 3; i++) wave(scene, 500)
  const fewer = wave(scene, 500)
  t.true(fewer < limits.inWorkMax && fewer > limits.inWorkMin, `${fewer} are let in`)
  for (let i = 0; i < 20; i++) wave(scene, 500)
  t.is(wave(scene, 500), limits.inWorkMin)
})

test('a log that is slow at its best is not taken for an overload', (t) => {
  const scene = stage()
  for (let i = 0; i < 20; i++) wave(scene, 300)
  t.is(wave(scene, 300), limits.inWorkMax)
})

test('who is sent away comes again one after the other, at a small part of the pace of answers', (t) => {
  const { clock, admission } = stage()
  const crowd = Array.from({ length: 3_000 }, () => admission.retryAfterSeconds())
  const bySecond = Object.values(Object.groupBy(crowd, String)).map((group) => group!.length)
  t.deepEqual([crowd[0], crowd.at(-1)], [1, 31])
  t.true(bySecond.every((count) => count <= 100))
  const more = Array.from({ length: 10_000 }, () => admission.retryAfterSeconds())
  t.is(Math.max(...more), 60)
  clock.advance(120_000)
  t.is(admission.retryAfterSeconds(), 1)
})

/** A server whose orders are placed by nobody. */
const server = (t: ExecutionContext, own: NonNullable<HttpDeps['limits']> = {}) => {
  const waiters = new Waiters(systemClock, 100)
  const view = {
    state: () => 'following',
    health: () => ({ waiterCount: 0, skippedCount: 0, changedRowCount: 0, positions: {} }),
    row: async ({ name }: Projection) => (name === 'stock' ? { priceCents: 1 } : undefined),
    whenRow: (of: Projection, key: string, _: unknown, wait: RowWait) => waiters.row(of, key, () => true, wait)
  } as unknown as ViewQuery
  const http = createHttp({
    ...{ view, clock: systemClock, routes: shopRoutes({ flow: 'orchestration' }), logLevel: 'silent' },
    sendCommand: async () => undefined,
    definitions: { list: () => [], get: () => undefined, graph: () => undefined },
    limits: { answerTimeoutMs: 60_000, inWorkMin: 2, heldMax: 1, ...own }
  })
  t.teardown(async () => {
    waiters.end()
    await http.close()
  })
  return { http, waiters }
}

const until = async (isMet: () => boolean): Promise<void> => {
  while (!isMet()) await new Promise((resolve) => void setImmediate(resolve))
}

test('an order that would join a queue too long is sent away before its body is looked at', async (t) => {
  const { http, waiters } = server(t)
  const taken = [post(http, '/orders', orderBody()), post(http, '/orders', orderBody())]
  await until(() => waiters.count === 2)
  const refused = await post(http, '/orders', '{"no json')
  t.is(refused.statusCode, 503)
  t.is(refused.headers['retry-after'], '1')
  t.like(jsonOf(refused) as unknown, { code: 'PARCOMOLO_HTTP_OVERLOADED', instance: '/orders' })
  t.is((await post(http, '/cancelOrder', { orderId: 'o1' })).statusCode, 404, 'a cancellation is heard')
  waiters.end()
  await Promise.all(taken)
  t.is((await post(http, '/orders', '{"no json')).statusCode, 400, 'there is room again')
})

test('one more who wants to be held is sent away, and who does not wait is answered', async (t) => {
  const { http, waiters } = server(t)
  const held = get(http, '/orders/o1?wait=60s')
  await until(() => waiters.count === 1)
  t.like(jsonOf(await get(http, '/orders/o2?wait=60s')) as unknown, { code: 'PARCOMOLO_HTTP_OVERLOADED' })
  t.is((await get(http, '/orders/o2')).statusCode, 404)
  waiters.end()
  await held
  const metrics = await get(http, '/metrics')
  t.regex(metrics.body, /^parcomolo_http_orders_in_work 0$/m)
})

test('a client that goes away makes room', async (t) => {
  const { http, waiters } = server(t, { inWorkMin: 1 })
  await http.listen({ host: '127.0.0.1', port: 0 })
  const { port } = http.server.address() as AddressInfo
  const client = new AbortController()
  const url = `http://127.0.0.1:${port}/orders`
  const headers = { 'content-type': 'application/json' }
  const order = { method: 'POST', headers, body: JSON.stringify(orderBody()) }
  const gone = fetch(url, { ...order, signal: client.signal })
  await until(() => waiters.count === 1)
  t.is((await fetch(url, order)).status, 503)
  client.abort()
  await t.throwsAsync(gone, { name: 'AbortError' })
  await until(() => waiters.count === 0)
  t.is((await fetch(url, { ...order, body: '{' })).status, 400)
})

test('of a crowd that comes at once, many are taken in each turn of the event loop', async (t) => {
  if (process.platform !== 'linux') return t.pass('only there do several sockets listen on one port')
  const { http } = server(t)
  await http.doors.listen('127.0.0.1', 0, 16)
  const { port } = http.server.address() as AddressInfo
  const crowd = Array.from({ length: 320 }, () => connect(port, '127.0.0.1'))
  const answers = crowd.map(async (socket) => {
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    return bytes.toString().slice(0, 12)
  })
  let [turns, isOver] = [0, false]
  const done = Promise.all(answers).then((all) => {
    isOver = true
    return all
  })
  await until(() => ++turns > 10_000 || isOver)
  t.deepEqual(new Set(await done), new Set(['HTTP/1.1 200']))
  t.true(turns < 160, `it took ${turns} turns`)
})
