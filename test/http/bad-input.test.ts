import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { LightMyRequestResponse } from 'fastify'
import { type RunningShop, startShop } from '../helpers/running-shop.ts'
import { get, jsonOf, orderBody, post, put } from './requests.ts'

let shop: RunningShop
test.before(async () => {
  shop = await startShop('orchestration')
})
test.after.always(() => shop.stop())

type Problem = { status: number; code: string; detail: string; errors?: { path: string; message: string }[] }

/** Every refusal has the form of RFC 9457, leads to its explanation, and shows nothing of the inside. */
const problemOf = async (
  t: { is: (a: unknown, b: unknown) => void },
  response: LightMyRequestResponse
): Promise<Problem> => {
  t.is(response.headers['content-type'], 'application/problem+json; charset=utf-8')
  const problem = response.json<Problem & { type: string; title: string; instance: string }>()
  t.is(problem.status, response.statusCode)
  t.is(problem.type, `/errors/${problem.code}`)
  t.is(typeof problem.title, 'string')
  t.is(typeof problem.instance, 'string')
  t.is(/node_modules|at .*\.[jt]s:\d+/.test(response.body), false)
  t.is((await get(shop.http, problem.type)).statusCode, 200)
  return problem
}

const refusesOrder = test.macro({
  exec: async (t, changes: object, ...errors: [path: string, message: string][]) => {
    const response = await post(shop.http, '/orders', orderBody(changes))
    t.is(response.statusCode, 400)
    const problem = await problemOf(t, response)
    t.is(problem.code, 'PARCOMOLO_HTTP_INVALID_REQUEST')
    t.deepEqual(
      problem.errors?.map(({ path, message }) => [path, message]),
      errors
    )
  },
  title: (name) => `POST /orders refuses ${name}`
})

const skuForm = "letters, digits, '.', '_' and '-', a letter or digit first"
const long = 'x'.repeat(300)

test('a negative quantity', refusesOrder, { lines: [{ sku: 'book', quantity: -1 }] }, [
  '/lines/0/quantity',
  "'-1' is too small; expected at least 1"
])
test('a quantity of none', refusesOrder, { lines: [{ sku: 'book', quantity: 0 }] }, [
  '/lines/0/quantity',
  "'0' is too small; expected at least 1"
])
test('an absurd quantity', refusesOrder, { lines: [{ sku: 'book', quantity: 1e300 }] }, [
  '/lines/0/quantity',
  "'1e+300' is too large; expected at most 10000"
])
test('one and a half books', refusesOrder, { lines: [{ sku: 'book', quantity: 1.5 }] }, [
  '/lines/0/quantity',
  "'1.5' is not a whole number"
])
test('a quantity that is a text', refusesOrder, { lines: [{ sku: 'book', quantity: '2' }] }, [
  '/lines/0/quantity',
  "'2' is not a whole number"
])
test('an order of nothing', refusesOrder, { lines: [] }, ['/lines', 'has 0 entries; expected at least 1'])
test('too many lines', refusesOrder, { lines: Array.from({ length: 101 }, () => ({ sku: 'book', quantity: 1 })) }, [
  '/lines',
  'has 101 entries; expected at most 100'
])
test('lines that are no list', refusesOrder, { lines: 'book' }, ['/lines', "'book' is not a list"])
test('a SKU with odd characters', refusesOrder, { lines: [{ sku: '../etc\n', quantity: 1 }] }, [
  '/lines/0/sku',
  `'../etc\\n' is not accepted; expected ${skuForm}`
])
test('a customer id with odd characters', refusesOrder, { customerId: 'a b/c\u0000' }, [
  '/customerId',
  "'a b/c\\u0000' is not accepted; expected letters, digits, '.', '_', '~', '@', ':' and '-', a letter or digit first"
])
test('a token without end', refusesOrder, { paymentToken: long }, [
  '/paymentToken',
  `'${long.slice(0, 80)}…' is too long; expected at most 200 characters`
])
for (const voucher of ['SPRING-10', '', 5, { code: 'SPRING-10' }])
  test(`the voucher ${JSON.stringify(voucher)}, as there are none yet`, refusesOrder, { voucher }, [
    '/voucher',
    `${typeof voucher === 'object' ? 'an object' : `'${voucher}'`} is not taken; there are no vouchers yet; leave it out`
  ])
test('an address by its id, as none are kept yet', refusesOrder, { addressId: 'a1' }, [
  '/addressId',
  'is not known here; expected customerId, lines, paymentToken, shippingAddress, voucher'
])
test(
  'members that it does not know',
  refusesOrder,
  { paymentTokn: 'x', zzz: 1 },
  ['/paymentTokn', "is not known here; did you mean 'paymentToken'?"],
  ['/zzz', 'is not known here; expected customerId, lines, paymentToken, shippingAddress, voucher']
)
test(
  'all that is wrong at once',
  refusesOrder,
  { customerId: 5, lines: [{ quantity: 'two' }], shippingAddress: [] },
  ['/customerId', "'5' is not a text"],
  ['/lines/0/sku', 'is missing'],
  ['/lines/0/quantity', "'two' is not a whole number"],
  ['/shippingAddress', 'a list is not an object']
)

test('POST /orders refuses prices that a customer sets', async (t) => {
  const response = await post(shop.http, '/orders', orderBody({ totalCents: 1 }))
  t.is((await problemOf(t, response)).errors?.[0]?.path, '/totalCents')
})

const refuses = test.macro({
  exec: async (
    t,
    request: {
      method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
      url: string
      payload?: string
      headers?: Record<string, string>
    },
    ...[status, code, detail]: [status: number, code: string, detail: RegExp]
  ) => {
    const response = await shop.http.inject({ method: 'POST', ...request })
    t.is(response.statusCode, status)
    const problem = await problemOf(t, response)
    t.is(problem.code, `PARCOMOLO_HTTP_${code}`)
    t.regex(problem.detail + (problem.errors ?? []).map(({ path, message }) => ` ${path} ${message}`).join(), detail)
  },
  title: (name) => `refuses ${name}`
})

const json = { 'content-type': 'application/json' }
const orders = { url: '/orders', headers: json }
test('malformed JSON', refuses, { ...orders, payload: '{"lines": [' }, 400, 'MALFORMED_JSON', /not JSON/)
test('an empty body', refuses, { ...orders, payload: '' }, 400, 'MALFORMED_JSON', /empty/)
test('no body at all', refuses, { url: '/orders' }, 400, 'INVALID_REQUEST', /is not an object/)
test(
  'JSON that is no object',
  refuses,
  { ...orders, payload: '[1]' },
  400,
  'INVALID_REQUEST',
  /a list is not an object/
)
test(
  'a poisoned prototype',
  refuses,
  { ...orders, payload: '{"__proto__": {"a": 1}}' },
  400,
  'MALFORMED_JSON',
  /not JSON/
)
test(
  'deep nesting',
  refuses,
  { ...orders, payload: `{"lines":${'['.repeat(30_000)}${']'.repeat(30_000)}}` },
  400,
  'INVALID_REQUEST',
  /a list is not an object/
)
test(
  'thirty thousand faults',
  refuses,
  { ...orders, payload: `{"lines":[${'0,'.repeat(30_000)}0]}` },
  400,
  'INVALID_REQUEST',
  /more of this kind/
)
test(
  'a body that is too large',
  refuses,
  { ...orders, payload: `{"a": "${'x'.repeat(70_000)}"}` },
  413,
  'BODY_TOO_LARGE',
  /64 KiB/
)
test(
  'another content type',
  refuses,
  { url: '/orders', payload: 'a=1', headers: { 'content-type': 'text/plain' } },
  415,
  'UNSUPPORTED_MEDIA_TYPE',
  /'text\/plain'.*application\/json/
)
test(
  'a cancellation without an order',
  refuses,
  { url: '/cancelOrder', headers: json, payload: '{}' },
  400,
  'INVALID_REQUEST',
  /\/orderId is missing/
)
test(
  'an unknown path',
  refuses,
  { url: '/order', method: 'GET' },
  404,
  'NOT_FOUND',
  /'\/order'; did you mean '\/orders'\?/
)
test(
  'an unknown method',
  refuses,
  { url: '/orders/o1', method: 'DELETE' },
  405,
  'METHOD_NOT_ALLOWED',
  /expected GET or HEAD/
)
test(
  'an operator action that is yet to come',
  refuses,
  { url: '/sagas/order/o1/retry', headers: json, payload: '{}' },
  404,
  'NOT_FOUND',
  /there is nothing/
)
test(
  'an unknown order',
  refuses,
  { url: '/orders/o%20%2F%0A1', method: 'GET' },
  404,
  'NOT_FOUND',
  /there is no order 'o \/\\n1'/
)
test('an unknown SKU', refuses, { url: '/stock/bok', method: 'GET' }, 404, 'NOT_FOUND', /'bok'/)
test(
  'an unknown saga',
  refuses,
  { url: '/definitions/oder', method: 'GET' },
  404,
  'NOT_FOUND',
  /did you mean 'order'\?/
)
test(
  'a graph of an unknown revision',
  refuses,
  { url: '/definitions/order/graph?revision=r0', method: 'GET' },
  404,
  'NOT_FOUND',
  /no revision 'r0'/
)
test('an unknown instance', refuses, { url: '/sagas/order/o1', method: 'GET' }, 404, 'NOT_FOUND', /key 'o1'/)
test(
  'an unknown error code',
  refuses,
  { url: '/errors/PARCOMOLO_HTTP_NOT_FOUN', method: 'GET' },
  404,
  'NOT_FOUND',
  /did you mean 'PARCOMOLO_HTTP_NOT_FOUND'\?/
)
test(
  'a path that is no UTF-8',
  refuses,
  { url: '/orders/%E0%A4%A', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /percent-encoded/
)
test('an id without end', refuses, { url: `/orders/${long}`, method: 'GET' }, 400, 'INVALID_REQUEST', /too long/)
test(
  'a bad limit',
  refuses,
  { url: '/orders?limit=0', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /limit '0' is too small/
)
test(
  'a limit that is no number',
  refuses,
  { url: '/orders?limit=many', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /limit 'many' is not a whole number/
)
test(
  'a bad cursor',
  refuses,
  { url: '/orders?cursor=eyJ9', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /cursor 'eyJ9' is none/
)
test(
  'an unknown status',
  refuses,
  { url: '/orders?status=DONE', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /status 'DONE' is not known/
)
test(
  'an unknown filter',
  refuses,
  { url: '/orders?custmerId=c', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /did you mean 'customerId'\?/
)
test(
  'a wait that is too long',
  refuses,
  { url: '/orders/o1?wait=2m', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /wait '2m'.*at most 60s/
)
test(
  'a wait that is no duration',
  refuses,
  { url: '/orders/o1?wait=soon', method: 'GET' },
  400,
  'INVALID_REQUEST',
  /like '10s'/
)
test(
  'a position that is none',
  refuses,
  { url: '/orders', method: 'GET', headers: { 'parcomolo-position': 'here' } },
  400,
  'INVALID_REQUEST',
  /Parcomolo-Position 'here' is none/
)
test(
  'a position of another topic',
  refuses,
  { url: '/orders', method: 'GET', headers: { 'parcomolo-position': 'x/0@1' } },
  400,
  'INVALID_REQUEST',
  /'x\/0@1' is none/
)
test(
  'an Idempotency-Key without end',
  refuses,
  { ...orders, payload: JSON.stringify(orderBody()), headers: { ...json, 'idempotency-key': long } },
  400,
  'INVALID_REQUEST',
  /idempotency-key .*at most 255/
)
test(
  'an Idempotency-Key that cannot be printed',
  refuses,
  { ...orders, payload: JSON.stringify(orderBody()), headers: { ...json, 'idempotency-key': 'caf\u00e9' } },
  400,
  'INVALID_REQUEST',
  /expected printable ASCII/
)

test('POST /orders refuses an unknown SKU with the one that is meant, for each line', async (t) => {
  const lines = ['bok', 'book', 'quite-another'].map((sku) => ({ sku, quantity: 1 }))
  const response = await post(shop.http, '/orders', orderBody({ lines }))
  t.is(response.statusCode, 422)
  const problem = await problemOf(t, response)
  t.is(problem.code, 'PARCOMOLO_HTTP_UNKNOWN_SKU')
  t.deepEqual(problem.errors, [
    { path: '/lines/0/sku', message: "unknown SKU 'bok'; did you mean 'book'?" },
    { path: '/lines/2/sku', message: "unknown SKU 'quite-another'; '/stock' lists those that there are" }
  ])
})

test('POST /orders refuses a total beyond what whole numbers hold', async (t) => {
  await put(shop.http, '/stock/moon', { name: 'Moon', priceCents: 1_000_000_000_000, onHand: 1 })
  const response = await post(shop.http, '/orders', orderBody({ lines: [{ sku: 'moon', quantity: 9_008 }] }))
  t.is(response.statusCode, 422)
  t.is((await problemOf(t, response)).code, 'PARCOMOLO_HTTP_TOTAL_TOO_LARGE')
  const just = await post(shop.http, '/orders', orderBody({ lines: [{ sku: 'moon', quantity: 9_007 }] }))
  t.is(Number(jsonOf(just)['totalCents']), 9_007_000_000_000_000)
})

test('PUT /stock refuses what is no stock', async (t) => {
  const response = await put(shop.http, '/stock/no%20spaces', { name: '', priceCents: -1, onHand: 1.5 })
  t.is(response.statusCode, 400)
  t.is((await problemOf(t, response)).errors?.[0]?.path, 'sku')
  const body = await put(shop.http, '/stock/fine', { name: '', priceCents: -1, onHand: 1.5, sku: 'other' })
  const paths = (await problemOf(t, body)).errors?.map(({ path }) => path)
  t.deepEqual(paths, ['/sku', '/name', '/priceCents', '/onHand'])
})

test('a method that a path does not take is told those that it does', async (t) => {
  const response = await shop.http.inject({ method: 'PUT', url: '/orders' })
  t.is(response.statusCode, 405)
  t.deepEqual(String(response.headers['allow']).split(', ').toSorted(), ['GET', 'HEAD', 'POST'])
})

test('bytes that are not HTTP are answered as a problem, and the connection is closed', async (t) => {
  await shop.http.listen({ host: '127.0.0.1', port: 0 })
  const { port } = shop.http.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (bytes) => (answer += bytes.toString()))
  socket.write('hello, is anybody there?\r\n\r\n')
  await once(socket, 'close')
  t.regex(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.regex(answer, /application\/problem\+json[\s\S]*PARCOMOLO_HTTP_INVALID_REQUEST/)
})

test('of many names that are not known, only the first is compared with those that are', async (t) => {
  const lines = ['bokk', 'lmap'].map((sku) => ({ sku, quantity: 1 }))
  const unknown = await problemOf(t, await post(shop.http, '/orders', orderBody({ lines })))
  t.deepEqual(
    unknown.errors?.map(({ message }) => message),
    ["unknown SKU 'bokk'; did you mean 'book'?", "unknown SKU 'lmap'; '/stock' lists those that there are"]
  )
  const { errors } = await problemOf(t, await post(shop.http, '/orders', orderBody({ paymentTokn: 1, customerIdd: 1 })))
  t.regex(errors?.[0]?.message ?? '', /did you mean 'paymentToken'/)
  t.notRegex(errors?.[1]?.message ?? 'did you mean', /did you mean/)
})
