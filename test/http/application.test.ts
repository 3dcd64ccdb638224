import test, { type ExecutionContext } from 'ava'
import { systemClock } from '../../src/base/index.ts'
import { createHttp, type HealthCheck, type HttpDeps, json, object, type Routes, string } from '../../src/http/index.ts'
import type { ViewQuery } from '../../src/view/index.ts'
import { get, jsonOf, post } from './requests.ts'

/** A trip is booked when somebody says so. */
const trips = (booked: Promise<void>): Routes => ({
  tags: [{ name: 'Trips', description: 'Book a trip' }],
  links: { '/trips': 'trips, newest first', '/nowhere': 'what nobody answers' },
  register: (http) => {
    const schema = { tags: ['Trips'], summary: 'Trips', response: { 200: json('Trips', object({ trip: string })) } }
    const config = { docs: { problems: [] }, isWork: true }
    http.get('/trips', { schema, config: { docs: { problems: [] } } }, async () => ({ trip: 'none yet' }))
    http.post('/trips', { schema, config }, async () => booked.then(() => ({ trip: 't-1' })))
  }
})

const about: NonNullable<HttpDeps['about']> = {
  title: 'An agency on declarative sagas',
  conventions: ['places are IATA codes'],
  facts: { season: 'summer' },
  example: { text: 'Book a trip:', shell: (host) => `curl -X POST ${host}/trips` }
}

const agency = (t: ExecutionContext, own: Partial<HttpDeps> = {}) => {
  const booked = Promise.withResolvers<void>()
  const health = { isCaughtUp: true, waiterCount: 0, skippedCount: 0, changedRowCount: 0, positions: {} }
  const http = createHttp({
    view: { state: () => 'following', isStalled: () => false, health: () => health } as unknown as ViewQuery,
    sendCommand: async () => undefined,
    definitions: { list: () => [], get: () => undefined, graph: () => undefined },
    ...{ about, routes: [trips(booked.promise)], clock: systemClock, logLevel: 'silent' },
    ...own
  })
  t.teardown(() => http.close())
  return { http, book: booked.resolve }
}

test('what an application answers is documented with its groups and conventions, before the engine', async (t) => {
  const document = (await get(agency(t).http, '/openapi.json')).json<{
    info: { description: string }
    tags: { name: string }[]
    paths: object
  }>()
  t.regex(
    document.info.description,
    /^An agency on declarative sagas\. Places are IATA codes, times are RFC 3339 in UTC, /
  )
  t.is(document.tags[0]!.name, 'Trips')
  t.true('/trips' in document.paths && '/sagas' in document.paths && !('/orders' in document.paths))
})

test('the way in shows how an application runs, what it has, and a first request', async (t) => {
  const { http } = agency(t)
  const { season, links } = (await get(http, '/')).json<{ season: string; links: Record<string, string> }>()
  t.is(season, 'summer')
  t.is(links['/trips'], 'trips, newest first')
  t.false('/nowhere' in links)
  const page = await get(http, '/', { accept: 'text/html' })
  t.regex(page.body, /<p>Book a trip:<\/p><pre>curl -X POST localhost:80\/trips<\/pre>/)
})

test('of what a route calls work, no more is begun than is let in, whatever its path', async (t) => {
  const { http, book } = agency(t, { limits: { inWorkMin: 1 } })
  const first = post(http, '/trips', {})
  while (!/^parcomolo_http_orders_in_work 1$/m.test((await get(http, '/metrics')).body));
  t.like(jsonOf(await post(http, '/trips', {})) as unknown, { code: 'PARCOMOLO_HTTP_OVERLOADED' })
  t.is((await get(http, '/trips')).statusCode, 200, 'who only asks takes no place')
  book()
  t.is((await first).statusCode, 200)
  t.is((await post(http, '/trips', {})).statusCode, 200)
})

test('an application that is not well makes the process unready, and what it takes is its own to say', async (t) => {
  const check: HealthCheck = { name: 'weather', ok: false, detail: 'a storm' }
  const { http, book } = agency(t, { applicationHealth: () => [check] })
  book()
  const ready = await get(http, '/readyz')
  t.is(ready.statusCode, 503)
  t.true(ready.json<{ checks: HealthCheck[] }>().checks.some(({ name }) => name === 'weather'))
  t.is((await post(http, '/trips', {})).statusCode, 200)
})
