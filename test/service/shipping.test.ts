import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { evolve, type Shipment } from '../../src/service/shipping/decider.ts'
import { shippingComponent } from '../../src/service/shipping/index.ts'
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

test('in choreography it is shipped when order and payment are both known, in either order, and once', (t) => {
  const [orderFirst, paymentFirst] = [stageOf('choreography'), stageOf('choreography')]
  t.deepEqual(said(hearOrder(orderFirst)), [{ type: 'ShippingExpected', value: schedule() }])
  t.deepEqual(said(hearPayment(orderFirst)), [scheduled, shipped])
  t.deepEqual(said(hearPayment(paymentFirst)), [{ type: 'ShippingDue', value: { orderId: 'o1' } }])
  t.deepEqual(said(hearOrder(paymentFirst)), [scheduled, shipped])
  for (const stage of [orderFirst, paymentFirst]) t.deepEqual([...hearOrder(stage), ...hearPayment(stage)], [])
})

test('in orchestration shipping hears of neither order nor payment', (t) => {
  t.deepEqual(shippingComponent('orchestration').reads, [])
  t.false(stageOf().isFor('PaymentSucceeded', { orderId: 'o1' }, 'payment-events'))
})

const anyAct = fc.record({
  act: fc.constantFrom('ScheduleShipping', 'OrderPlaced', 'PaymentSucceeded', 'wait'),
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
        if (act === 'OrderPlaced') hearOrder(stage, orderId)
        if (act === 'PaymentSucceeded') hearPayment(stage, orderId)
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
