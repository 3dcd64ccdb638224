import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { Payment } from '../../src/shop/payment/decider.ts'
import { paymentComponent } from '../../src/shop/payment/index.ts'
import { holds, said, Stage, typesOf } from './stage.ts'

const pay = (token: string, orderId = 'o1', amountCents = 4000) => ({ orderId, amountCents, currency: 'EUR', token })
const paid = { orderId: 'o1', amountCents: 4000, currency: 'EUR' }
/** SHA-256 of 'o1' begins with these digits. */
const paymentId = 'pay_2352da7280f1decc'
const succeeded = { type: 'PaymentSucceeded', value: { ...paid, paymentId } }
const failed = (reason: string) => ({ type: 'PaymentFailed', value: { orderId: 'o1', reason } })
const refunded = (amountCents: number) => ({ type: 'PaymentRefunded', value: { orderId: 'o1', amountCents } })

const stageOf = (flow: 'orchestration' | 'choreography' = 'orchestration'): Stage<Payment> =>
  new Stage(paymentComponent(flow))

test('tok_visa is captured at once', (t) => {
  const events = stageOf().tell('ProcessPayment', pay('tok_visa'), { id: 'c1' })
  t.deepEqual(events, [{ key: 'o1', ...succeeded, causationId: 'c1' }])
})

for (const [token, reason] of [
  ['tok_declined', 'declined'],
  ['tok_nonsense', 'unknown token'],
  ['', 'unknown token'],
  ['constructor', 'unknown token']
] as const) {
  test(`the token '${token}' fails as ${reason}`, (t) => {
    t.deepEqual(said(stageOf().tell('ProcessPayment', pay(token))), [failed(reason)])
  })
}

test('a negative amount fails, nothing to pay succeeds', (t) => {
  t.deepEqual(said(stageOf().tell('ProcessPayment', pay('tok_visa', 'o1', -1))), [failed('negative amount')])
  t.deepEqual(typesOf(stageOf().tell('ProcessPayment', pay('tok_visa', 'o1', 0))), ['PaymentSucceeded'])
})

test('tok_slow is pending, and captured two seconds later in answer to its command', (t) => {
  const stage = stageOf()
  const pending = { type: 'PaymentPending', value: { ...paid, captureAt: 1_002_000 } }
  t.deepEqual(stage.tell('ProcessPayment', pay('tok_slow'), { id: 'c1' }), [
    { key: 'o1', ...pending, causationId: 'c1' }
  ])
  t.deepEqual(stage.elapse(1999), [])
  t.deepEqual(said(stage.tell('ProcessPayment', pay('tok_slow'), { id: 'c1', attempt: 2 })), [pending])
  t.deepEqual(stage.elapse(1), [{ key: 'o1', ...succeeded, causationId: 'c1' }])
  t.deepEqual(stage.elapse(60_000), [])
})

test('tok_silent never answers and never captures', (t) => {
  const stage = stageOf()
  for (const attempt of [1, 2, 3, 4])
    t.deepEqual(stage.tell('ProcessPayment', pay('tok_silent'), { id: 'c1', attempt }), [])
  t.deepEqual(stage.elapse(3_600_000), [])
  t.deepEqual(said(stage.tell('RefundPayment', { orderId: 'o1' })), [refunded(0)])
})

test('tok_flaky answers at the third attempt', (t) => {
  const stage = stageOf()
  const answers = [1, 2, 3, 4].map((attempt) =>
    said(stage.tell('ProcessPayment', pay('tok_flaky'), { id: 'c1', attempt }))
  )
  t.deepEqual(answers, [[], [], [succeeded], [succeeded]])
})

test('a payment that has succeeded or failed is answered again in the same way, whatever is asked for', (t) => {
  const [captured, declined] = [stageOf(), stageOf()]
  captured.tell('ProcessPayment', pay('tok_visa'))
  declined.tell('ProcessPayment', pay('tok_declined'))
  t.deepEqual(said(captured.tell('ProcessPayment', pay('tok_declined', 'o1', 9999), { id: 'c2' })), [succeeded])
  t.deepEqual(said(declined.tell('ProcessPayment', pay('tok_visa'), { id: 'c2' })), [failed('declined')])
})

test('a refund gives back what was captured, and the same again when it is repeated', (t) => {
  const stage = stageOf()
  stage.tell('ProcessPayment', pay('tok_visa'))
  const events = stage.tell('RefundPayment', { orderId: 'o1' }, { id: 'u1' })
  t.deepEqual(events, [{ key: 'o1', ...refunded(4000), causationId: 'u1' }])
  t.deepEqual(said(stage.tell('RefundPayment', { orderId: 'o1' }, { id: 'u1' })), [refunded(4000)])
})

test('a refund of nothing is accepted, and the payment that comes after it fails', (t) => {
  const stage = stageOf()
  t.deepEqual(said(stage.tell('RefundPayment', { orderId: 'o1' })), [refunded(0)])
  t.deepEqual(said(stage.tell('ProcessPayment', pay('tok_visa'))), [failed('refunded')])
  t.deepEqual(said(stage.tell('RefundPayment', { orderId: 'o1' })), [refunded(0)])
})

test('a refund of a declined payment gives back nothing', (t) => {
  const stage = stageOf()
  stage.tell('ProcessPayment', pay('tok_declined'))
  t.deepEqual(said(stage.tell('RefundPayment', { orderId: 'o1' })), [refunded(0)])
})

test('a late payment command after the refund neither captures nor forgets what was refunded', (t) => {
  const stage = stageOf()
  stage.tell('ProcessPayment', pay('tok_visa'), { id: 'c1' })
  stage.tell('RefundPayment', { orderId: 'o1' })
  t.deepEqual(said(stage.tell('ProcessPayment', pay('tok_visa'), { id: 'c1', attempt: 2 })), [failed('refunded')])
  t.deepEqual(said(stage.tell('RefundPayment', { orderId: 'o1' })), [refunded(4000)])
})

test('a refund while the payment is pending stops the capture', (t) => {
  const stage = stageOf()
  stage.tell('ProcessPayment', pay('tok_slow'))
  t.deepEqual(said(stage.tell('RefundPayment', { orderId: 'o1' })), [refunded(0)])
  t.deepEqual(stage.elapse(60_000), [])
})

test('a pending payment answers its first command; another one hears the outcome when it is repeated', (t) => {
  const stage = stageOf()
  stage.tell('ProcessPayment', pay('tok_slow'), { id: 'c1' })
  t.deepEqual(typesOf(stage.tell('ProcessPayment', pay('tok_slow'), { id: 'c2' })), ['PaymentPending'])
  t.deepEqual(
    stage.elapse(2000).map((event) => event.causationId),
    ['c1']
  )
  t.deepEqual(stage.tell('ProcessPayment', pay('tok_slow'), { id: 'c2', attempt: 2 })[0]?.causationId, 'c2')
})

test('a payment may leave memory once it is captured, failed or refunded', (t) => {
  const stage = stageOf()
  stage.tell('ProcessPayment', pay('tok_visa', 'captured'))
  stage.tell('ProcessPayment', pay('tok_declined', 'failed'))
  stage.tell('ProcessPayment', pay('tok_slow', 'pending'))
  stage.tell('RefundPayment', { orderId: 'refunded' })
  t.deepEqual(
    ['captured', 'failed', 'pending', 'refunded'].filter((key) => stage.hasEnded(key)),
    ['captured', 'failed', 'refunded']
  )
})

const placed = (token: string) => ({ orderId: 'o1', totalCents: 4000, currency: 'EUR', paymentToken: token })
const hearOrder = (stage: Stage<Payment>, token: string) =>
  stage.tell('OrderPlaced', placed(token), { topic: 'order-events' })
const hearStock = (stage: Stage<Payment>) =>
  stage.tell('StockReserved', { orderId: 'o1', lines: [] }, { topic: 'stock-events' })

for (const [token, outcome] of [
  ['tok_visa', [succeeded]],
  ['tok_declined', [failed('declined')]],
  ['tok_silent', []]
] as const) {
  test(`in choreography ${token} is asked for when order and stock are both known, in either order`, (t) => {
    const [orderFirst, stockFirst] = [stageOf('choreography'), stageOf('choreography')]
    t.deepEqual(said(hearOrder(orderFirst, token)), [{ type: 'PaymentExpected', value: pay(token) }])
    t.deepEqual(said(hearStock(orderFirst)), [...outcome])
    t.deepEqual(said(hearStock(stockFirst)), [{ type: 'PaymentDue', value: { orderId: 'o1' } }])
    t.deepEqual(said(hearOrder(stockFirst, token)), [...outcome])
  })
}

for (const [token, afterMs] of [
  ['tok_slow', 2000],
  ['tok_flaky', 400]
] as const) {
  test(`in choreography ${token} is captured after ${afterMs} ms, in answer to what made it due`, (t) => {
    const stage = stageOf('choreography')
    hearOrder(stage, token)
    const [pending] = hearStock(stage)
    t.is(pending?.type, 'PaymentPending')
    t.deepEqual(stage.elapse(afterMs - 1), [])
    t.deepEqual(stage.elapse(1), [{ key: 'o1', ...succeeded, causationId: pending!.causationId! }])
  })
}

test('in choreography a payment is not asked for twice, nor after a refund', (t) => {
  const stage = stageOf('choreography')
  hearOrder(stage, 'tok_visa')
  t.deepEqual(typesOf(hearStock(stage)), ['PaymentSucceeded'])
  t.deepEqual([...hearStock(stage), ...hearOrder(stage, 'tok_visa')], [])
  const closed = stageOf('choreography')
  hearOrder(closed, 'tok_visa')
  t.deepEqual(said(closed.tell('RefundPayment', { orderId: 'o1' })), [refunded(0)])
  t.deepEqual(hearStock(closed), [])
})

test('in choreography a cancelled order gets back what was captured, and nothing more is captured', (t) => {
  const hearCancel = (stage: Stage<Payment>) =>
    stage.tell('OrderCancelled', { orderId: 'o1', reason: '' }, { topic: 'order-events' })
  const captured = stageOf('choreography')
  hearOrder(captured, 'tok_visa')
  hearStock(captured)
  for (let time = 0; time < 2; time++) t.deepEqual(said(hearCancel(captured)), [refunded(4000)])
  for (const token of ['tok_visa', 'tok_slow', 'tok_silent']) {
    const [early, between, pending] = [stageOf('choreography'), stageOf('choreography'), stageOf('choreography')]
    hearStock(early)
    hearOrder(between, token)
    hearOrder(pending, token)
    if (token !== 'tok_visa') hearStock(pending)
    for (const stage of [early, between, pending]) {
      t.deepEqual(said(hearCancel(stage)), [refunded(0)])
      t.deepEqual([...hearStock(stage), ...hearOrder(stage, token), ...stage.elapse(60_000)], [])
      t.deepEqual(said(hearCancel(stage)), [refunded(0)])
      t.true(stage.hasEnded('o1'))
    }
  }
})

test('in orchestration a payment hears of neither order nor stock', (t) => {
  t.deepEqual(paymentComponent('orchestration').reads, [])
  t.false(stageOf().isFor('OrderPlaced', placed('tok_visa'), 'order-events'))
})

const anyToken = fc.constantFrom('tok_visa', 'tok_declined', 'tok_slow', 'tok_silent', 'tok_flaky', 'tok_other')
const anyAct = fc.record({
  act: fc.constantFrom('ProcessPayment', 'ProcessPayment', 'RefundPayment', 'OrderPlaced', 'StockReserved', 'wait'),
  orderId: fc.constantFrom('o1', 'o2', '__proto__'),
  token: anyToken,
  attempt: fc.integer({ min: 1, max: 4 }),
  amountCents: fc.integer({ min: 0, max: 9 }),
  ms: fc.constantFrom(1, 400, 2000)
})
type Act = typeof anyAct extends fc.Arbitrary<infer A> ? A : never

const perform = (stage: Stage<Payment>, { act, orderId, token, attempt, amountCents, ms }: Act, id?: string) => {
  const options = id === undefined ? { attempt } : { attempt, id }
  if (act === 'wait') return stage.elapse(ms)
  if (act === 'StockReserved') return stage.tell(act, { orderId, lines: [] }, { topic: 'stock-events' })
  if (act === 'ProcessPayment') return stage.tell(act, pay(token, orderId, amountCents), options)
  if (act === 'RefundPayment') return stage.tell(act, { orderId }, options)
  const order = { orderId, totalCents: amountCents, currency: 'EUR', paymentToken: token }
  return stage.tell(act, order, { topic: 'order-events' })
}

test('whatever happens, money is captured at most once an order, and what is refunded is what was captured', (t) => {
  const property = fc.property(fc.array(anyAct, { maxLength: 50, size: 'max' }), (acts) => {
    const stage = new Stage(paymentComponent('choreography'))
    for (const act of acts) perform(stage, act)
    for (const orderId of ['o1', 'o2', '__proto__']) {
      const told = stage.journal.filter(({ value }) => value['orderId'] === orderId)
      const captures = told.filter(({ type }) => type === 'PaymentSucceeded').map(({ value }) => value)
      for (const capture of captures) assert.deepEqual(capture, captures[0])
      const refundAt = told.findIndex(({ type }) => type === 'PaymentRefunded')
      const after = refundAt < 0 ? [] : told.slice(refundAt)
      assert.ok(!typesOf(after).includes('PaymentSucceeded'))
      for (const { type, value } of after)
        if (type === 'PaymentRefunded') assert.equal(value['amountCents'], captures[0]?.['amountCents'] ?? 0)
    }
    assert.equal(stage.refolded(), stage.state())
  })
  holds(t, property)
})

test('whatever has happened, a repeat gets the same answer and changes nothing', (t) => {
  const commands = anyAct.filter(({ act }) => act === 'ProcessPayment' || act === 'RefundPayment')
  const property = fc.property(fc.array(anyAct, { maxLength: 20, size: 'max' }), commands, (acts, last) => {
    const stage = new Stage(paymentComponent('choreography'))
    for (const act of acts) perform(stage, act)
    const first = perform(stage, last, 'again')
    const state = stage.state()
    assert.deepEqual(perform(stage, last, 'again'), first)
    assert.equal(stage.state(), state)
  })
  holds(t, property)
})
