import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { evolve, type Shipment } from '../../src/shop/shipping/decider.ts'
import { shippingComponent } from '../../src/shop/shipping/index.ts'
import { holds, said, Stage, typesOf } from './stage.ts'

const address = { name: 'Ada', street: 'Main 1', city: 'Turin', postalCode: '10100', country: 'IT' }
const schedule = (orderId = 'o1') => ({ orderId, lines: [{ sku: 'book', quantity: 2 }], address })
/** SHA-256 of 'o1' begins with these digits. */
const parcel = { orderId: 'o1', trackingNumber: 'PM2352DA7280F1' }
const scheduled = { type: 'ShippingScheduled', value: parcel }
const shipped = { type: 'ItemShipped', value: parcel }

const stageOf = (flow: 'orchestration' | 'choreography' = 'orchestration', delayMs?: number): Stage<Shipment> =>
  new Stage(shippingComponent(flow, delayMs))

test('an order is scheduled and shipped in one decision, both in answer to the command', (t) => {
  t.deepEqual(stageOf().tell('ScheduleShipping', schedule(), { id: 'c1' }), [
    { key: 'o1', ...scheduled, causationId: 'c1' },
    { key: 'o1', ...shipped, causationId: 'c1' }
  ])
})

test('a repeat is told the same again', (t) => {
  const stage = stageOf()
  stage.tell('ScheduleShipping', schedule())
  t.deepEqual(said(stage.tell('ScheduleShipping', schedule(), { attempt: 2 })), [scheduled, shipped])
})

test('a shipped parcel is not scheduled again by an answer that is given again', (t) => {
  t.deepEqual(evolve({ status: 'shipped' }, { type: 'ShippingScheduled', value: parcel }), { status: 'shipped' })
})

test('with a slower carrier the parcel is shipped by a timer, in answer to its command', (t) => {
  const stage = stageOf('orchestration', 500)
  t.deepEqual(said(stage.tell('ScheduleShipping', schedule(), { id: 'c1' })), [scheduled])
  t.deepEqual(stage.elapse(499), [])
  t.deepEqual(said(stage.tell('ScheduleShipping', schedule(), { id: 'c2' })), [scheduled])
  t.deepEqual(stage.elapse(1), [{ key: 'o1', ...shipped, causationId: 'c1' }])
  t.deepEqual(stage.elapse(60_000), [])
  t.deepEqual(said(stage.tell('ScheduleShipping', schedule(), { id: 'c2' })), [scheduled, shipped])
})

test('a shipment may leave memory once it is shipped', (t) => {
  const stage = stageOf('orchestration', 500)
  stage.tell('ScheduleShipping', schedule())
  t.false(stage.hasEnded('o1'))
  stage.elapse(500)
  t.true(stage.hasEnded('o1'))
})

const hearOrder = (stage: Stage<Shipment>, orderId = 'o1') => {
  const lines = [{ sku: 'book', quantity: 2, priceCents: 2000 }]
  return stage.tell('OrderPlaced', { orderId, lines, shippingAddress: address }, { topic: 'order-events' })
}
const hearPayment = (stage: Stage<Shipment>, orderId = 'o1') =>
  stage.tell('PaymentSucceeded', { orderId, paymentId: 'p' }, { topic: 'payment-events' })

const hearConfirmation = (stage: Stage<Shipment>, orderId = 'o1') =>
  stage.tell('OrderConfirmed', { orderId }, { topic: 'order-events' })
const hearCancel = (stage: Stage<Shipment>, orderId = 'o1') =>
  stage.tell('OrderCancelled', { orderId, reason: '' }, { topic: 'order-events' })

const hearing = { order: hearOrder, payment: hearPayment, confirmation: hearConfirmation }
const facts = {
  order: { type: 'ShippingExpected', value: schedule() },
  payment: { type: 'ShippingDue', value: { orderId: 'o1' } },
  confirmation: { type: 'ShippingCleared', value: { orderId: 'o1' } }
}

/** The order's own events are heard of in their order. */
const orders = [
  ['order', 'payment', 'confirmation'],
  ['order', 'confirmation', 'payment'],
  ['payment', 'order', 'confirmation']
] as const

for (const order of orders)
  test(`in choreography it is shipped once when it has heard of ${order.join(', ')}`, (t) => {
    const stage = stageOf('choreography')
    for (const fact of order.slice(0, 2)) t.deepEqual(said(hearing[fact](stage)), [facts[fact]])
    for (const fact of order.slice(0, 2)) t.deepEqual(hearing[fact](stage), [], 'again')
    t.deepEqual(said(hearing[order[2]](stage)), [scheduled, shipped])
    for (const fact of order) t.deepEqual(hearing[fact](stage), [])
    t.deepEqual(hearCancel(stage), [], 'what is on its way is not called back')
  })

test('in choreography nothing is sent of an order that was cancelled, whatever is heard before and after', (t) => {
  for (const order of orders)
    for (const heard of [0, 1, 2]) {
      const stage = stageOf('choreography')
      for (const fact of order.slice(0, heard)) hearing[fact](stage)
      t.deepEqual(said(hearCancel(stage)), [{ type: 'ShippingCancelled', value: { orderId: 'o1' } }])
      t.deepEqual(hearCancel(stage), [], 'again')
      for (const fact of order) t.deepEqual(hearing[fact](stage), [])
      t.deepEqual(stage.tell('ScheduleShipping', schedule()), [])
      t.true(stage.hasEnded('o1'))
      t.is(stage.refolded(), stage.state())
    }
})

test('in orchestration shipping hears of neither order nor payment', (t) => {
  t.deepEqual(shippingComponent('orchestration').reads, [])
  t.false(stageOf().isFor('PaymentSucceeded', { orderId: 'o1' }, 'payment-events'))
})

const hearingOf = {
  OrderPlaced: hearOrder,
  OrderConfirmed: hearConfirmation,
  OrderCancelled: hearCancel,
  PaymentSucceeded: hearPayment
}

const anyAct = fc.record({
  act: fc.constantFrom(
    'ScheduleShipping',
    'OrderPlaced',
    'OrderConfirmed',
    'OrderCancelled',
    'PaymentSucceeded',
    'wait'
  ),
  orderId: fc.constantFrom('o1', 'o2')
})

test('whatever happens and however slow the carrier, an order has one parcel, shipped after it was scheduled', (t) => {
  const property = fc.property(
    fc.array(anyAct, { maxLength: 30, size: 'max' }),
    fc.constantFrom(0, 500),
    (acts, delayMs) => {
      const stage = stageOf('choreography', delayMs)
      for (const { act, orderId } of acts) {
        if (act === 'wait') stage.elapse(250)
        if (act in hearingOf) hearingOf[act as keyof typeof hearingOf](stage, orderId)
        if (act !== 'ScheduleShipping') continue
        stage.tell(act, schedule(orderId), { id: 'again' })
        const state = stage.state()
        stage.tell(act, schedule(orderId), { id: 'again' })
        assert.equal(stage.state(), state)
      }
      for (const orderId of ['o1', 'o2']) {
        const told = stage.journal.filter(({ value }) => value['orderId'] === orderId)
        const parcels = told.map(({ value }) => value['trackingNumber']).filter((number) => number !== undefined)
        assert.ok(new Set(parcels).size <= 1)
        const types = typesOf(told)
        assert.ok(!types.includes('ShippingCancelled') || !types.includes('ShippingScheduled'))
        assert.ok(!types.includes('ItemShipped') || types.indexOf('ShippingScheduled') < types.indexOf('ItemShipped'))
        assert.ok(
          types.filter((type) => type === 'ItemShipped').length <=
            types.filter((type) => type === 'ShippingScheduled').length
        )
      }
      assert.equal(stage.refolded(), stage.state())
    }
  )
  holds(t, property)
})
