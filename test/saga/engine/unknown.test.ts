import test from 'ava'

import { define, parallel, pivot, retry, step } from './build.ts'
import { scenario } from './scenario.ts'

test('an unanswered command is sent again under the same id, later each time', (t) => {
  const saga = scenario(define([step('a'), step('b')]))
  saga.start()
  t.is(saga.dueAt(), 1000)
  t.deepEqual(saga.wait(1000), ['later do a #2'])
  t.is(saga.status(), 'retrying')
  t.deepEqual(saga.wait(99), [])
  t.deepEqual(saga.wait(1), ['do a #2'])
  t.is(saga.status(), 'retrying')
  t.deepEqual(saga.wait(1000), ['later do a #3'])
  t.deepEqual(saga.wait(199), [])
  t.deepEqual(saga.wait(1), ['do a #3'])
  t.deepEqual(saga.answer('a'), ['succeeded a', 'do b'])
  t.is(saga.status(), 'running')
  const ids = saga.journal.flatMap(({ event }) => (event.type === 'CommandIssued' ? [event.value.commandId] : []))
  t.deepEqual(ids, ['trip/a/k1', 'trip/a/k1', 'trip/a/k1', 'trip/b/k1'])
})

test('onUnknown retry begins another round at the longest pause, again and again', (t) => {
  const saga = scenario(define([step('a')]))
  saga.start()
  saga.wait(1000 + 100 + 1000 + 200)
  t.deepEqual(saga.wait(1000), ['unknown a', 'later do a #4'])
  t.deepEqual(saga.wait(399), [])
  t.deepEqual(saga.wait(1), ['do a #4'])
  t.deepEqual(saga.wait(1400), ['later do a #5', 'do a #5'])
  t.deepEqual(saga.wait(1400), ['later do a #6', 'do a #6'])
  t.deepEqual(saga.wait(1400), ['unknown a', 'later do a #7', 'do a #7'])
  t.deepEqual(saga.answer('a'), ['succeeded a', 'completed'])
})

test('onUnknown retry ends with the deadline', (t) => {
  const saga = scenario(define([step('a')], { deadlineMs: 4000 }))
  saga.start()
  saga.wait(3999)
  t.deepEqual(saga.wait(1), ['back: DeadlineExceeded', 'undo a'])
})

test('onUnknown compensate undoes the step too, since nobody knows (S2)', (t) => {
  const saga = scenario(define([step('a'), step('b', { onUnknown: 'compensate', retry: { ...retry, attempts: 1 } })]))
  saga.start()
  saga.answer('a')
  t.deepEqual(saga.wait(1000), ['unknown b', 'back: Unknown', 'undo b'])
  t.deepEqual(saga.instance?.failure, {
    type: 'Unknown',
    step: 'b',
    message: "step 'b' was not answered in 1 attempts"
  })
  t.deepEqual(saga.undone('b'), ['undone b', 'undo a'])
})

test('onUnknown park waits for an operator', (t) => {
  const saga = scenario(define([step('a', { onUnknown: 'park', retry: { ...retry, attempts: 1 } })]))
  saga.start()
  t.deepEqual(saga.wait(1000), ['unknown a', 'parked do a'])
  t.is(saga.status(), 'parked')
  t.is(saga.dueAt(), undefined)
  t.deepEqual(saga.wait(1e9), [])
})

const parked = () => {
  const saga = scenario(define([step('a', { onUnknown: 'park', until: 'Over' }), step('b')], { deadlineMs: 9000 }))
  saga.start()
  saga.wait(5000)
  t0(saga.status())
  return saga
}
const t0 = (status: unknown): void => {
  if (status !== 'parked') throw new Error(`expected a parked saga, got '${String(status)}'`)
}

test('a late answer settles the doubt of a parked step, and the saga goes on (S6)', (t) => {
  t.deepEqual(parked().answer('a', 'Over'), ['succeeded a', 'do b'])
  t.deepEqual(parked().refuse('a'), ['rejected a', 'back: ARefused', 'compensated'])
  const saga = parked()
  t.deepEqual(saga.answer('a'), ['progressed a'])
  t.is(saga.status(), 'waiting')
})

test('a parked step is still subject to cancel and deadline', (t) => {
  t.deepEqual(parked().cancel(), ['cancel', 'back: TripCancelled', 'undo a'])
  t.deepEqual(parked().wait(4000), ['back: DeadlineExceeded', 'undo a'])
})

test('onRejection park waits for an operator, and owes no undo', (t) => {
  const saga = scenario(define([step('a'), step('b', { onRejection: 'park' })]))
  saga.start()
  saga.answer('a')
  t.deepEqual(saga.refuse('b'), ['rejected b', 'parked do b'])
  t.is(saga.status(), 'parked')
  t.deepEqual(saga.answer('b'), [])
  t.deepEqual(saga.cancel(), ['cancel', 'back: TripCancelled', 'undo a'])
})

test('while one branch is parked, the others go on up to the join', (t) => {
  const saga = scenario(define([parallel([step('a', { onRejection: 'park' })], [step('b'), step('c')]), step('d')]))
  saga.start()
  saga.refuse('a')
  t.deepEqual(saga.answer('b'), ['succeeded b', 'do c'])
  t.deepEqual(saga.answer('c'), ['succeeded c'])
  t.is(saga.status(), 'parked')
})

test('an unanswered undo is sent again, and parked when its budget is used up', (t) => {
  const saga = scenario(define([step('a'), step('b')], { undoStart: {} }))
  saga.start()
  saga.answer('a')
  saga.refuse('b')
  t.deepEqual(saga.wait(1000), ['later undo a #2'])
  t.is(saga.status(), 'compensating')
  t.deepEqual(saga.wait(100), ['undo a #2'])
  t.deepEqual(saga.wait(1200), ['later undo a #3', 'undo a #3'])
  t.deepEqual(saga.wait(1000), ['parked undo a'])
  t.is(saga.status(), 'parked')
  t.is(saga.dueAt(), undefined)
  t.deepEqual(saga.undone('a'), ['undone a', 'undo start'])
  t.deepEqual(saga.wait(1000), ['later undo start #2'])
  t.deepEqual(saga.undone('start'), ['undone start', 'compensated'])
})

test('the undo of the start is parked like any other', (t) => {
  const saga = scenario(define([step('a')], { undoStart: { retry: { ...retry, attempts: 1 } } }))
  saga.start()
  saga.refuse('a')
  t.deepEqual(saga.wait(1000), ['parked undo start'])
})

test('a rejected undo is parked, once, and the other branch goes on', (t) => {
  const saga = scenario(define([parallel([step('a')], [step('b'), step('c')]), step('d')]))
  saga.start()
  for (const name of ['a', 'b', 'c']) saga.answer(name)
  saga.refuse('d')
  t.deepEqual(saga.undone('a', 'AStays'), ['parked undo a'])
  t.deepEqual(saga.undone('a', 'AStays'), [])
  t.deepEqual(saga.undone('c'), ['undone c', 'undo b'])
  t.deepEqual(saga.undone('b'), ['undone b'])
  t.is(saga.status(), 'parked')
  t.deepEqual(saga.undone('a'), ['undone a', 'compensated'])
})

test('after the pivot an unknown outcome is asked for without end, whatever the step says', (t) => {
  const once = { ...retry, attempts: 1 }
  const saga = scenario(define([pivot('pay'), step('a', { undo: false, onUnknown: 'compensate', retry: once })]))
  saga.start()
  saga.answer('pay')
  t.deepEqual(saga.wait(1000), ['unknown a', 'later do a #2'])
  t.deepEqual(saga.wait(1100), ['do a #2', 'unknown a', 'later do a #3'])
})

test('after the pivot a rejection is parked', (t) => {
  const saga = scenario(define([pivot('pay'), step('a', { undo: false })]))
  saga.start()
  saga.answer('pay')
  t.deepEqual(saga.refuse('a'), ['rejected a', 'parked do a'])
})

test('the pivot itself is asked for again, since it may have been reached', (t) => {
  const saga = scenario(
    define([step('a'), pivot('pay', { onUnknown: 'compensate', retry: { ...retry, attempts: 1 } })])
  )
  saga.start()
  saga.answer('a')
  t.deepEqual(saga.wait(1000), ['unknown pay', 'later do pay #2'])
})
