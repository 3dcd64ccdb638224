import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { Order } from '../../src/shop/order/decider.ts'
import { orderComponent } from '../../src/shop/order/index.ts'
import { holds, said, Stage, typesOf } from './stage.ts'

const address = { name: 'Ada', street: 'Main 1', city: 'Turin', postalCode: '10100', country: 'IT' }
const placeOrder = (orderId: string, customerId = 'ada') => ({
  orderId,
  customerId,
  lines: [{ sku: 'book', quantity: 2, priceCents: 2000 }],
  totalCents: 4000,
  currency: 'EUR',
  paymentToken: 'tok_visa',
  shippingAddress: address,
  voucher: null,
  requestHash: 'h1'
})

const valueOf = (command: string, orderId = 'o1'): object => {
  if (command === 'PlaceOrder') return placeOrder(orderId)
  return command === 'CancelOrder' || command === 'RejectOrder' ? { orderId, reason: `by ${command}` } : { orderId }
}

/** Commands that bring an order into each status. */
const ways: Record<string, readonly string[]> = {
  UNKNOWN: [],
  PENDING: ['PlaceOrder'],
  CONFIRMED: ['PlaceOrder', 'ConfirmOrder'],
  COMPLETED: ['PlaceOrder', 'ConfirmOrder', 'CompleteOrder'],
  REJECTED: ['PlaceOrder', 'RejectOrder'],
  CANCELLED: ['PlaceOrder', 'CancelOrder']
}

const stageAt = (status: string): Stage<Order> => {
  const stage = new Stage(orderComponent('orchestration'))
  for (const command of ways[status]!) stage.tell(command, valueOf(command))
  return stage
}

/** [status before, command, event, status after]; '–' is no event. */
const table = [
  ['UNKNOWN', 'PlaceOrder', 'OrderPlaced', 'PENDING'],
  ['PENDING', 'PlaceOrder', 'OrderAlreadyPlaced', 'PENDING'],
  ['CONFIRMED', 'PlaceOrder', 'OrderAlreadyPlaced', 'CONFIRMED'],
  ['COMPLETED', 'PlaceOrder', 'OrderAlreadyPlaced', 'COMPLETED'],
  ['REJECTED', 'PlaceOrder', 'OrderAlreadyPlaced', 'REJECTED'],
  ['CANCELLED', 'PlaceOrder', 'OrderAlreadyPlaced', 'CANCELLED'],
  ['UNKNOWN', 'CancelOrder', 'OrderNotCancellable', 'UNKNOWN'],
  ['PENDING', 'CancelOrder', 'OrderCancelled', 'CANCELLED'],
  ['CONFIRMED', 'CancelOrder', 'OrderNotCancellable', 'CONFIRMED'],
  ['COMPLETED', 'CancelOrder', 'OrderNotCancellable', 'COMPLETED'],
  ['REJECTED', 'CancelOrder', 'OrderNotCancellable', 'REJECTED'],
  ['CANCELLED', 'CancelOrder', 'OrderCancelled', 'CANCELLED'],
  ['UNKNOWN', 'ConfirmOrder', 'OrderNotConfirmable', 'UNKNOWN'],
  ['PENDING', 'ConfirmOrder', 'OrderConfirmed', 'CONFIRMED'],
  ['CONFIRMED', 'ConfirmOrder', 'OrderConfirmed', 'CONFIRMED'],
  ['COMPLETED', 'ConfirmOrder', 'OrderConfirmed', 'COMPLETED'],
  ['REJECTED', 'ConfirmOrder', 'OrderNotConfirmable', 'REJECTED'],
  ['CANCELLED', 'ConfirmOrder', 'OrderNotConfirmable', 'CANCELLED'],
  ['UNKNOWN', 'CompleteOrder', '–', 'UNKNOWN'],
  ['PENDING', 'CompleteOrder', 'OrderCompleted', 'COMPLETED'],
  ['CONFIRMED', 'CompleteOrder', 'OrderCompleted', 'COMPLETED'],
  ['COMPLETED', 'CompleteOrder', 'OrderCompleted', 'COMPLETED'],
  ['REJECTED', 'CompleteOrder', '–', 'REJECTED'],
  ['CANCELLED', 'CompleteOrder', '–', 'CANCELLED'],
  ['UNKNOWN', 'RejectOrder', 'OrderRejected', 'REJECTED'],
  ['PENDING', 'RejectOrder', 'OrderRejected', 'REJECTED'],
  ['CONFIRMED', 'RejectOrder', 'OrderRejected', 'REJECTED'],
  ['COMPLETED', 'RejectOrder', 'OrderNotRejectable', 'COMPLETED'],
  ['REJECTED', 'RejectOrder', 'OrderRejected', 'REJECTED'],
  ['CANCELLED', 'RejectOrder', 'OrderCancelled', 'CANCELLED']
] as const

for (const [before, command, event, after] of table) {
  test(`an order that is ${before} answers ${command} with ${event} and is then ${after}`, (t) => {
    const stage = stageAt(before)
    t.is(stage.entity('o1')?.status ?? 'UNKNOWN', before)
    const events = stage.tell(command, valueOf(command), { id: 'the-command' })
    t.deepEqual(typesOf(events), event === '–' ? [] : [event])
    for (const { key, causationId } of events)
      t.deepEqual({ key, causationId }, { key: 'o1', causationId: 'the-command' })
    t.is(stage.entity('o1')?.status ?? 'UNKNOWN', after)
  })
}

test('a placed order is told in full', (t) => {
  const stage = stageAt('UNKNOWN')
  t.deepEqual(said(stage.tell('PlaceOrder', placeOrder('o1'))), [{ type: 'OrderPlaced', value: placeOrder('o1') }])
})

test('a repeat is told what was placed first, however far that has come', (t) => {
  const first = placeOrder('o1')
  const { requestHash, totalCents, currency } = first
  for (const status of ['PENDING', 'CONFIRMED', 'COMPLETED', 'REJECTED', 'CANCELLED']) {
    const other = { ...first, totalCents: totalCents + 1, requestHash: 'of another body' }
    const [event] = stageAt(status).tell('PlaceOrder', other)
    t.deepEqual(event?.value, { orderId: 'o1', requestHash, totalCents, currency }, status)
  }
})

test('what was rejected before it came has no first request to tell of', (t) => {
  const stage = stageAt('UNKNOWN')
  stage.tell('RejectOrder', valueOf('RejectOrder'))
  const [event] = stage.tell('PlaceOrder', placeOrder('o1'))
  t.is(event?.type, 'OrderAlreadyPlaced')
  t.deepEqual(event?.value, { orderId: 'o1', requestHash: '', totalCents: 0, currency: '' })
})

test('a refusal names the status that stands in the way', (t) => {
  for (const status of ['CONFIRMED', 'COMPLETED', 'REJECTED', 'UNKNOWN']) {
    const [event] = stageAt(status).tell('CancelOrder', valueOf('CancelOrder'))
    t.deepEqual(event?.value, { orderId: 'o1', status })
  }
  t.deepEqual(stageAt('CANCELLED').tell('ConfirmOrder', { orderId: 'o1' })[0]?.value, {
    orderId: 'o1',
    status: 'CANCELLED'
  })
  t.deepEqual(stageAt('COMPLETED').tell('RejectOrder', valueOf('RejectOrder'))[0]?.value, {
    orderId: 'o1',
    status: 'COMPLETED'
  })
})

test('the reason of a cancelled or rejected order is the first one', (t) => {
  const cancelled = stageAt('CANCELLED')
  for (const command of ['CancelOrder', 'RejectOrder']) {
    const [event] = cancelled.tell(command, { orderId: 'o1', reason: 'another one' })
    t.deepEqual(event?.value, { orderId: 'o1', reason: 'by CancelOrder' })
  }
  const [event] = stageAt('REJECTED').tell('RejectOrder', { orderId: 'o1', reason: 'another one' })
  t.deepEqual(event?.value, { orderId: 'o1', reason: 'by RejectOrder' })
})

test('an order may leave memory once it is completed, rejected or cancelled', (t) => {
  const ended = ['PENDING', 'CONFIRMED', 'COMPLETED', 'REJECTED', 'CANCELLED'].filter((s) => stageAt(s).hasEnded('o1'))
  t.deepEqual(ended, ['COMPLETED', 'REJECTED', 'CANCELLED'])
})

test('what is none of its commands is passed over', (t) => {
  const stage = stageAt('PENDING')
  t.deepEqual(stage.tell('ReserveStock', { orderId: 'o1', lines: [] }), [])
  t.deepEqual(stage.tell('OrderCancelled', { orderId: 'o1', reason: 'forged' }), [])
  t.deepEqual(stage.tell('constructor', { orderId: 'o1' }), [])
})

test('in orchestration an order hears no other service', (t) => {
  t.deepEqual(orderComponent('orchestration').reads, [])
  t.false(stageAt('PENDING').isFor('ItemShipped', { orderId: 'o1', trackingNumber: 'T' }, 'shipping-events'))
})

const reactions = [
  ['stock-events', 'OutOfStock', { orderId: 'o1', skus: ['book'] }, 'OrderRejected', 'REJECTED'],
  ['payment-events', 'PaymentFailed', { orderId: 'o1', reason: 'declined' }, 'OrderRejected', 'REJECTED'],
  ['payment-events', 'PaymentSucceeded', { orderId: 'o1', paymentId: 'p' }, 'OrderConfirmed', 'CONFIRMED'],
  ['shipping-events', 'ItemShipped', { orderId: 'o1', trackingNumber: 'T' }, 'OrderCompleted', 'COMPLETED']
] as const

for (const [topic, heard, value, event, status] of reactions) {
  test(`in choreography ${heard} makes a pending order ${status}`, (t) => {
    const stage = new Stage(orderComponent('choreography'))
    stage.tell('PlaceOrder', placeOrder('o1'))
    const events = stage.tell(heard, value, { topic, id: `${topic}/0/7` })
    t.deepEqual(typesOf(events), [event])
    t.is(events[0]?.causationId, `${topic}/0/7`)
    t.is(stage.entity('o1')?.status, status)
    if (status === 'REJECTED') t.is(events[0]?.value['reason'], heard)
  })
}

test('in choreography a payment that is heard of after the shipment leaves the order completed', (t) => {
  const stage = new Stage(orderComponent('choreography'))
  stage.tell('PlaceOrder', placeOrder('o1'))
  stage.tell('ItemShipped', { orderId: 'o1', trackingNumber: 'T' }, { topic: 'shipping-events' })
  stage.tell('PaymentSucceeded', { orderId: 'o1', paymentId: 'p' }, { topic: 'payment-events' })
  t.is(stage.entity('o1')?.status, 'COMPLETED')
  t.deepEqual(typesOf(stage.tell('CancelOrder', valueOf('CancelOrder'))), ['OrderNotCancellable'])
})

const anyCommand = fc.record({
  command: fc.constantFrom('PlaceOrder', 'CancelOrder', 'ConfirmOrder', 'CompleteOrder', 'RejectOrder'),
  orderId: fc.constantFrom('o1', 'o2', '__proto__')
})

test('whatever is asked, an order gets at most one fate, and keeps it', (t) => {
  const fates = ['OrderCancelled', 'OrderRejected', 'OrderCompleted']
  const property = fc.property(fc.array(anyCommand, { maxLength: 40, size: 'max' }), (commands) => {
    const stage = new Stage(orderComponent('orchestration'))
    for (const { command, orderId } of commands) stage.tell(command, valueOf(command, orderId))
    for (const orderId of ['o1', 'o2', '__proto__']) {
      const told = stage.journal.filter(({ value }) => value['orderId'] === orderId).map(({ type }) => type)
      assert.ok(new Set(told.filter((type) => fates.includes(type))).size <= 1)
      assert.ok(!told.includes('OrderCancelled') || !told.includes('OrderConfirmed'))
      assert.ok(told.filter((type) => type === 'OrderPlaced').length <= 1)
      assert.ok(!told.includes('OrderRejected') || told.lastIndexOf('OrderConfirmed') < told.indexOf('OrderRejected'))
    }
    assert.equal(stage.refolded(), stage.state())
  })
  holds(t, property)
})

test('whatever has been asked, a repeat gets the same answer and changes nothing', (t) => {
  const property = fc.property(
    fc.array(anyCommand, { maxLength: 20, size: 'max' }),
    anyCommand,
    (commands, { command, orderId }) => {
      const stage = new Stage(orderComponent('orchestration'))
      for (const each of commands) stage.tell(each.command, valueOf(each.command, each.orderId))
      const first = stage.tell(command, valueOf(command, orderId), { id: 'again' })
      const state = stage.state()
      const second = stage.tell(command, valueOf(command, orderId), { id: 'again', attempt: 2 })
      assert.equal(stage.state(), state)
      if (command === 'PlaceOrder') assert.deepEqual(typesOf(second), ['OrderAlreadyPlaced'])
      else assert.deepEqual(second, first)
    }
  )
  holds(t, property)
})
