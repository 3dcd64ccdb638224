import test from 'ava'
import type { FastifyInstance } from 'fastify'
import { type RunningShop, startShop } from '../helpers/running-shop.ts'
import { get, jsonOf, orderBody, post } from './requests.ts'

let shop: RunningShop
test.before(async () => {
  shop = await startShop('orchestration', { isLocal: true, idSecret: Buffer.from('of this installation') })
})
test.after.always(() => shop.stop())

const isForbidden = { statusCode: 403, code: 'PARCOMOLO_HTTP_FORBIDDEN' }
const told = async (http: FastifyInstance, headers: Record<string, string>, method: 'GET' | 'POST' = 'POST') => {
  const answer =
    method === 'GET' ? await get(http, '/orders', headers) : await post(http, '/orders', orderBody(), headers)
  return { statusCode: answer.statusCode, code: jsonOf(answer)['code'] as unknown as string }
}

test('on a loopback address only names of this machine are answered', async (t) => {
  for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1', '127.0.0.1:8080', '[::1]', '[::1]:8080'])
    t.is((await told(shop.http, { host }, 'GET')).statusCode, 200, host)
  for (const host of ['rebind.example:8080', 'localhost.example', '127.0.0.1.example', 'xlocalhost', '0.0.0.0']) {
    t.deepEqual(await told(shop.http, { host }, 'GET'), isForbidden, host)
    t.deepEqual(await told(shop.http, { host, origin: `http://${host}` }), isForbidden, host)
  }
})

test('pages of other sites may change nothing there', async (t) => {
  const host = 'localhost:8080'
  for (const headers of [{}, { origin: 'http://localhost:8080' }, { 'sec-fetch-site': 'same-origin' }])
    t.is((await told(shop.http, { host, ...headers })).statusCode, 201)
  for (const origin of ['http://evil.example', 'null', 'http://localhost:3000', 'http://localhost:8080.evil.example'])
    t.deepEqual(await told(shop.http, { host, origin }), isForbidden, origin)
  for (const site of ['cross-site', 'same-site'])
    t.deepEqual(await told(shop.http, { host, 'sec-fetch-site': site }), isForbidden, site)
  t.is((await told(shop.http, { host, origin: 'http://evil.example' }, 'GET')).statusCode, 200)
})

test('an order id follows from the key for the installation alone, and a stranger is not told it', async (t) => {
  const key = { 'idempotency-key': 'cart-17' }
  const first = jsonOf(await post(shop.http, '/orders', orderBody(), key))
  t.deepEqual(jsonOf(await post(shop.http, '/orders', orderBody(), key)), first)
  const { orderId } = first as unknown as { orderId: string }
  const other = await post(shop.http, '/orders', orderBody({ customerId: 'mallory' }), key)
  t.is(other.statusCode, 409)
  t.false(other.body.includes(orderId))
  const elsewhere = await startShop('orchestration', { idSecret: Buffer.from('of another one') })
  t.teardown(() => elsewhere.stop())
  const theirs = jsonOf(await post(elsewhere.http, '/orders', orderBody(), key)) as unknown as { orderId: string }
  t.not(theirs.orderId, orderId)
})
