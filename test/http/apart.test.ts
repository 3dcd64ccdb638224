import test from 'ava'
import { systemClock } from '../../src/base/index.ts'
import { createHttpApart } from '../../src/http/index.ts'
import { shopRoutes } from '../../src/shop/index.ts'
import type { ViewQuery } from '../../src/view/index.ts'
import { get, jsonOf } from './requests.ts'

test('with a port of its own, only that shows metrics and what the checks say', async (t) => {
  const health = { isCaughtUp: true, waiterCount: 0, skippedCount: 0, changedRowCount: 0, positions: {} }
  const { http, probes } = createHttpApart({
    view: { state: () => 'following', isStalled: () => false, health: () => health } as unknown as ViewQuery,
    sendCommand: async () => undefined,
    definitions: { list: () => [], get: () => undefined, graph: () => undefined },
    health: () => [{ name: 'log', ok: false, detail: 'the disk at /secret/place is full' }],
    ...{ clock: systemClock, routes: shopRoutes({ flow: 'orchestration' }), logLevel: 'silent' }
  })
  t.teardown(() => Promise.all([http.close(), probes.close()]).then(() => undefined))
  const [outside, inside] = [await get(http, '/readyz'), await get(probes, '/readyz')]
  t.is(outside.statusCode, 503)
  t.is(inside.statusCode, 503)
  t.false(outside.body.includes('/secret/place'))
  t.regex(inside.body, /\/secret\/place/)
  t.is((await get(http, '/healthz')).statusCode, 200)
  t.is((await get(probes, '/healthz')).statusCode, 200)
  t.is((await get(http, '/metrics')).statusCode, 404)
  t.regex((await get(probes, '/metrics')).body, /parcomolo_http_orders_in_work/)
  t.is(jsonOf(await get(probes, '/orders'))['code'] as unknown, 'PARCOMOLO_HTTP_NOT_FOUND')
})
