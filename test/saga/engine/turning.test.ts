import test from 'ava'

import { define, emission, expression, parallel, pivot, retry, step } from './build.ts'
import { scenario } from './scenario.ts'

const trip = () =>
  scenario(define([step('hotel'), pivot('pay'), step('mail', { undo: false })], { deadlineMs: 10_000 }))

test('a cancel before the pivot compensates what was sent', (t) => {
  const saga = trip()
  saga.start()
  t.deepEqual(saga.cancel(), ['cancel', 'back: TripCancelled', 'undo hotel'])
  t.deepEqual(saga.instance?.failure, { type: 'TripCancelled', step: '', message: "'TripCancelled' came" })
  t.deepEqual(saga.undone('hotel'), ['undone hotel', 'compensated'])
})

test('a cancel while the pivot is in flight waits, and is refused when the pivot succeeds (S4)', (t) => {
  const saga = trip()
  saga.start()
  saga.answer('hotel')
  t.deepEqual(saga.cancel(), ['cancel'])
  t.deepEqual(saga.answer('pay'), ['succeeded pay', 'pivot pay', 'cancel refused', 'do mail'])
  t.deepEqual(saga.cancel(), [])
  t.deepEqual(saga.answer('mail'), ['succeeded mail', 'completed'])
})

test('a cancel while the pivot is in flight is the failure when the pivot is rejected', (t) => {
  const saga = trip()
  saga.start()
  saga.answer('hotel')
  saga.cancel()
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: TripCancelled', 'undo hotel'])
})

test('a cancel after the pivot is refused, and recorded once', (t) => {
  const saga = trip()
  saga.start()
  saga.answer('hotel')
  saga.answer('pay')
  t.deepEqual(saga.cancel(), ['cancel', 'cancel refused'])
  t.deepEqual(saga.cancel(), [])
})

test('the deadline before the pivot compensates', (t) => {
  const saga = scenario(define([step('a', { until: 'Over' })], { deadlineMs: 10_000 }))
  saga.start()
  saga.answer('a')
  t.is(saga.dueAt(), 10_000)
  t.deepEqual(saga.wait(9999), [])
  t.deepEqual(saga.wait(1), ['back: DeadlineExceeded', 'undo a'])
  t.deepEqual(saga.instance?.failure, { type: 'DeadlineExceeded', step: '', message: 'the deadline has passed' })
})

test('the pivot is not sent after the deadline, even if the reply before it comes before the timer', (t) => {
  const saga = trip()
  saga.start()
  saga.now = 10_000
  t.deepEqual(saga.answer('hotel'), ['succeeded hotel', 'back: DeadlineExceeded', 'undo hotel'])
})

test('the deadline means nothing once the pivot is sent (S4)', (t) => {
  const saga = scenario(define([pivot('pay', { until: 'Captured' })], { deadlineMs: 10_000 }))
  saga.start()
  saga.answer('pay')
  t.is(saga.dueAt(), undefined)
  saga.now = 20_000
  t.deepEqual(saga.give({ kind: 'timer' }), [])
  t.deepEqual(saga.answer('pay', 'Captured'), ['succeeded pay', 'pivot pay', 'completed'])
})

test('a pivot that is rejected after the deadline names the rejection', (t) => {
  const saga = scenario(define([pivot('pay')], { deadlineMs: 10_000 }))
  saga.start()
  saga.now = 20_000
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: PayRefused', 'compensated'])
})

const beside = (onUnknown: 'compensate' | 'retry' = 'compensate') =>
  scenario(define([parallel([pivot('pay')], [step('a', { onUnknown, retry: { ...retry, attempts: 1 } }), step('b')])]))

test('a rejection beside the pivot in flight waits for its outcome: rejected too, it compensates', (t) => {
  const saga = beside()
  saga.start()
  t.deepEqual(saga.refuse('a'), ['rejected a'])
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: PayRefused', 'compensated'])
})

test('a rejection beside the pivot in flight waits for its outcome: reached, it needs an operator', (t) => {
  const saga = beside()
  saga.start()
  saga.refuse('a')
  t.deepEqual(saga.answer('pay'), ['succeeded pay', 'pivot pay', 'parked do a'])
})

test('an unknown outcome beside the pivot in flight waits for its outcome: rejected, it is undone', (t) => {
  const saga = scenario(
    define([
      parallel(
        [pivot('pay', { timeoutMs: 9000 })],
        [step('a', { onUnknown: 'compensate', retry: { ...retry, attempts: 1 } })],
        [step('b', { onUnknown: 'retry', retry: { ...retry, attempts: 1 } })]
      )
    ])
  )
  saga.start()
  t.deepEqual(saga.wait(1000), ['unknown a', 'unknown b', 'later do b #2'])
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: PayRefused', 'undo a', 'undo b'])
})

test('an unknown outcome beside the pivot in flight waits for its outcome: reached, it is asked for again', (t) => {
  const saga = beside()
  saga.start()
  saga.wait(1000)
  t.deepEqual(saga.answer('pay'), ['succeeded pay', 'pivot pay', 'later do a #2'])
})

test('an unknown outcome beside the pivot in flight may be settled by a late reply', (t) => {
  const saga = beside()
  saga.start()
  saga.wait(1000)
  t.deepEqual(saga.answer('a'), ['succeeded a', 'do b'])
})

test('a cancel compensates a pivot that was rejected and parked', (t) => {
  const saga = scenario(define([step('a'), pivot('pay', { onRejection: 'park' })]))
  saga.start()
  saga.answer('a')
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'parked do pay'])
  t.deepEqual(saga.cancel(), ['cancel', 'back: TripCancelled', 'undo a'])
})

const fails = (): never => {
  throw new Error('no such thing')
}
const failing = { arguments: { evaluate: fails } }

test('an expression that fails before the pivot compensates (S7)', (t) => {
  const inArguments = scenario(define([step('a'), step('b', { with: fails })]))
  inArguments.start()
  t.deepEqual(inArguments.answer('a'), ['succeeded a', 'back: ExpressionFailed', 'undo a'])
  t.deepEqual(inArguments.instance?.failure, { type: 'ExpressionFailed', step: 'b', message: 'no such thing' })
  const inCondition = scenario(define([step('a'), step('b', { when: expression(fails) })]))
  inCondition.start()
  t.deepEqual(inCondition.answer('a'), ['succeeded a', 'back: ExpressionFailed', 'undo a'])
  const inCompletion = scenario(define([step('a')], { complete: emission('TripMade', fails) }))
  inCompletion.start()
  t.deepEqual(inCompletion.answer('a'), ['succeeded a', 'back: ExpressionFailed', 'undo a'])
})

test('an expression that fails after the pivot is parked (S7)', (t) => {
  const saga = scenario(define([pivot('pay'), step('a', { undo: false, with: fails })]))
  saga.start()
  t.deepEqual(saga.answer('pay'), ['succeeded pay', 'pivot pay', 'parked do a'])
  t.deepEqual(saga.give({ kind: 'timer' }), [])
  const inCompletion = scenario(define([pivot('pay')], { complete: emission('TripMade', fails) }))
  inCompletion.start()
  t.deepEqual(inCompletion.answer('pay'), ['succeeded pay', 'pivot pay', 'parked do complete'])
  t.deepEqual(inCompletion.answer('pay'), [])
})

test('an expression that fails in an undo or in abort is parked (S7)', (t) => {
  const inUndo = scenario(define([step('a', { undo: failing }), step('b')]))
  inUndo.start()
  inUndo.answer('a')
  t.deepEqual(inUndo.refuse('b'), ['rejected b', 'back: BRefused', 'parked undo a'])
  t.deepEqual(inUndo.undone('a'), [])
  const inAbort = scenario(define([step('a')], { abort: emission('TripFailed', fails), undoStart: {} }))
  inAbort.start()
  inAbort.refuse('a')
  t.deepEqual(inAbort.undone('start'), ['undone start', 'parked undo abort'])
  t.deepEqual(inAbort.undone('start'), [])
})

const needsReply = () => {
  const refund = { arguments: { evaluate: ({ steps }: { steps?: object }) => ({ id: idOf(steps) }) } }
  const once = { ...retry, attempts: 1 }
  const saga = scenario(define([step('pay', { keepsReply: true, onUnknown: 'compensate', retry: once, undo: refund })]))
  saga.start()
  saga.wait(1000)
  return saga
}
const idOf = (steps: unknown): unknown => (steps as { pay: { paymentId: string } }).pay.paymentId

test('an undo that needs the reply waits, parked, until the reply comes late (S6)', (t) => {
  const saga = needsReply()
  t.is(saga.status(), 'parked')
  t.deepEqual(saga.answer('pay', 'PayDone', { paymentId: 'p7' }), ['late pay', 'undo pay'])
  const undo = saga.journal.map(({ event }) => event).findLast((event) => event.type === 'CommandIssued')
  t.deepEqual(undo?.value.arguments, { id: 'p7' })
  t.deepEqual(saga.undone('pay'), ['undone pay', 'compensated'])
})

test('an undo that needs the reply is not owed when a rejection comes instead, which is not the failure', (t) => {
  const saga = needsReply()
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'compensated'])
  t.is(saga.instance?.failure?.type, 'Unknown')
})

test('an undo is the same at every attempt, though the reply that it could do without comes in between (S5)', (t) => {
  const undo = { arguments: { evaluate: ({ steps }: { steps?: object }) => ({ known: Object.keys(steps!) }) } }
  const once = { ...retry, attempts: 1 }
  const saga = scenario(define([step('pay', { keepsReply: true, onUnknown: 'compensate', retry: once, undo })]))
  saga.start()
  saga.wait(1000)
  t.deepEqual(saga.answer('pay'), ['late pay'])
  t.deepEqual(saga.wait(1100), ['later undo pay #2', 'undo pay #2'])
  const undos = saga.journal.flatMap(({ event }) => (event.type === 'CommandIssued' && event.value.undo ? [event] : []))
  t.deepEqual(
    undos.map(({ value }) => value.arguments),
    [{ known: [] }, { known: [] }]
  )
})
