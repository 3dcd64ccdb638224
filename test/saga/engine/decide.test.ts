import test from 'ava'

import { define, emission, expression, parallel, pivot, step } from './build.ts'
import { scenario } from './scenario.ts'

const trip = () =>
  scenario(define([step('train'), step('hotel'), pivot('pay'), step('mail', { undo: false })], { undoStart: {} }))

test('a sequence sends each command after the reply to the last', (t) => {
  const saga = trip()
  t.deepEqual(saga.start(), ['started', 'do train'])
  t.deepEqual(saga.answer('train'), ['succeeded train', 'do hotel'])
  t.deepEqual(saga.answer('hotel'), ['succeeded hotel', 'do pay'])
  t.deepEqual(saga.answer('pay'), ['succeeded pay', 'pivot pay', 'do mail'])
  t.deepEqual(saga.answer('mail'), ['succeeded mail', 'completed'])
  t.is(saga.status(), 'completed')
})

test('a rejection undoes what was done, last first, then the start (S2, S3)', (t) => {
  const saga = trip()
  saga.start()
  saga.answer('train')
  saga.answer('hotel')
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: PayRefused', 'undo hotel'])
  t.is(saga.status(), 'compensating')
  t.deepEqual(saga.undone('hotel'), ['undone hotel', 'undo train'])
  t.deepEqual(saga.undone('train'), ['undone train', 'undo start'])
  t.deepEqual(saga.undone('start'), ['undone start', 'compensated'])
  t.is(saga.status(), 'compensated')
})

test('without steps to undo, a rejection compensates the start alone', (t) => {
  const saga = trip()
  saga.start()
  t.deepEqual(saga.refuse('train'), ['rejected train', 'back: TrainRefused', 'undo start'])
})

test('without anything to undo, a rejection ends the saga at once', (t) => {
  const saga = scenario(define([step('train')]))
  saga.start()
  t.deepEqual(saga.refuse('train'), ['rejected train', 'back: TrainRefused', 'compensated'])
})

test('a step without an undo is passed over on the way back', (t) => {
  const saga = scenario(define([step('a'), step('look', { undo: false }), step('b')]))
  saga.start()
  saga.answer('a')
  saga.answer('look')
  t.deepEqual(saga.refuse('b'), ['rejected b', 'back: BRefused', 'undo a'])
})

test('the branches of a parallel run side by side and are joined', (t) => {
  const saga = scenario(define([parallel([step('a'), step('b')], [step('c')]), step('d')]))
  t.deepEqual(saga.start(), ['started', 'do a', 'do c'])
  t.deepEqual(saga.answer('c'), ['succeeded c'])
  t.deepEqual(saga.answer('a'), ['succeeded a', 'do b'])
  t.deepEqual(saga.answer('b'), ['succeeded b', 'do d'])
  t.deepEqual(saga.answer('d'), ['succeeded d', 'completed'])
})

test('branches are undone side by side, each in its own reverse order, and then what came before (S3)', (t) => {
  const saga = scenario(define([step('a'), parallel([step('b'), step('c')], [step('d'), step('e')]), step('f')]))
  saga.start()
  for (const name of ['a', 'b', 'd', 'c', 'e']) saga.answer(name)
  t.deepEqual(saga.refuse('f'), ['rejected f', 'back: FRefused', 'undo c', 'undo e'])
  t.deepEqual(saga.undone('e'), ['undone e', 'undo d'])
  t.deepEqual(saga.undone('d'), ['undone d'])
  t.deepEqual(saga.undone('c'), ['undone c', 'undo b'])
  t.deepEqual(saga.undone('b'), ['undone b', 'undo a'])
  t.deepEqual(saga.undone('a'), ['undone a', 'compensated'])
})

test('what is in flight when a sibling is rejected is undone at once (S2)', (t) => {
  const saga = scenario(define([parallel([step('a'), step('b')], [step('c')], [step('d')])]))
  saga.start()
  saga.answer('a')
  saga.answer('d')
  t.deepEqual(saga.refuse('c'), ['rejected c', 'back: CRefused', 'undo b', 'undo d'])
  t.deepEqual(saga.undone('b'), ['undone b', 'undo a'])
  t.deepEqual(saga.undone('d'), ['undone d'])
  t.deepEqual(saga.undone('a'), ['undone a', 'compensated'])
})

test('parallels nest', (t) => {
  const saga = scenario(define([parallel([parallel([step('a')], [step('b')]), step('c')], [step('d')])]))
  t.deepEqual(saga.start(), ['started', 'do a', 'do b', 'do d'])
  saga.answer('a')
  t.deepEqual(saga.answer('b'), ['succeeded b', 'do c'])
  t.deepEqual(saga.refuse('d'), ['rejected d', 'back: DRefused', 'undo c'])
  t.deepEqual(saga.undone('c'), ['undone c', 'undo a', 'undo b'])
})

test('a step whose condition is false is skipped, and never undone', (t) => {
  const when = expression(({ start }) => Number(start!['price']) > 100)
  const definition = define([step('check', { when }), step('hotel')])
  const cheap = scenario(definition)
  t.deepEqual(cheap.start({ price: 1 }), ['started', 'skipped check', 'do hotel'])
  t.deepEqual(cheap.refuse('hotel'), ['rejected hotel', 'back: HotelRefused', 'compensated'])
  t.deepEqual(scenario(definition).start({ price: 101 }), ['started', 'do check'])
})

test('a saga may skip every step', (t) => {
  const when = expression(() => false)
  t.deepEqual(scenario(define([step('a', { when }), parallel([step('b', { when })])])).start(), [
    'started',
    'skipped a',
    'skipped b',
    'completed'
  ])
})

test('a skipped pivot is passed all the same, since the steps after it have no undo', (t) => {
  const saga = scenario(
    define([step('a'), pivot('pay', { when: expression(() => false) }), step('b', { undo: false })])
  )
  saga.start()
  t.deepEqual(saga.answer('a'), ['succeeded a', 'skipped pay', 'pivot pay', 'do b'])
})

test('with until, the reply is progress, and the step waits for the event without a timeout', (t) => {
  const saga = scenario(define([step('ship', { until: 'Arrived' }), step('mail')]))
  saga.start()
  t.deepEqual(saga.answer('ship'), ['progressed ship'])
  t.is(saga.status(), 'waiting')
  t.is(saga.dueAt(), undefined)
  t.deepEqual(saga.answer('ship', 'Arrived'), ['succeeded ship', 'do mail'])
})

test('with until, the event may come before the reply', (t) => {
  const saga = scenario(define([step('ship', { until: 'Arrived' }), step('mail')]))
  saga.start()
  t.deepEqual(saga.answer('ship', 'Arrived'), ['succeeded ship', 'do mail'])
  t.deepEqual(saga.answer('ship'), [])
})

test('with until, a rejection may still come while it waits', (t) => {
  const saga = scenario(define([step('pay', { until: 'Captured' })]))
  saga.start()
  saga.answer('pay')
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: PayRefused', 'compensated'])
})

test('a step that waits for its event is undone when the saga turns back', (t) => {
  const saga = scenario(define([parallel([step('ship', { until: 'Arrived' })], [step('pay')])]))
  saga.start()
  saga.answer('ship')
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: PayRefused', 'undo ship'])
})

test('complete and abort emit their event before the end', (t) => {
  const definition = define([step('a')], { complete: emission('TripMade'), abort: emission('TripFailed') })
  const good = scenario(definition)
  good.start()
  t.deepEqual(good.answer('a'), ['succeeded a', 'emit TripMade', 'completed'])
  const bad = scenario(definition)
  bad.start()
  t.deepEqual(bad.refuse('a'), ['rejected a', 'back: ARefused', 'emit TripFailed', 'compensated'])
})

test('expressions see the start, the kept replies, the failure and the saga', (t) => {
  const seen: unknown[] = []
  const definition = define(
    [
      step('a', { keepsReply: true }),
      step('b'),
      step('c', {
        with: ({ start, steps, failure, saga }) => {
          seen.push({ start, steps, failure, saga })
          return { id: 'c' }
        }
      })
    ],
    {
      undoStart: {
        arguments: {
          evaluate: ({ failure }) => {
            seen.push(failure)
            return { reason: failure!.type }
          }
        }
      }
    }
  )
  const saga = scenario(definition)
  saga.start({ price: 7 })
  saga.answer('a', 'ADone', { seat: 12 })
  saga.answer('b', 'BDone', { room: 3 })
  saga.refuse('c')
  saga.undone('b')
  saga.undone('a')
  t.deepEqual(seen, [
    {
      start: { price: 7 },
      steps: { a: { seat: 12 } },
      failure: undefined,
      saga: { name: 'trip', key: 'k1', revision: 'r1' }
    },
    { type: 'CRefused', step: 'c', message: "step 'c' was rejected with 'CRefused'" }
  ])
  const undo = saga.journal.map(({ event }) => event).findLast((event) => event.type === 'CommandIssued')
  t.deepEqual(undo?.value, {
    step: 'start',
    index: -1,
    undo: true,
    pivot: false,
    attempt: 1,
    commandId: 'trip/start!undo/k1',
    command: 'UndoStart',
    commandFullName: 'test.UndoStart',
    inbox: 'test-commands',
    recordKey: null,
    arguments: { reason: 'CRefused' },
    dueAt: 1000,
    expiresAt: null
  })
})

test('a command is issued with its id, its arguments and the time when its answer is overdue', (t) => {
  const saga = scenario(define([step('a', { with: ({ start }) => ({ for: start!['who'] }) })]))
  saga.now = 5000
  saga.start({ who: 'Ada' })
  t.deepEqual(saga.journal[1], {
    at: 5000,
    event: {
      type: 'CommandIssued',
      value: {
        step: 'a',
        index: 0,
        undo: false,
        pivot: false,
        attempt: 1,
        commandId: 'trip/a/k1',
        command: 'DoA',
        commandFullName: 'test.DoA',
        inbox: 'test-commands',
        recordKey: null,
        arguments: { for: 'Ada' },
        dueAt: 6000,
        expiresAt: null
      }
    }
  })
})
