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
})

test('a rejection undoes what was done, last first, then the start', (t) => {
  const saga = trip()
  saga.start()
  saga.answer('train')
  saga.answer('hotel')
  t.deepEqual(saga.refuse('pay'), ['rejected pay', 'back: PayRefused', 'undo hotel'])
  t.deepEqual(saga.undone('hotel'), ['undone hotel', 'undo train'])
  t.deepEqual(saga.undone('train'), ['undone train', 'undo start'])
  t.deepEqual(saga.undone('start'), ['undone start', 'compensated'])
})

test('the branches of a parallel run side by side and are joined', (t) => {
  const saga = scenario(define([parallel([step('a'), step('b')], [step('c')]), step('d')]))
  t.deepEqual(saga.start(), ['started', 'do a', 'do c'])
  t.deepEqual(saga.answer('c'), ['succeeded c'])
  t.deepEqual(saga.answer('a'), ['succeeded a', 'do b'])
  t.deepEqual(saga.answer('b'), ['succeeded b', 'do d'])
  t.deepEqual(saga.answer('d'), ['succeeded d', 'completed'])
})

test('an unanswered command is sent again under the same id, later each time', (t) => {
  const saga = trip()
  saga.start()
  t.deepEqual(saga.wait(1000), ['later do train #2'])
  t.deepEqual(saga.wait(99), [])
  t.deepEqual(saga.wait(1), ['do train #2'])
  t.deepEqual(saga.wait(1000), ['later do train #3'])
  t.deepEqual(saga.wait(199), [])
  t.deepEqual(saga.wait(1), ['do train #3'])
  t.deepEqual(saga.wait(1000), ['unknown train', 'later do train #4'])
  t.deepEqual(saga.wait(399), [])
  t.deepEqual(saga.answer('train'), ['succeeded train', 'do hotel'])
})
