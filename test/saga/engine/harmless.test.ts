import test from 'ava'

import { commandId, decide, evolve, type Instance, type SagaInput } from '../../../src/saga/index.ts'
import { define, parallel, pivot, retry, step } from './build.ts'
import { payload, type Scenario, scenario } from './scenario.ts'

/** Every state that a saga of all kinds of steps passes through on its ways to its ends, by name. */
const definition = define(
  [
    step('a', { keepsReply: true }),
    parallel([step('b')], [step('c', { until: 'COver' })]),
    pivot('pay'),
    step('mail', { undo: false, onUnknown: 'park', retry: { ...retry, attempts: 2 } })
  ],
  { undoStart: {}, deadlineMs: 100_000 }
)

const ways: Readonly<Record<string, readonly ((saga: Scenario) => unknown)[]>> = {
  'to completed': [
    (saga) => saga.start(),
    (saga) => saga.answer('a'),
    (saga) => saga.answer('c'),
    (saga) => saga.answer('b'),
    (saga) => saga.answer('c', 'COver'),
    (saga) => saga.answer('pay'),
    (saga) => saga.answer('mail')
  ],
  'over retries to parked': [
    (saga) => saga.start(),
    (saga) => saga.wait(1000),
    (saga) => saga.wait(100),
    (saga) => saga.answer('a'),
    (saga) => saga.answer('b'),
    (saga) => saga.answer('c', 'COver'),
    (saga) => saga.cancel(),
    (saga) => saga.answer('pay'),
    (saga) => saga.wait(2100)
  ],
  'to compensated': [
    (saga) => saga.start(),
    (saga) => saga.answer('a'),
    (saga) => saga.refuse('b'),
    (saga) => saga.wait(1000),
    (saga) => saga.undone('c'),
    (saga) => saga.undone('a'),
    (saga) => saga.undone('start')
  ],
  'to an undo that is parked': [
    (saga) => saga.start(),
    (saga) => saga.answer('a'),
    (saga) => saga.cancel(),
    (saga) => saga.undone('b', 'BStays')
  ]
}

const walkedTo = (way: string, steps: number): Scenario => {
  const saga = scenario(definition)
  for (const go of ways[way]!.slice(0, steps)) go(saga)
  return saga
}

const states = Object.entries(ways).flatMap(([way, moves]) =>
  moves.map((_, index) => ({ title: `${way}, after ${index + 1} moves`, at: () => walkedTo(way, index + 1) }))
)

const answerTo = (id: string, type: string): SagaInput => ({ kind: 'answer', commandId: id, message: payload(type) })

test('what belongs to another saga, instance, step or command changes nothing in any state (S6)', (t) => {
  const foreign = [
    answerTo('other/a/k1', 'ADone'),
    answerTo('trip/a/k2', 'ADone'),
    answerTo('trip/z/k1', 'ADone'),
    answerTo('trip/z!undo/k1', 'AUndone'),
    answerTo('trip/pay!undo/k1', 'PayUndone'),
    answerTo('trip/start/k1', 'StartUndone'),
    answerTo('trip/a/k1', 'AUndone'),
    answerTo('trip/a/k1', 'Unheard'),
    answerTo('trip/a!undo/k1', 'ADone'),
    answerTo('trip/a!undo/k1', 'Unheard'),
    answerTo('nonsense', 'ADone'),
    { kind: 'start', key: 'k1', message: payload('TripBooked') }
  ] as const
  for (const { title, at } of states) {
    for (const input of foreign) t.deepEqual(at().give(input), [], `${title}: ${JSON.stringify(input)}`)
  }
})

test('a timer that fires early changes nothing in any state (S6)', (t) => {
  for (const { title, at } of states) {
    const saga = at()
    saga.now = (saga.dueAt() ?? Infinity) - 1
    if (saga.now === Infinity) saga.now = 1e12
    t.deepEqual(saga.give({ kind: 'timer' }), [], title)
  }
})

test('a timer that fires twice changes nothing the second time (S6)', (t) => {
  for (const { title, at } of states) {
    const saga = at()
    saga.now = saga.dueAt() ?? saga.now
    saga.give({ kind: 'timer' })
    t.deepEqual(saga.give({ kind: 'timer' }), [], title)
  }
})

test('whatever has been said once changes nothing when it is said again, in any later state (S6)', (t) => {
  const said = (saga: Scenario): SagaInput[] =>
    saga.journal.flatMap(({ event: { type, value } }): SagaInput[] => {
      if (type === 'StepProgressed') return [answerTo(commandId('trip', value.step, 'k1', false), value.reply.type)]
      if (type === 'StepSucceeded') return [answerTo(commandId('trip', value.step, 'k1', false), value.reply.type)]
      if (type === 'StepRejected') return [answerTo(commandId('trip', value.step, 'k1', false), value.rejection.type)]
      if (type === 'CancelRequested') return [{ kind: 'cancel', message: payload(value.event) }]
      if (type !== 'StepCompensated') return []
      const undone = `${value.step[0]!.toUpperCase()}${value.step.slice(1)}Undone`
      return [answerTo(commandId('trip', value.step, 'k1', true), undone)]
    })
  let repeats = 0
  for (const { title, at } of states) {
    for (const input of said(at())) {
      repeats++
      t.deepEqual(at().give(input), [], `${title}: ${JSON.stringify(input)}`)
    }
  }
  t.true(repeats > 50)
})

test('an ended saga says nothing more to anything', (t) => {
  const inputs: SagaInput[] = [
    { kind: 'timer' },
    { kind: 'cancel', message: payload('TripCancelled') },
    { kind: 'start', key: 'k1', message: payload('TripBooked') },
    ...definition.steps.flatMap(({ name, replies, rejections }) =>
      [...replies, ...rejections, 'COver'].map((type) => answerTo(commandId('trip', name, 'k1', false), type))
    )
  ]
  for (const way of ['to completed', 'to compensated']) {
    for (const input of inputs) {
      const saga = walkedTo(way, 99)
      saga.now = 1e12
      t.deepEqual(saga.give(input), [], `${way}: ${JSON.stringify(input)}`)
      t.is(saga.dueAt(), undefined)
    }
  }
})

test('without an instance only a start begins one', (t) => {
  t.deepEqual(scenario(definition).cancel(), [])
  t.deepEqual(scenario(definition).answer('a'), [])
  t.deepEqual(scenario(definition).give({ kind: 'timer' }), [])
})

test('a reply that comes after its undo was sent is recorded once, and changes nothing else', (t) => {
  const saga = walkedTo('to compensated', 3)
  t.deepEqual(saga.answer('c', 'COver'), ['late c'])
  t.deepEqual(saga.answer('c', 'COver'), [])
  t.deepEqual(saga.answer('c'), [])
  t.deepEqual(saga.refuse('c'), [])
  t.deepEqual(saga.undone('c'), ['undone c', 'undo a'])
  t.deepEqual(saga.answer('a'), [])
})

test('a late reply does not stop the timer of its undo', (t) => {
  const saga = walkedTo('to compensated', 3)
  const due = saga.dueAt()
  saga.answer('c', 'COver')
  t.is(saga.dueAt(), due)
})

test('a step that may not be undone is left alone when its answer comes after the saga turned back', (t) => {
  const saga = scenario(
    define([parallel([step('look', { undo: false })], [step('look2', { undo: false })], [step('a')], [step('b')])])
  )
  saga.start()
  saga.refuse('a')
  t.deepEqual(saga.answer('look'), ['late look'])
  t.deepEqual(saga.refuse('look2'), ['rejected look2'])
  t.deepEqual(saga.undone('b'), ['undone b', 'compensated'])
})

test('folding the journal again, from data alone, gives the same instance (S8)', (t) => {
  for (const { title, at } of states) {
    const saga = at()
    let folded: Instance | undefined
    for (const { event, at } of structuredClone(saga.journal)) folded = evolve(folded, event, at)
    t.deepEqual(folded, saga.instance, title)
  }
})

test('a journal that begins in the middle folds to nothing', (t) => {
  const saga = walkedTo('to completed', 1)
  t.is(evolve(undefined, saga.journal[1]!.event, 0), undefined)
})

test('an instance under another definition than its own is refused', (t) => {
  const saga = walkedTo('to completed', 1)
  for (const other of [
    { ...definition, revision: 'r2' },
    { ...definition, name: 'tour' }
  ]) {
    t.throws(() => decide(other, saga.instance, { kind: 'timer' }, { now: 0 }), { code: 'PARCOMOLO_SAGA_DEFECT' })
  }
})

test('a definition that contradicts itself is stopped instead of looping for ever', (t) => {
  const when = { source: 'false', evaluate: () => false }
  const sound = define([step('a', { when })])
  let reads = 0
  const neverTheSame = Object.defineProperty({ ...sound.steps[0]! }, 'index', { get: () => reads++ })
  const unsound = { ...sound, steps: [neverTheSame] }
  t.throws(() => scenario(unsound).start(), { code: 'PARCOMOLO_SAGA_DEFECT', message: /does not come to rest/ })
})
