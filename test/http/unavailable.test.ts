import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { FastifyInstance } from 'fastify'
import { systemClock } from '../../src/base/index.ts'
import { createHttp, type HttpDeps, type OutgoingCommand } from '../../src/http/index.ts'
import { shopRoutes } from '../../src/shop/index.ts'
import type { ViewProgress, ViewQuery, ViewState } from '../../src/view/index.ts'
import { emptyOrder, type OrderRow } from '../../src/shop/order/projection.ts'
import { Waiters } from '../../src/view/waiters.ts'
import { get, jsonOf, orderBody, post, put } from './requests.ts'

/**
 * A view that is scripted, to show what happens when it, or the log, does not do what it should. Its waiters are real.
 */
type Script = {
  state?: ViewState
  progress?: ViewProgress
  waitersMax?: number
  order?: (orderId: string) => Promise<OrderRow | undefined>
  sendCommand?: HttpDeps['sendCommand']
  health?: NonNullable<HttpDeps['health']>
  limits?: NonNullable<HttpDeps['limits']>
}

const scripted = (script: Script) => {
  const waiters = new Waiters(systemClock, script.waitersMax ?? 10)
  const state = script.state ?? 'following'
  const rows: Readonly<Record<string, ((key: string) => Promise<object | undefined>) | undefined>> = {
    orders: script.order,
    stock: async (sku) => ({ sku, name: sku, priceCents: 100, onHand: 1, reserved: 0, isSet: true })
  }
  const view: ViewQuery = {
    row: (of, key) => (rows[of.name]?.(key) ?? Promise.resolve(undefined)) as Promise<never>,
    list: async () => ({ rows: [], next: undefined }),
    count: async () => [],
    whenRow: (of, key, _, wait) => waiters.row(of, key, () => true, wait),
    whenAnswered: (commandId, timeoutMs) => waiters.answer(commandId, timeoutMs),
    whenSeen: (marks, timeoutMs) => waiters.position(marks, () => false, timeoutMs),
    follows: () => true,
    beyondEnd: async () => undefined,
    state: () => state,
    isStalled: () => false,
    progress: () => script.progress ?? { done: 0, of: 0, secondsLeft: undefined },
    health: () => ({
      isCaughtUp: state !== 'catching-up',
      failure: state === 'failed' ? 'the disk is gone' : undefined,
      storeFailure: 'no space left',
      stalledBy: undefined,
      skippedCount: 2,
      waiterCount: waiters.count,
      changedRowCount: 0,
      space: { bytes: 4096, freeBytes: 8192 },
      positions: { 'order-events/0': 7 }
    })
  }
  const lines: string[] = []
  const http = createHttp({
    view,
    sendCommand: script.sendCommand ?? (async () => undefined),
    definitions: { list: () => [], get: () => undefined, graph: () => undefined },
    ...(script.health === undefined ? {} : { health: script.health }),
    clock: systemClock,
    routes: shopRoutes({ flow: 'orchestration' }),
    logLevel: 'warn',
    logStream: { write: (line) => void lines.push(line) },
    limits: { answerTimeoutMs: 1, ...script.limits }
  })
  return { http, waiters, lines }
}

const problem = async (response: Awaited<ReturnType<typeof get>>) => {
  const { code, detail, requestId } = response.json<{ code: string; detail: string; requestId?: string }>()
  return { status: response.statusCode, retryAfter: response.headers['retry-after'], code, detail, requestId }
}

test('an order that is not confirmed in time may still be placed, and the answer says how to find out', async (t) => {
  const { http, waiters, lines } = scripted({})
  const response = await post(http, '/orders', orderBody())
  const { detail, requestId, ...rest } = await problem(response)
  t.deepEqual(rest, { status: 503, retryAfter: '1', code: 'PARCOMOLO_HTTP_OUTCOME_UNKNOWN' })
  t.regex(detail, /^no answer came in time; the order may still be placed, so look for it at '\/orders\/[0-9a-f]{32}'/)
  t.is(lines.length, 1)
  t.true(lines[0]?.includes(String(requestId)))
  t.is(waiters.count, 0)
  const repeatable = await post(http, '/orders', orderBody(), { 'idempotency-key': 'k' })
  t.regex((await problem(repeatable)).detail, /repeat the request with the same Idempotency-Key, which is safe$/)
})

test('an order that the log does not take is answered at once, with the reason', async (t) => {
  const full = async (): Promise<never> => {
    throw new Error('no space left on the disk')
  }
  const { http, waiters } = scripted({ sendCommand: full })
  for (const response of [await post(http, '/orders', orderBody()), await put(http, '/stock/x', stock)]) {
    const { code, detail } = await problem(response)
    t.is(code, 'PARCOMOLO_HTTP_OUTCOME_UNKNOWN')
    t.regex(detail, /^the log did not take it: no space left on the disk; /)
  }
  t.is(waiters.count, 0)
})

const stock = { name: 'X', priceCents: 1, onHand: 1 }

test('a cancellation and a setting of stock that are not answered say that a repeat is safe', async (t) => {
  const order = async (orderId: string): Promise<OrderRow> => ({ ...emptyOrder(orderId), placedAt: 1 })
  const { http } = scripted({ order })
  for (const response of [await post(http, '/cancelOrder', { orderId: 'o1' }), await put(http, '/stock/x', stock)]) {
    const { status, detail } = await problem(response)
    t.is(status, 503)
    t.is(detail, 'no answer came in time; it may still be carried out, and to repeat the request is safe')
  }
})

test('what the read model knows to be final is answered without a command', async (t) => {
  let sent = 0
  const sendCommand = async (): Promise<void> => void sent++
  const order = async (orderId: string): Promise<OrderRow> => ({
    ...emptyOrder(orderId),
    placedAt: 1,
    status: 'COMPLETED',
    ownStatus: 'COMPLETED',
    requestHash: 'of another body'
  })
  const { http } = scripted({ order, sendCommand })
  t.is((await post(http, '/cancelOrder', { orderId: 'o1' })).statusCode, 409)
  const repeated = await post(http, '/orders', orderBody(), { 'idempotency-key': 'k' })
  t.is((await problem(repeated)).code, 'PARCOMOLO_HTTP_IDEMPOTENCY_KEY_REUSED')
  t.is(sent, 0)
})

test('when as many wait as may wait, the next is sent away, and its command is not sent', async (t) => {
  let sent = 0
  const sendCommand = async (): Promise<void> => void sent++
  const { http, waiters } = scripted({ waitersMax: 1, sendCommand })
  const first = waiters.answer('c1', 60_000)
  const { status, code, retryAfter } = await problem(await post(http, '/orders', orderBody()))
  t.deepEqual([status, code, retryAfter, sent], [503, 'PARCOMOLO_VIEW_WAITERS_EXHAUSTED', '1', 0])
  first.cancel()
})

test('while the log takes nothing, commands beyond a bound are refused at once', async (t) => {
  const stuck = { commands: [] as OutgoingCommand[], letGo: Promise.withResolvers<void>() }
  const sendCommand = (command: OutgoingCommand): Promise<void> => {
    stuck.commands.push(command)
    return stuck.letGo.promise
  }
  const { http, waiters, lines } = scripted({ sendCommand, waitersMax: 500, limits: { commandsInFlightMax: 20 } })
  const flood = Array.from({ length: 100 }, () => post(http, '/orders', orderBody()))
  flood.push(...Array.from({ length: 100 }, () => put(http, '/stock/x', stock)))
  const answers = await Promise.all((await Promise.all(flood)).map(problem))
  const byCode = Object.groupBy(answers, ({ code }) => code)
  t.is(stuck.commands.length, 20, 'no more were handed to the log')
  t.is(byCode['PARCOMOLO_HTTP_OUTCOME_UNKNOWN']?.length, 20, 'whoever waits for the log is answered in time')
  const refused = byCode['PARCOMOLO_HTTP_OVERLOADED'] ?? []
  t.is(refused.length, 180)
  t.deepEqual(refused[0], {
    status: 503,
    retryAfter: '1',
    code: 'PARCOMOLO_HTTP_OVERLOADED',
    detail:
      '20 commands are already on their way to the log, which is the limit (commandsInFlightMax); ' +
      'nothing was taken, so repeat the request shortly',
    requestId: undefined
  })
  t.is(waiters.count, 0, 'nobody waits any longer')
  t.is(lines.length, 20, 'what is refused is counted, not logged')
  t.regex((await get(http, '/metrics')).body, /^parcomolo_http_commands_in_flight 20$/m)

  const again = await problem(await post(http, '/orders', orderBody()))
  t.is(again.code, 'PARCOMOLO_HTTP_OVERLOADED', 'those that were answered are still on their way')
  stuck.letGo.resolve()
  const later = await problem(await post(http, '/orders', orderBody()))
  t.is(later.code, 'PARCOMOLO_HTTP_OUTCOME_UNKNOWN', 'the log has taken them, and gets the next one')
  t.is(stuck.commands.length, 21)
})

test('a position that is not reached in time is an answer too', async (t) => {
  const { http } = scripted({})
  const response = await get(http, '/orders', { 'parcomolo-position': 'order-events/0@99' })
  t.is((await problem(response)).code, 'PARCOMOLO_HTTP_POSITION_NOT_REACHED')
})

test('before the view has caught up, nothing of it is shown', async (t) => {
  const { http } = scripted({ state: 'catching-up' })
  for (const url of ['/orders/o1', '/orders', '/stock', '/sagas'])
    t.is((await problem(await get(http, url))).code, 'PARCOMOLO_HTTP_NOT_READY', url)
  t.is((await get(http, '/healthz')).statusCode, 200)
  t.is((await get(http, '/')).statusCode, 200)
  const ready = await get(http, '/readyz')
  t.is(ready.statusCode, 503)
  t.is(jsonOf(ready)['status'] as unknown, 'failing')
})

test('while the disk takes no writes, nothing new is taken, at once; what is there can be read', async (t) => {
  const sent: unknown[] = []
  const health = () => [{ name: 'log', ok: false, detail: 'no space left on device' }]
  const { http } = scripted({ health, sendCommand: async (command) => void sent.push(command) })
  for (const answer of [
    await post(http, '/orders', orderBody()),
    await post(http, '/cancelOrder', { orderId: 'o1' }),
    await put(http, '/stock/pen', { name: 'Pen', priceCents: 1, onHand: 1 })
  ]) {
    t.deepEqual(await problem(answer), {
      status: 503,
      retryAfter: '1',
      code: 'PARCOMOLO_HTTP_NOT_READY',
      detail: "nothing new is taken while the log is failing; '/readyz' says why; try again shortly",
      requestId: undefined
    })
  }
  t.deepEqual(sent, [])
  t.is((await get(http, '/orders')).statusCode, 200)
})

test('readiness tells why a view has stopped; a store that refuses writes does not make it unready', async (t) => {
  const failed = await get(scripted({ state: 'failed' }).http, '/readyz')
  t.is(failed.statusCode, 503)
  t.regex(String(jsonOf(failed)['checks']?.[0]?.['detail']), /^the disk is gone; /)
  const following = await get(scripted({}).http, '/readyz')
  t.is(following.statusCode, 200)
  t.is(
    String(jsonOf(following)['checks']?.[0]?.['detail']),
    'follows the journals; its store fails: no space left; 2 records could not be decoded and are missing'
  )
})

test('what nobody has foreseen is logged under a request id, and shows nothing to the user', async (t) => {
  const order = async (): Promise<never> => {
    throw new TypeError('secret inside')
  }
  const { http, lines } = scripted({ order })
  const response = await get(http, '/orders/o1')
  const { status, code, requestId } = await problem(response)
  t.deepEqual([status, code], [500, 'PARCOMOLO_HTTP_INTERNAL'])
  t.false(response.body.includes('secret'))
  const logged = lines.find((line) => line.includes('secret inside'))
  t.true(logged?.includes(String(requestId)))
})

test('a client that goes away frees its place among those who wait', async (t) => {
  const { http, waiters } = scripted({})
  await http.listen({ host: '127.0.0.1', port: 0 })
  try {
    const { port } = http.server.address() as AddressInfo
    const client = new AbortController()
    const request = fetch(`http://127.0.0.1:${port}/orders/o1?wait=60s`, { signal: client.signal })
    await arrival(http, waiters)
    client.abort()
    await t.throwsAsync(request, { name: 'AbortError' })
    await departure(waiters)
    t.is(waiters.count, 0)
  } finally {
    await http.close()
  }
})

const turns = async (isOver: () => boolean): Promise<void> => {
  while (!isOver()) await new Promise((resolve) => void setImmediate(resolve))
}
const arrival = async (http: FastifyInstance, waiters: Waiters): Promise<void> => {
  await once(http.server, 'request')
  await turns(() => waiters.count === 1)
}
const departure = (waiters: Waiters): Promise<void> => turns(() => waiters.count === 0)

test('a server that closes lets go of those whom it only keeps waiting', async (t) => {
  const { http, waiters } = scripted({})
  await http.listen({ host: '127.0.0.1', port: 0 })
  const { port } = http.server.address() as AddressInfo
  const request = fetch(`http://127.0.0.1:${port}/orders/o1?wait=60s`)
  await arrival(http, waiters)
  await http.close()
  t.is((await request).status, 404)
})

test('metrics show requests by route, and the state of the view', async (t) => {
  const { http } = scripted({})
  await get(http, '/orders/o1')
  await get(http, '/orders/o2')
  const { body, headers } = await get(http, '/metrics')
  t.regex(String(headers['content-type']), /^text\/plain/)
  t.regex(
    body,
    /^parcomolo_http_request_duration_seconds_count\{method="GET",route="\/orders\/:orderId",status="404"\} 2$/m
  )
  t.regex(body, /^parcomolo_view_position\{place="order-events\/0"\} 7$/m)
  t.regex(body, /^parcomolo_view_store_bytes 4096$/m)
  t.regex(body, /^parcomolo_view_volume_free_bytes 8192$/m)
  t.regex(body, /^parcomolo_view_skipped_records 2$/m)
  t.regex(body, /^process_cpu_seconds_total /m)
})
