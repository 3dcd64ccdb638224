import test from 'ava'
import fc from 'fast-check'

import { pauseMs } from '../../../src/saga/engine/backoff.ts'
import { commandId, decodeInstance, encodeInstance, parseCommandId } from '../../../src/saga/index.ts'
import { define, pivot, step } from './build.ts'
import { payload, scenario } from './scenario.ts'

test('a command id names saga, step and key, and whether it is an undo', (t) => {
  t.is(commandId('order', 'stock', 'o-1', false), 'order/stock/o-1')
  t.is(commandId('order', 'stock', 'o-1', true), 'order/stock!undo/o-1')
  t.deepEqual(parseCommandId('order/stock!undo/o-1'), { saga: 'order', step: 'stock', key: 'o-1', undo: true })
})

test('a command id is read back whatever the key holds', (t) => {
  for (const key of ['', '/', 'a/b/c', 'x!undo/y', '!undo', 'ключ 🔑']) {
    for (const undo of [false, true]) {
      t.deepEqual(parseCommandId(commandId('order', 'stock', key, undo)), { saga: 'order', step: 'stock', key, undo })
    }
  }
})

test('an id of another form is nobody’s command', (t) => {
  for (const id of ['', 'order', 'order/stock', '/stock/o-1', '/http', 'a1b2']) t.is(parseCommandId(id), undefined)
})

test('pauses grow by the factor up to the cap, and stay there', (t) => {
  const policy = { attempts: 6, backoffMs: 100, factor: 3, capMs: 2000, jitter: 0 }
  t.deepEqual(
    [2, 3, 4, 5, 6, 7].map((attempt) => pauseMs(policy, 'id', attempt)),
    [100, 300, 900, 2000, 2000, 2000]
  )
})

test('pauses stop growing with the first round of attempts', (t) => {
  const policy = { attempts: 2, backoffMs: 100, factor: 2, capMs: 2000, jitter: 0 }
  t.deepEqual(
    [2, 3, 4, 99].map((attempt) => pauseMs(policy, 'id', attempt)),
    [100, 200, 200, 200]
  )
})

test('jitter moves a pause by at most its share, the same way each time', (t) => {
  const policy = { attempts: 9, backoffMs: 1000, factor: 1, capMs: 2000, jitter: 0.2 }
  const pauses = Array.from({ length: 200 }, (_, i) => pauseMs(policy, `order/stock/${i}`, 2))
  t.deepEqual(
    pauses,
    Array.from({ length: 200 }, (_, i) => pauseMs(policy, `order/stock/${i}`, 2))
  )
  t.true(Math.min(...pauses) >= 800 && Math.max(...pauses) <= 1200)
  t.true(Math.min(...pauses) < 850 && Math.max(...pauses) > 1150)
  t.not(pauseMs(policy, 'order/stock/1', 2), pauseMs(policy, 'order/stock/1', 3))
})

test('a pause is a whole, finite number whatever the policy says', (t) => {
  const policies = fc.record({
    attempts: fc.integer({ min: 1, max: 1_000_000 }),
    backoffMs: fc.integer({ min: 0, max: 86_400_000 }),
    factor: fc.double({ min: 1, max: 1000, noNaN: true }),
    capMs: fc.integer({ min: 0, max: 86_400_000 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true })
  })
  fc.assert(
    fc.property(policies, fc.integer({ min: 2, max: 2_000_000 }), (policy, attempt) => {
      const pause = pauseMs(policy, 'order/stock/o-1', attempt)
      return Number.isInteger(pause) && pause >= 0 && pause <= 2 * policy.capMs
    })
  )
  t.pass()
})

test('an instance comes back from a snapshot as it was, its payloads undecoded', (t) => {
  const saga = scenario(
    define([step('a', { keepsReply: true }), step('b'), step('c', { keepsReply: true }), pivot('pay')])
  )
  saga.start({ price: 3 })
  saga.answer('a', 'ADone', { seat: 1 })
  saga.answer('b')
  saga.answer('c', 'CDone', { seat: 2 })
  saga.wait(1000)
  const data = structuredClone(encodeInstance(saga.instance!))
  t.deepEqual(data.start, { type: 'TripBooked', bytes: new Uint8Array() })
  t.deepEqual(data.replies, [
    { type: 'ADone', bytes: new Uint8Array() },
    null,
    { type: 'CDone', bytes: new Uint8Array() }
  ])
  const values: Record<string, object> = { TripBooked: { price: 3 }, ADone: { seat: 1 }, CDone: { seat: 2 } }
  const back = decodeInstance(data, (type, bytes) => ({
    ...payload(type, values[type] as Record<string, unknown>),
    bytes
  }))
  t.deepEqual(back, saga.instance)
})

test('a running instance is small', (t) => {
  const saga = scenario(
    define(
      Array.from({ length: 8 }, (_, i) => step(`s${i}`)),
      { deadlineMs: 3_600_000 }
    )
  )
  saga.start()
  for (let i = 0; i < 6; i++) saga.answer(`s${i}`)
  const { start: _start, key: _key, ...state } = encodeInstance(saga.instance!)
  t.true(JSON.stringify(state).length < 300)
  t.is(saga.instance!.timers.length, 1)
})
