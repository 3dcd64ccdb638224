import test from 'ava'
import { errorCodes, systemClock } from '../../src/base/index.ts'
import { preferredType } from '../../src/http/accept.ts'
import { formatCursor, parseCursor } from '../../src/http/cursor.ts'
import { createHttp } from '../../src/http/index.ts'
import { aboutShop, shopRoutes } from '../../src/shop/index.ts'
import type { ViewQuery } from '../../src/view/index.ts'
import { get } from './requests.ts'

type Answer = { description: string; content?: Record<string, { schema?: object }> }
type Operation = {
  summary: string
  tags: string[]
  parameters?: { name: string; in: string; required?: boolean }[]
  requestBody?: { content: Record<string, { schema: { example?: object; examples?: object } }> }
  responses: Record<string, Answer>
}
type Document = {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

/** No request of these tests goes further than the routes. */
const http = createHttp({
  view: { state: () => 'following' } as unknown as ViewQuery,
  sendCommand: async () => undefined,
  definitions: { list: () => [], get: () => undefined, graph: () => undefined },
  clock: systemClock,
  about: aboutShop('orchestration'),
  routes: shopRoutes({ flow: 'orchestration' }),
  logLevel: 'silent'
})
test.after.always(() => http.close())

const documentOf = async (): Promise<Document> => (await get(http, '/openapi.json')).json<Document>()

const documented = async (): Promise<[name: string, operation: Operation][]> =>
  Object.entries((await documentOf()).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation])
  )

test('the document is OpenAPI 3.1 and has every request of the design', async (t) => {
  const { openapi, info } = await documentOf()
  t.is(openapi, '3.1.0')
  t.is(info.title, 'Parcomolo')
  t.deepEqual(
    (await documented()).map(([name]) => name).toSorted(),
    [
      'get /definitions',
      'get /definitions/{saga}',
      'get /definitions/{saga}/graph',
      'get /errors/{code}',
      'get /healthz',
      'get /metrics',
      'get /orders',
      'get /orders/{orderId}',
      'get /readyz',
      'get /sagas',
      'get /sagas/{saga}/{key}',
      'get /stock',
      'get /stock/{sku}',
      'post /cancelOrder',
      'post /orders',
      'put /stock/{sku}'
    ].toSorted()
  )
})

test('every request has a summary, a group, its success and its problems', async (t) => {
  for (const [name, { summary, tags, responses }] of await documented()) {
    t.truthy(summary, name)
    t.is(tags.length, 1, name)
    const statuses = Object.keys(responses)
    t.true(statuses.includes('200') || statuses.includes('201'), name)
    t.true(statuses.includes('500'), name)
    for (const [status, { description, content }] of Object.entries(responses)) {
      t.truthy(description, `${name} ${status}`)
      t.truthy(content, `${name} ${status}`)
    }
  }
})

test('every documented problem is a code that is listed', async (t) => {
  for (const [name, { responses }] of await documented()) {
    for (const [status, answer] of Object.entries(responses)) {
      if (answer.content?.['application/problem+json'] === undefined) continue
      for (const code of answer.description.split(', ')) t.true(code in errorCodes, `${name} ${status} ${code}`)
    }
  }
})

test('every parameter of a path is documented as one, and every body as JSON', async (t) => {
  for (const [name, { parameters = [], requestBody }] of await documented()) {
    const inPath = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const described = parameters.filter((parameter) => parameter.in === 'path')
    t.deepEqual(
      described.map((parameter) => parameter.name),
      inPath as string[],
      name
    )
    t.true(
      described.every(({ required }) => required === true),
      name
    )
    t.is(requestBody !== undefined, /^(post|put) /.test(name), name)
    if (requestBody !== undefined) t.deepEqual(Object.keys(requestBody.content), ['application/json'], name)
  }
})

test('every reference of the document leads somewhere', async (t) => {
  const document = await documentOf()
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1]!)
  t.true(references.length > 0)
  for (const reference of references) {
    let found: unknown = document
    for (const part of reference.split('/')) found = (found as Record<string, unknown> | undefined)?.[part]
    t.truthy(found, reference)
  }
})

test('the pages of the document are there', async (t) => {
  const response = await get(http, '/docs/')
  t.is(response.statusCode, 200)
  t.regex(response.body, /swagger-ui/)
})

test('the way in is a page for people and JSON for machines', async (t) => {
  const page = await get(http, '/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
  t.regex(String(page.headers['content-type']), /^text\/html/)
  t.regex(page.body, /<a href="\/docs">/)
  t.regex((await get(http, '/', { accept: 'application/json' })).body, /"\/docs"/)
})

test('every error code is explained, as JSON and as a page', async (t) => {
  for (const [code, { cause, remedy }] of Object.entries(errorCodes)) {
    t.deepEqual((await get(http, `/errors/${code}`)).json(), { code, cause, remedy })
  }
  const page = await get(http, '/errors/PARCOMOLO_HTTP_CONFLICT', { accept: 'text/html' })
  t.regex(page.body, /<b>Remedy\.<\/b>/)
})

const offered = ['application/json', 'image/svg+xml']
const prefers = test.macro({
  exec: (t, accept: string | undefined, expected: string | undefined) => {
    t.is(preferredType(accept, offered), expected)
  },
  title: (name, accept) => `Accept ${accept ?? 'absent'}: ${name}`
})
test('the first that is offered', prefers, undefined, 'application/json')
test('the one that is named', prefers, 'image/svg+xml', 'image/svg+xml')
test('the one of greater quality', prefers, 'application/json;q=0.5, image/*;q=0.8', 'image/svg+xml')
test('a specific range before a general one', prefers, '*/*, application/json;q=0', 'image/svg+xml')
test('none', prefers, 'text/html', undefined)
test('none for what makes no sense', prefers, ';;;', undefined)

test('a cursor comes back as it was, and any other text is none', (t) => {
  const mark = { at: 1_795_420_800_000, key: 'order/a"b' }
  t.deepEqual(parseCursor(formatCursor(mark)!), mark)
  t.is(formatCursor(undefined), null)
  for (const text of [
    '',
    'x',
    'bnVsbA',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('["a","b"]').toString('base64url')
  ])
    t.is(parseCursor(text), undefined)
})
