import test from 'ava'
import { foldSaga, type SagaRow } from '../../src/view/sagas.ts'
import { timelineEntries } from '../../src/view/timeline.ts'
import { failing, issued, sagaAfter, sagaRecords, start, succeeded } from './told-saga.ts'

const stands = test.macro({
  exec: (t, told: Parameters<typeof sagaAfter>, status: string, step: string | null) => {
    const row = sagaAfter(...told)
    t.is(row.status, status as SagaRow['status'])
    t.is(row.step, step)
  },
  title: (name) => `saga: ${name}`
})

test('runs between its steps', stands, [start], 'running', null)
test('runs at the step whose command is out', stands, [start, issued('a')], 'running', 'a')
test('runs on after a step', stands, [start, issued('a'), succeeded('a'), issued('b')], 'running', 'b')
test(
  'retries while it pauses, and while a later attempt is out',
  stands,
  [start, issued('a'), ['RetryScheduled', { step: 'a', attempt: 2, undo: false, dueAt: 5 }], issued('a', 2)],
  'retrying',
  'a'
)
test(
  'waits for an event that ends a step',
  stands,
  [start, issued('a'), ['StepProgressed', { step: 'a', replyType: 'Started' }]],
  'waiting',
  'a'
)
test(
  'runs while one of two branches waits',
  stands,
  [start, issued('a'), ['StepProgressed', { step: 'a', replyType: 'Started' }], issued('b')],
  'running',
  'b'
)
test(
  'compensates from the failure on',
  stands,
  [
    start,
    issued('a'),
    succeeded('a'),
    issued('b'),
    ['StepRejected', { step: 'b', rejectionType: 'Declined' }],
    failing
  ],
  'compensating',
  null
)
test(
  'compensates also while an undo is retried',
  stands,
  [start, issued('a'), succeeded('a'), failing, issued('a', 2, true)],
  'compensating',
  'a'
)
test(
  'is parked, whatever else is under way',
  stands,
  [start, issued('a'), ['SagaParked', { step: 'a', undo: false, reason: 'r' }], issued('b')],
  'parked',
  'b'
)
test(
  'leaves the park when the step goes on',
  stands,
  [start, issued('a'), ['SagaParked', { step: 'a', undo: false, reason: 'r' }], succeeded('a')],
  'running',
  null
)
const still = ['SagaParked', { step: '', undo: false, reason: 'no definition' }] as const
test('is parked as a whole', stands, [start, issued('a'), still], 'parked', '')
test(
  'leaves the park when its definition is there again',
  stands,
  [start, issued('a'), still, ['SagaResumed', { step: '' }]],
  'running',
  'a'
)
test('completes', stands, [start, issued('a'), succeeded('a'), ['SagaCompleted']], 'completed', null)
test(
  'has been compensated',
  stands,
  [start, failing, issued('start', 1, true), ['StepCompensated', { step: 'start' }], ['SagaCompensated']],
  'compensated',
  null
)
test('never leaves its end', stands, [start, ['SagaCompleted'], issued('a')], 'completed', null)

test('a saga lists all that has happened to it, with what each event is about', (t) => {
  const row = sagaAfter(start, issued('a', 2), failing, ['CancelRefused', { reason: 'it says "no"' }])
  t.deepEqual(
    timelineEntries(row.timeline).map(({ type, step, attempt, detail }) => [type, step, attempt, detail]),
    [
      ['SagaStarted', undefined, undefined, 'OrderPlaced'],
      ['CommandIssued', 'a', 2, 'Do'],
      ['CompensationStarted', undefined, undefined, 'Declined'],
      ['CancelRefused', undefined, undefined, 'it says "no"']
    ]
  )
  t.deepEqual(row.failure, { type: 'Declined', step: 'b', message: 'no' })
})

const rejectedWith = (step: string) => ['StepRejected', { step, rejectionType: 'Declined' }] as const
const parkedAt = (step: string) => ['SagaParked', { step, undo: false, reason: 'no' }] as const

test('a saga that is parked for a rejection has it as its failure, until the step is settled', (t) => {
  const parked = [start, issued('a'), rejectedWith('a'), parkedAt('a')] as const
  const failure = { type: 'Declined', step: 'a', message: "step 'a' was rejected with 'Declined'" }
  t.deepEqual(sagaAfter(...parked).failure, failure)
  t.deepEqual(sagaAfter(...parked, issued('b'), succeeded('b')).failure, failure)
  t.is(sagaAfter(...parked, succeeded('a')).failure, null)
})

test('what a saga turns back for stays its failure', (t) => {
  const row = sagaAfter(start, issued('b'), issued('a'), failing, rejectedWith('a'), succeeded('b'))
  t.deepEqual(row.failure, { type: 'Declined', step: 'b', message: 'no' })
})

test('the timeline of a saga that retries for ever keeps its beginning and its end', (t) => {
  const attempts = Array.from({ length: 1000 }, (_, i) => issued('a', i + 1))
  const row = sagaAfter(start, ...attempts)
  const entries = timelineEntries(row.timeline)
  t.is(entries.length, 400)
  t.is(entries.length + row.omitted, 1001)
  t.is(entries[0]?.type, 'SagaStarted')
  t.is(entries.at(-1)?.attempt, 1000)
})

test('an event of an instance that never started is of nobody', (t) => {
  t.is(foldSaga(undefined, sagaRecords([['SagaCompleted']])[0]!), undefined)
})
test("a saga's timeline is in order of time as well", (t) => {
  const [first, ...others] = sagaRecords([start, issued('a', 1), issued('a', 2)])
  const times = [5, 9, 7]
  const row = [first!, ...others].reduce<SagaRow | undefined>(
    (before, record, i) => foldSaga(before, { ...record, at: times[i]! }),
    undefined
  )
  t.deepEqual(
    timelineEntries(row!.timeline).map(({ at, attempt }) => [at, attempt]),
    [
      [5, undefined],
      [7, 2],
      [9, 1]
    ]
  )
})
