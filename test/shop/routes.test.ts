import test from 'ava'
import { type RunningShop, startShop } from '../helpers/running-shop.ts'
import { get, jsonOf, orderBody, post, put } from '../http/requests.ts'
import { stock } from '../helpers/shop-parts.ts'
import { sagaRowKey, sagas } from '../../src/view/sagas.ts'

let shop: RunningShop
test.before(async () => {
  shop = await startShop('orchestration')
})
test.after.always(() => shop.stop())

const place = async (changes: object = {}): Promise<string> => {
  const response = await post(shop.http, '/orders', orderBody(changes))
  return String(jsonOf(response)['orderId'])
}

/** The order when it has reached its end. */
const ended = async (orderId: string) => jsonOf(await get(shop.http, `/orders/${orderId}?wait=20s`))

/** Of an order: its own status, and those of stock, payment, shipping and saga. */
const outcome = (order: Awaited<ReturnType<typeof ended>>): string =>
  [order, order['stock'], order['payment'], order['shipping'], order['saga']]
    .map((part) => String(part?.['status']))
    .join(' ')

test('an order that was placed can be read at once, and is completed', async (t) => {
  const response = await post(shop.http, '/orders', orderBody({ lines: [{ sku: 'book', quantity: 2 }] }))
  t.is(response.statusCode, 201)
  const { orderId, ...answer } = response.json<{ orderId: string }>()
  t.deepEqual(answer, { status: 'PENDING', totalCents: 4000, currency: 'EUR' } as never)
  t.is(response.headers['location'], `/orders/${orderId}`)
  t.regex(String(response.headers['parcomolo-position']), /^order-events\/0@\d+$/)
  t.is((await get(shop.http, `/orders/${orderId}`)).statusCode, 200)

  const order = await ended(orderId)
  t.is(outcome(order), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED completed')
  t.like(order, {
    orderId,
    customerId: 'customer-1',
    lines: [{ sku: 'book', quantity: 2, priceCents: 2000 }],
    totalCents: 4000,
    currency: 'EUR',
    saga: { name: 'order', step: null }
  } as never)
  const timeline = order['timeline'] as unknown as { type: string; at: string; topic: string }[]
  t.deepEqual(timeline.map(({ type }) => type).toSorted(), [
    'ItemShipped',
    'OrderCompleted',
    'OrderConfirmed',
    'OrderPlaced',
    'PaymentSucceeded',
    'ShippingScheduled',
    'StockDispatched',
    'StockReserved'
  ])
  t.deepEqual(
    timeline.slice(0, 6).map(({ type }) => type),
    ['OrderPlaced', 'StockReserved', 'PaymentSucceeded', 'OrderConfirmed', 'ShippingScheduled', 'ItemShipped']
  )
  t.regex(timeline[0]!.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('a declined payment ends rejected, with the stock released when the answer comes', async (t) => {
  const order = await ended(await place({ paymentToken: 'tok_declined' }))
  t.is(outcome(order), 'REJECTED RELEASED FAILED PENDING compensated')
})

test('what is out of stock is rejected', async (t) => {
  const order = await ended(await place({ lines: [{ sku: 'unicorn', quantity: 1 }] }))
  t.is(outcome(order), 'REJECTED OUT_OF_STOCK PENDING PENDING compensated')
})

test('the last one is sold once, however many want it at once', async (t) => {
  const orderIds = await Promise.all(
    Array.from({ length: 20 }, () => place({ lines: [{ sku: 'last-one', quantity: 1 }] }))
  )
  const orders = await Promise.all(orderIds.map(ended))
  t.is(orders.filter((order) => String(order['status']) === 'COMPLETED').length, 1)
  t.is(orders.filter((order) => String(order['status']) === 'REJECTED').length, 19)
  t.like(jsonOf(await get(shop.http, '/stock/last-one')), { onHand: 0, reserved: 0, available: 0 } as never)
})

test('an order is cancelled until it is confirmed, as often as one likes, and undone', async (t) => {
  const orderId = await place({ paymentToken: 'tok_silent' })
  for (let i = 0; i < 2; i++) {
    const response = await post(shop.http, '/cancelOrder', { orderId, reason: 'changed my mind' })
    t.is(response.statusCode, 200)
    t.deepEqual(response.json(), { orderId, status: 'CANCELLED' })
  }
  const order = await ended(orderId)
  t.is(`${String(order['status'])} ${String(order['stock']?.['status'])}`, 'CANCELLED RELEASED')
  t.is(String(order['saga']?.['status']), 'compensated')
})

test('a completed order cannot be cancelled, nor one that there is not', async (t) => {
  const orderId = await place()
  await ended(orderId)
  const response = await post(shop.http, '/cancelOrder', { orderId })
  t.is(response.statusCode, 409)
  t.like(response.json(), {
    code: 'PARCOMOLO_HTTP_CONFLICT',
    detail: `order '${orderId}' is COMPLETED; expected PENDING, as what is confirmed can no longer be cancelled`
  })
  const unknown = await post(shop.http, '/cancelOrder', { orderId: 'o-unknown' })
  t.is(unknown.statusCode, 404)
  t.like(unknown.json(), { code: 'PARCOMOLO_HTTP_NOT_FOUND', detail: "there is no order 'o-unknown'" })
})

test('the same Idempotency-Key and body are the same order, at once and after a change of prices', async (t) => {
  await put(shop.http, '/stock/pen', { name: 'Pen', priceCents: 150, onHand: 100 })
  const key = { 'idempotency-key': 'cart 4711 / attempt' }
  const body = orderBody({ lines: [{ sku: 'pen', quantity: 3 }] })
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(shop.http, '/orders', body, key)))
  await ended(String(jsonOf(answers[0]!)['orderId']))
  await put(shop.http, '/stock/pen', { name: 'Pen', priceCents: 999, onHand: 100 })
  answers.push(await post(shop.http, '/orders', { ...body, voucher: null }, key))
  for (const answer of answers) {
    t.is(answer.statusCode, 201)
    t.deepEqual(answer.json(), answers[0]!.json())
    t.is(answer.headers['parcomolo-position'], answers[0]!.headers['parcomolo-position'])
  }
  t.is(Number(jsonOf(answers[0]!)['totalCents']), 450)
})

test('the same Idempotency-Key with another body is refused, also when both come at once', async (t) => {
  const key = { 'idempotency-key': 'cart-4712' }
  const bodies = [1, 2].map((quantity) => orderBody({ lines: [{ sku: 'book', quantity }] }))
  const answers = await Promise.all(bodies.map((body) => post(shop.http, '/orders', body, key)))
  t.deepEqual(answers.map(({ statusCode }) => statusCode).toSorted(), [201, 409])
  const refused = await post(shop.http, '/orders', orderBody({ customerId: 'another' }), key)
  t.is(refused.statusCode, 409)
  t.is(jsonOf(refused)['code'] as unknown, 'PARCOMOLO_HTTP_IDEMPOTENCY_KEY_REUSED')
})

test('stock that was set can be ordered at its price, and not set below what is reserved', async (t) => {
  const set = await put(shop.http, '/stock/chair', { name: 'Chair', priceCents: 7500, onHand: 4 })
  t.is(set.statusCode, 200)
  const chair = { sku: 'chair', name: 'Chair', priceCents: 7500, onHand: 4, reserved: 0, available: 4 }
  t.deepEqual(set.json(), chair)
  const orderId = await place({ lines: [{ sku: 'chair', quantity: 3 }], paymentToken: 'tok_silent' })
  // Reserved, and still unpaid.
  await until('stock-events', async () => (await shop.view.row(stock, 'chair'))?.reserved === 3)
  const refused = await put(shop.http, '/stock/chair', { name: 'Chair', priceCents: 7500, onHand: 2 })
  t.is(refused.statusCode, 409)
  t.is(
    jsonOf(refused)['detail'] as unknown,
    "onHand 2 of SKU 'chair' is below the 3 that are reserved; expected no less"
  )
  t.deepEqual((await get(shop.http, '/stock/chair')).json(), { ...chair, reserved: 3, available: 1 })
  await post(shop.http, '/cancelOrder', { orderId })
})

/** Waits until the view has seen what the test wants to see on this topic. */
const until = async (topic: string, isMet: () => Promise<boolean>): Promise<void> => {
  for (;;) {
    const next = shop.view.health().positions[`${topic}/0`]!
    if (await isMet()) return
    await shop.view.whenSeen([{ topic, partition: 0, offset: next }], 10_000).done
  }
}

test('a position that the log has not come to is refused at once', async (t) => {
  const response = await get(shop.http, '/stock', { 'parcomolo-position': 'stock-events/0@0,stock-events/0@99999' })
  t.is(response.statusCode, 400)
  t.regex(response.body, /beyond the end of the log/)
})

test('a read waits for the position that a write has answered with', async (t) => {
  const response = await put(shop.http, '/stock/table', { name: 'Table', priceCents: 1, onHand: 1 })
  const position = String(response.headers['parcomolo-position'])
  for (const url of ['/stock/table', '/stock', '/orders', '/sagas']) {
    t.is((await get(shop.http, url, { 'parcomolo-position': position })).statusCode, 200, url)
  }
})

test('an order that has not ended in time is answered as it is', async (t) => {
  const orderId = await place({ paymentToken: 'tok_silent' })
  const response = await get(shop.http, `/orders/${orderId}?wait=20ms`)
  t.is(response.statusCode, 200)
  t.is(jsonOf(response)['status'] as unknown, 'PENDING')
  await post(shop.http, '/cancelOrder', { orderId })
})

test('orders are listed newest first, by customer, page by page', async (t) => {
  const placed: string[] = []
  for (let i = 0; i < 5; i++) placed.push(await place({ customerId: 'lister' }))
  const listed: string[] = []
  const times: string[] = []
  let cursor = ''
  do {
    const page = jsonOf(await get(shop.http, `/orders?customerId=lister&limit=2${cursor}`))
    const items = page['items'] as unknown as { orderId: string; timeline: { at: string }[] }[]
    t.true(items.length <= 2)
    listed.push(...items.map(({ orderId }) => orderId))
    times.push(...items.map(({ timeline }) => timeline[0]!.at))
    cursor = page['nextCursor'] === null ? '' : `&cursor=${String(page['nextCursor'])}`
  } while (cursor !== '')
  t.deepEqual(listed.toSorted(), placed.toSorted())
  t.deepEqual(times, times.toSorted().toReversed())
  const nobody = await get(shop.http, '/orders?customerId=nobody&status=COMPLETED')
  t.deepEqual(nobody.json(), { items: [], nextCursor: null })
})

test('a saga instance is shown with all that has happened to it', async (t) => {
  const orderId = await place({ paymentToken: 'tok_declined' })
  await ended(orderId)
  const saga = jsonOf(await get(shop.http, `/sagas/order/${orderId}`))
  t.like(saga, { saga: 'order', key: orderId, status: 'compensated', step: null, parked: null } as never)
  t.is(saga['failure']?.['type'] as unknown, 'PaymentFailed')
  const undone = (saga['timeline'] as unknown as { type: string; undo?: boolean; step: string }[])
    .filter(({ type, undo }) => type === 'CommandIssued' && undo === true)
    .map(({ step }) => step)
  t.deepEqual(undone, ['stock', 'start'])
  const listed = jsonOf(await get(shop.http, `/sagas?key=${orderId}&saga=order&status=compensated`))
  t.is(listed['items']?.length, 1)
  t.false('timeline' in (listed['items']?.[0] ?? {}))
})

test('definitions are listed with the number of their running instances, and drawn as Accept asks', async (t) => {
  const orderId = await place({ paymentToken: 'tok_silent' })
  await until('saga-events', async () => (await shop.view.row(sagas, sagaRowKey('order', orderId))) !== undefined)
  const definition = jsonOf(await get(shop.http, '/definitions/order'))
  const revision = definition['revisions']?.[0]
  t.true(Number(revision?.['running']) >= 1)
  t.is(revision?.['yaml'] as unknown, 'kind: Saga')
  const listed = jsonOf(await get(shop.http, '/definitions'))
  t.is(listed['items']?.[0]?.['saga'] as unknown, 'order')
  t.false('yaml' in (listed['items']?.[0]?.['revisions']?.[0] ?? {}))
  const graph = async (accept: string): Promise<string> => {
    const response = await get(shop.http, '/definitions/order/graph', { accept })
    return `${response.statusCode} ${String(response.headers['content-type'])} ${response.body.slice(0, 12)}`
  }
  t.is(await graph('*/*'), '200 application/json; charset=utf-8 {"nodes":[]}')
  t.is(await graph('image/*'), '200 image/svg+xml; charset=utf-8 <svg/>')
  t.is(await graph('text/vnd.mermaid, */*;q=0.1'), '200 text/vnd.mermaid; charset=utf-8 flowchart TD')
  t.is(await graph('text/plain'), '200 text/plain; charset=utf-8 flowchart TD')
  t.regex(await graph('audio/ogg'), /^406 application\/problem\+json/)
  await post(shop.http, '/cancelOrder', { orderId })
})

test('in choreography the same orders run without a saga', async (t) => {
  const other = await startShop('choreography')
  try {
    const run = async (changes: object) => {
      const response = await post(other.http, '/orders', orderBody(changes))
      return jsonOf(await get(other.http, `/orders/${String(jsonOf(response)['orderId'])}?wait=20s`))
    }
    const completed = await run({})
    t.is(outcome(completed), 'COMPLETED DISPATCHED SUCCEEDED SHIPPED undefined')
    t.is(completed['saga'], null as never)
    t.is(String((await run({ lines: [{ sku: 'unicorn', quantity: 1 }] }))['status']), 'REJECTED')
    const declined = await run({ paymentToken: 'tok_declined' })
    t.is(`${String(declined['status'])} ${String(declined['stock']?.['status'])}`, 'REJECTED RESERVED')
  } finally {
    await other.stop()
  }
})
