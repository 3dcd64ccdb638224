import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type RunningShop, startShop } from '../helpers/running-shop.ts'
import { get, orderBody, post } from './requests.ts'

let shop: RunningShop
let port: number
const lines: string[] = []
test.before(async () => {
  shop = await startShop('orchestration', {
    logLevel: 'warn',
    logStream: { write: (line: string) => void lines.push(line) }
  })
  await shop.http.listen({ host: '127.0.0.1', port: 0 })
  ;({ port } = shop.http.server.address() as AddressInfo)
})
test.after.always(() => shop.stop())

type Answer = { readonly status: number; readonly headers: string; readonly body: string }

/** What a request as it stands is answered with, over a connection of its own. */
const said = async (text: string | Buffer): Promise<Answer> => {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (bytes) => (answer += bytes.toString()))
  socket.write(text)
  await once(socket, 'close')
  const [headers = '', body = ''] = answer.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1]), headers: headers.toLowerCase(), body }
}

type Told = [status: number, code: string, instance: string]

const isProblem = (t: ExecutionContext, { status, headers, body }: Answer, told: Told): void => {
  const problem = JSON.parse(body) as Record<string, unknown>
  t.deepEqual([status, problem['code'], problem['instance']], [told[0], `PARCOMOLO_HTTP_${told[1]}`, told[2]])
  t.is(problem['status'], told[0])
  t.regex(headers, /content-type: application\/problem\+json/)
  t.regex(headers, /x-content-type-options: nosniff/)
}

const refuses = test.macro({
  exec: async (t, text: string, ...told: Told) => isProblem(t, await said(text), told),
  title: (name) => `refuses ${name} with a problem`
})

const get1 = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Connection: close', ...headers, '', ''].join('\r\n')
const host = 'Host: localhost'
const long = 'x'.repeat(301)
const json = 'Content-Type: application/json'

test('two Host headers', refuses, get1('/stock', host, host), 400, 'INVALID_REQUEST', '/stock')
test('no Host header', refuses, get1('/stock'), 400, 'INVALID_REQUEST', '/stock')
test('an expectation', refuses, get1('/stock', host, 'Expect: tea'), 417, 'EXPECTATION_FAILED', '/stock')
test('a part of a path without end', refuses, get1(`/orders/${long}`, host), 414, 'URI_TOO_LONG', `/orders/${long}`)
test('a path out of a folder', refuses, get1('/docs/static/%2e%2e/x', host), 403, 'FORBIDDEN', '/docs/static/%2e%2e/x')
test('a NUL in a path', refuses, get1('/docs/static/%00', host), 403, 'FORBIDDEN', '/docs/static/%00')
test('a file that is not there', refuses, get1('/docs/static/x.js', host), 404, 'NOT_FOUND', '/docs/static/x.js')
test(
  'a method that nobody has',
  refuses,
  `QUERY / HTTP/1.1\r\n${host}\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`,
  400,
  'INVALID_REQUEST',
  '/'
)
test(
  'headers without end',
  refuses,
  get1('/stock', host, `X: ${'x'.repeat(20_000)}`),
  431,
  'HEADERS_TOO_LARGE',
  '/stock'
)
for (const encoding of ['gzip', 'x', 'br, gzip']) {
  const text = `POST /orders HTTP/1.1\r\n${host}\r\n${json}\r\nConnection: close\r\nContent-Encoding: ${encoding}`
  const told: Told = [415, 'UNSUPPORTED_MEDIA_TYPE', '/orders']
  test(`a body in ${encoding}`, refuses, `${text}\r\nContent-Length: 2\r\n\r\n{}`, ...told)
}

test('a body that is no UTF-8 is refused, not mended', async (t) => {
  const body = Buffer.from(JSON.stringify(orderBody({ paymentToken: 'tok_?' })))
  body[body.indexOf('?')] = 0xff
  const headers = [host, json, 'Connection: close', `Content-Length: ${body.length}`]
  const head = ['POST /orders HTTP/1.1', ...headers, '', ''].join('\r\n')
  isProblem(t, await said(Buffer.concat([Buffer.from(head), body])), [400, 'MALFORMED_JSON', '/orders'])
})

test('half a surrogate pair and NUL are refused with their place, a whole pair is not', async (t) => {
  const { shippingAddress } = orderBody() as { shippingAddress: object }
  const named = (name: string) => orderBody({ shippingAddress: { ...shippingAddress, name } })
  for (const name of ['a\ud83d', '\ude00b', 'a\u0000b']) {
    const refused = await post(shop.http, '/orders', named(name))
    t.is(refused.statusCode, 400)
    t.is(refused.json<{ errors: { path: string }[] }>().errors[0]?.path, '/shippingAddress/name')
  }
  t.is((await post(shop.http, '/orders', named('Ada \u{1f600}'))).statusCode, 201)
  t.is((await get(shop.http, '/orders/a%00b')).statusCode, 400)
})

test('browsers are told to keep nothing about persons, and to run and frame nothing', async (t) => {
  const { orderId } = (await post(shop.http, '/orders', orderBody())).json<{ orderId: string }>()
  for (const url of ['/', '/orders', `/orders/${orderId}`, `/sagas/order/${orderId}`, '/nowhere', '/docs', '/stock']) {
    const { headers } = await get(shop.http, url)
    t.is(headers['x-content-type-options'], 'nosniff', url)
    t.is(headers['x-frame-options'], 'DENY', url)
    t.is(headers['referrer-policy'], 'no-referrer', url)
    t.regex(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/, url)
    if (url !== '/docs') t.is(headers['cache-control'], 'no-store', url)
  }
})

test('the pages of the documentation need nothing that the policy forbids', async (t) => {
  const { body, headers } = await get(shop.http, '/docs')
  t.regex(String(headers['content-security-policy']), /script-src 'self'/)
  const scripts = [...body.matchAll(/<script([^>]*)>([^<]*)/g)]
  t.true(scripts.length > 0)
  for (const [, attributes = '', script = ''] of scripts) {
    t.regex(attributes, /src="\.?\//)
    t.is(script.trim(), '')
  }
})

test('a request that is refused for its own fault leaves no line', async (t) => {
  for (const url of [`/orders/${long}`, '/docs/static/%2e%2e/x', '/nowhere', '/orders?limit=0'])
    t.true((await get(shop.http, url)).statusCode < 500)
  t.deepEqual(lines, [])
})
