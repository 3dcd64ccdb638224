import test, { type ExecutionContext } from 'ava'
import { systemClock } from '../../../src/base/index.ts'
import { createHttp, type HealthCheck } from '../../../src/http/index.ts'
import { shopRoutes } from '../../../src/shop/index.ts'
import { Intake } from '../../../src/shop/intake/index.ts'
import { commandSender } from '../../../src/main/commands.ts'
import { stock, viewTopics } from '../../helpers/shop-parts.ts'
import { inventoryPrices } from '../../../src/shop/inventory/index.ts'
import type { PageRequest, Projection, RowWait, ViewProgress, ViewQuery, ViewState } from '../../../src/view/index.ts'
import { Waiters } from '../../../src/view/waiters.ts'
import { type RunningShop, startShop, testIdSecret } from '../../helpers/running-shop.ts'
import { get, jsonOf, orderBody, post, put } from '../../http/requests.ts'

let shop: RunningShop
test.before(async () => {
  shop = await startShop('orchestration')
})
test.after.always(() => shop.stop())

type Script = { state: ViewState | 'stalled'; progress?: ViewProgress; database?: HealthCheck; isStocked?: boolean }

/** The shop's REST interface beside a view that does as the script says, and shows nothing. */
const beside = async (t: ExecutionContext, script: Script) => {
  const { log, codec } = shop
  const waiters = new Waiters(systemClock, 100)
  const positions = shop.view.health().positions
  const view = {
    state: (): ViewState => (script.state === 'stalled' ? 'following' : script.state),
    isStalled: () => script.state === 'stalled',
    progress: () => script.progress ?? { done: 0, of: 0, secondsLeft: undefined },
    health: () => ({ ...shop.view.health(), isCaughtUp: script.state !== 'catching-up' }),
    row: async (of: Projection, key: string) => (of.name === 'orders' ? undefined : shop.view.row(of, key)),
    list: (of: Projection, _: unknown, page: PageRequest) => shop.view.list(of, {}, page),
    whenRow: (of: Projection, key: string, _: unknown, wait: RowWait) => waiters.row(of, key, () => true, wait)
  } as unknown as ViewQuery
  const intake = new Intake({
    ...{ log, codec, clock: systemClock, prices: inventoryPrices },
    topics: [viewTopics.order, viewTopics.stock],
    followedTo: (place) => (script.state === 'catching-up' ? undefined : positions[place]),
    onError: (error) => t.fail(String(error))
  })
  const http = createHttp({
    ...{ view, intake, clock: systemClock, logLevel: 'silent' },
    sendCommand: commandSender(log, codec, systemClock),
    idSecret: Buffer.from(testIdSecret),
    routes: shopRoutes({ flow: 'orchestration', prices: intake, isStocked: async () => script.isStocked ?? true }),
    viewHealth: () => (script.database === undefined ? [] : [script.database]),
    definitions: { list: () => [], get: () => undefined, graph: () => undefined }
  })
  t.teardown(async () => {
    await http.close()
    intake.close()
  })
  return { http, intake, waiters }
}

/** Open, with all prices. */
const building = async (t: ExecutionContext, script: Script = { state: 'catching-up' }) => {
  const stage = await beside(t, script)
  await stage.intake.pricesRead()
  return stage
}

const codeOf = (response: Awaited<ReturnType<typeof get>>) =>
  `${response.statusCode} ${String(jsonOf(response)['code'])}`

for (const state of ['catching-up', 'stalled', 'failed'] as const)
  test(`an order is taken while the view is ${state}, and is durable when it is answered`, async (t) => {
    const { http } = await building(t, { state })
    const response = await post(http, '/orders', orderBody({ lines: [{ sku: 'book', quantity: 2 }] }))
    t.is(response.statusCode, 201)
    const { orderId, ...answer } = response.json<{ orderId: string }>()
    t.deepEqual(answer, { status: 'PENDING', totalCents: 4000, currency: 'EUR' } as never)
    t.is(response.headers['location'], `/orders/${orderId}`)
    const position = String(response.headers['parcomolo-position'])
    t.regex(position, /^order-events\/0@\d+$/)
    t.is((await get(shop.http, `/orders/${orderId}`, { 'parcomolo-position': position })).statusCode, 200)
  })

test('without the view, too, the same key and body are the same order, and another body is refused', async (t) => {
  const { http, intake } = await building(t)
  const key = { 'idempotency-key': 'cart-1' }
  await put(shop.http, '/stock/pen', { name: 'Pen', priceCents: 150, onHand: 100 })
  await priced(intake, 'pen')
  const body = orderBody({ lines: [{ sku: 'pen', quantity: 3 }] })
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(http, '/orders', body, key)))
  const { orderId } = jsonOf(answers[0]!)
  t.like(jsonOf(await get(shop.http, `/orders/${String(orderId)}?wait=20s`)), { status: 'COMPLETED' } as never)
  await put(http, '/stock/pen', { name: 'Pen', priceCents: 999, onHand: 100 })
  answers.push(await post(http, '/orders', body, key), await post(shop.http, '/orders', body, key))
  for (const answer of answers) {
    t.is(answer.statusCode, 201)
    t.deepEqual(answer.json(), { orderId: orderId as never, status: 'PENDING', totalCents: 450, currency: 'EUR' })
  }
  const other = await post(http, '/orders', orderBody({ lines: [{ sku: 'pen', quantity: 4 }] }), key)
  t.is(codeOf(other), '409 PARCOMOLO_HTTP_IDEMPOTENCY_KEY_REUSED')
  const timeline = jsonOf(await get(shop.http, `/orders/${String(orderId)}`))['timeline'] as unknown as {
    type: string
  }[]
  t.false(
    timeline.some(({ type }) => type === 'OrderAlreadyPlaced'),
    'nothing has happened to the order'
  )
})

/** The prices follow the journal by themselves. */
const priced = async (intake: Intake, sku: string): Promise<void> => {
  while (intake.price(sku) === undefined) await new Promise((resolve) => void setImmediate(resolve))
}

test('what is wrong with an order is told without the view as with it', async (t) => {
  const { http } = await building(t)
  const ordered = (sku: string) => post(http, '/orders', orderBody({ lines: [{ sku, quantity: 1 }] }))
  const unknown = await ordered('bok')
  t.is(codeOf(unknown), '422 PARCOMOLO_HTTP_UNKNOWN_SKU')
  t.regex(unknown.body, /did you mean 'book'\?/)
  t.is(codeOf(await post(http, '/orders', {})), '400 PARCOMOLO_HTTP_INVALID_REQUEST')
})

test('an order is cancelled without the view, as often as one likes, and only while it is pending', async (t) => {
  const { http } = await building(t)
  const orderId = String(jsonOf(await post(http, '/orders', orderBody({ paymentToken: 'tok_silent' })))['orderId'])
  for (let i = 0; i < 2; i++) {
    const cancelled = await post(http, '/cancelOrder', { orderId })
    t.deepEqual([cancelled.statusCode, cancelled.json()], [200, { orderId, status: 'CANCELLED' }])
  }
  const paid = String(jsonOf(await post(http, '/orders', orderBody()))['orderId'])
  await get(shop.http, `/orders/${paid}?wait=20s`)
  const refused = await post(http, '/cancelOrder', { orderId: paid })
  t.is(codeOf(refused), '409 PARCOMOLO_HTTP_CONFLICT')
  t.regex(String(jsonOf(refused)['detail']), /is COMPLETED; expected PENDING/)
  t.is(codeOf(await post(http, '/cancelOrder', { orderId: 'nobody' })), '404 PARCOMOLO_HTTP_NOT_FOUND')
})

test('stock is set without the view, and the answer tells all of it', async (t) => {
  const { http, intake } = await building(t)
  const desk = { name: 'Desk', priceCents: 100, onHand: 5 }
  t.deepEqual((await put(http, '/stock/desk', desk)).json(), { sku: 'desk', ...desk, reserved: 0, available: 5 })
  await priced(intake, 'desk')
  const { orderId } = jsonOf(
    await post(http, '/orders', orderBody({ lines: [{ sku: 'desk', quantity: 3 }], paymentToken: 'tok_silent' }))
  )
  while ((await shop.view.row(stock, 'desk'))?.reserved !== 3)
    await new Promise((resolve) => void setImmediate(resolve))
  const again = await put(http, '/stock/desk', { ...desk, onHand: 9 })
  t.deepEqual(again.json(), { sku: 'desk', ...desk, onHand: 9, reserved: 3, available: 6 })
  t.is(codeOf(await put(http, '/stock/desk', { ...desk, onHand: 2 })), '409 PARCOMOLO_HTTP_CONFLICT')
  await post(http, '/cancelOrder', { orderId: String(orderId) })
})

test('reads say how far the view has come, and when it will be right', async (t) => {
  const script: Script = { state: 'catching-up', progress: { done: 250, of: 1000, secondsLeft: 12.3 } }
  const { http } = await beside(t, script)
  const retries: unknown[] = []
  for (const secondsLeft of [12.3, 0.1, 5_000, undefined]) {
    script.progress = { done: 250, of: 1000, secondsLeft }
    const response = await get(http, '/orders')
    t.is(codeOf(response), '503 PARCOMOLO_HTTP_NOT_READY')
    retries.push(response.headers['retry-after'])
    const left = secondsLeft === undefined ? null : Math.ceil(secondsLeft)
    t.deepEqual(jsonOf(response)['progress'] as unknown, { done: 250, of: 1000, secondsLeft: left })
  }
  t.deepEqual(retries, ['13', '1', '60', '1'])
})

test('a process is ready while orders are taken, and whoever wants the view can ask for it', async (t) => {
  const script: Script = { state: 'catching-up', progress: { done: 250, of: 1000, secondsLeft: 12.3 } }
  const { http } = await building(t, script)
  const ready = await get(http, '/readyz')
  t.is(ready.statusCode, 200)
  const detail = 'still folds what was in the journals at the start: 250 of 1000 records, some 13 s left'
  t.deepEqual(jsonOf(ready) as unknown, {
    status: 'ok',
    checks: [
      { name: 'view', ok: false, detail },
      { name: 'intake', ok: true, detail: 'by the journals, without the read model' }
    ]
  })
  const withView = await get(http, '/readyz?view')
  t.is(withView.statusCode, 503)
  t.is(jsonOf(withView)['status'] as unknown, 'failing')
})

test('when neither view nor intake can answer, the process is not ready', async (t) => {
  const { http, intake } = await beside(t, { state: 'catching-up' })
  intake.close()
  t.is((await get(http, '/readyz')).statusCode, 503)
  t.is(codeOf(await post(http, '/orders', orderBody())), '503 PARCOMOLO_HTTP_NOT_READY')
})

test('while the database of the view is away, orders are taken all the same', async (t) => {
  const database = { name: 'database', ok: false, detail: 'it does not answer' }
  const { http } = await building(t, { state: 'following', database })
  t.is((await post(http, '/orders', orderBody())).statusCode, 201)
  t.is((await get(http, '/readyz')).statusCode, 200)
  t.is((await get(http, '/readyz?view')).statusCode, 503)
})

test('who waits for a view that then stands still is told by the intake', async (t) => {
  const script: Script = { state: 'following' }
  const { http, waiters } = await beside(t, script)
  const placing = post(http, '/orders', orderBody(), { 'idempotency-key': 'stands still' })
  while (waiters.count === 0) await new Promise((resolve) => void setImmediate(resolve))
  script.state = 'stalled'
  t.is((await get(http, '/readyz')).statusCode, 503, 'it is being opened')
  const placed = await placing
  t.is(placed.statusCode, 201)
  t.is(waiters.count, 0)
})

test('the intake rests while the view follows, and is there again when that stands still', async (t) => {
  const script: Script = { state: 'catching-up' }
  const { http, intake } = await building(t, script)
  t.true(intake.hasAllPrices)
  script.state = 'following'
  await post(http, '/orders', {})
  await post(http, '/cancelOrder', { orderId: 'nobody' })
  t.false(intake.hasAllPrices)
  script.state = 'stalled'
  await intake.pricesRead()
  t.is((await post(http, '/orders', orderBody())).statusCode, 201)
})

test('no SKU is called unknown before the inventory has begun to work', async (t) => {
  const ordered = orderBody({ lines: [{ sku: 'bok', quantity: 1 }] })
  for (const state of ['following', 'catching-up'] as const) {
    const { http } = await building(t, { state, isStocked: false })
    const early = await post(http, '/orders', ordered)
    t.is(codeOf(early), '503 PARCOMOLO_HTTP_NOT_READY')
    t.is(early.headers['retry-after'], '1')
    t.regex(early.body, /nothing was taken, so try again shortly/)
  }
})
