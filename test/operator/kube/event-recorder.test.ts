import test from 'ava'
import { ParcomoloError } from '../../../src/base/index.ts'
import { cutToBytes, EventRecorder, type Occurrence } from '../../../src/operator/kube/event-recorder.ts'
import { VirtualTime } from '../../helpers/virtual-time.ts'

type Call = { name?: string; event: Record<string, unknown> }

const setUp = (title: string) => {
  const time = new VirtualTime(title)
  const calls: Call[] = []
  const faults: Error[] = []
  const errors: unknown[] = []
  const answer = async (call: Call): Promise<void> => {
    const fault = faults.shift()
    if (fault !== undefined) throw fault
    calls.push(call)
  }
  const recorder = new EventRecorder({
    events: {
      createEvent: (event) => answer({ event: event as Call['event'] }),
      patchEvent: (name, event) => answer({ name, event: event as Call['event'] })
    },
    clock: { now: () => time.now(), at: (at, call) => time.after(at - time.now(), call) },
    controller: 'parcomolo.io/operator',
    instance: 'pod-1',
    onError: (error) => void errors.push(error)
  })
  return { time, calls, faults, errors, recorder }
}

const occurrence = (fields: Partial<Occurrence> = {}): Occurrence => ({
  kind: { group: 'parcomolo.io', version: 'v1alpha1', kind: 'Saga', plural: 'sagas' },
  object: { metadata: { name: 'order', namespace: 'shop', uid: 'u1', resourceVersion: '7' } },
  type: 'Normal',
  reason: 'Published',
  action: 'Publish',
  note: 'revision a',
  ...fields
})

test('an event says what has happened to which object, and who says so', async (t) => {
  const { time, calls, recorder } = setUp(t.title)
  recorder.record(occurrence())
  await time.pass(0)
  t.is(calls.length, 1)
  t.like(calls[0]!.event, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    type: 'Normal',
    reason: 'Published',
    action: 'Publish',
    note: 'revision a',
    reportingController: 'parcomolo.io/operator',
    reportingInstance: 'pod-1',
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { apiVersion: 'parcomolo.io/v1alpha1', kind: 'Saga', name: 'order', namespace: 'shop', uid: 'u1' }
  })
})

test('the same again is counted in the event that there is, and the count is written every ten seconds', async (t) => {
  const { time, calls, recorder } = setUp(t.title)
  for (let i = 0; i < 50; i++) {
    recorder.record(occurrence())
    await time.pass(1_000)
  }
  const { name } = calls[0]!.event['metadata'] as { name: string }
  const counts = calls.slice(1).map((call) => (call.event['series'] as { count: number }).count)
  t.deepEqual(
    calls.slice(1).map((call) => call.name),
    counts.map(() => name)
  )
  t.true(counts.length >= 4 && counts.length <= 5, `${counts.length} writes`)
  await recorder.stop()
  t.is((calls.at(-1)!.event['series'] as { count: number }).count, 50)
})

test('another object, reason or note is another event, and so is the same after a while', async (t) => {
  const { time, calls, recorder } = setUp(t.title)
  const { metadata } = occurrence().object
  recorder.record(occurrence())
  recorder.record(occurrence({ reason: 'Retired' }))
  recorder.record(occurrence({ note: 'revision b' }))
  recorder.record(occurrence({ object: { metadata: { ...metadata, uid: 'u2' } } }))
  await time.pass(360_000)
  recorder.record(occurrence())
  await time.pass(0)
  t.is(calls.length, 5)
  const names = calls.map(({ event }) => (event['metadata'] as { name: string }).name)
  t.is(new Set(names).size, 5)
})

test('an object that has very much to tell is cut short; others are not', async (t) => {
  const { time, calls, recorder } = setUp(t.title)
  const { metadata } = occurrence().object
  for (let i = 0; i < 100; i++) recorder.record(occurrence({ note: `revision ${i}` }))
  await time.pass(0)
  t.is(calls.length, 25)
  t.is(recorder.stats.droppedCount, 75)
  recorder.record(occurrence({ object: { metadata: { ...metadata, uid: 'u2' } } }))
  await time.pass(300_000)
  recorder.record(occurrence({ note: 'later' }))
  await time.pass(0)
  t.is(calls.length, 27)
})

test('an event that has expired on the server is followed by a new one', async (t) => {
  const { time, calls, faults, errors, recorder } = setUp(t.title)
  recorder.record(occurrence())
  await time.pass(0)
  faults.push(new ParcomoloError('PARCOMOLO_OPERATOR_API_REFUSED', 'gone', { details: { status: 404 } }))
  recorder.record(occurrence())
  await time.pass(10_000)
  recorder.record(occurrence())
  await time.pass(0)
  t.deepEqual(errors, [])
  t.deepEqual(
    calls.map(({ name }) => name),
    [undefined, undefined]
  )
})

test('what cannot be written is reported, and nothing waits for it', async (t) => {
  const { time, faults, errors, recorder } = setUp(t.title)
  faults.push(new TypeError('away'))
  recorder.record(occurrence())
  await time.pass(0)
  t.deepEqual(errors.map(String), ['TypeError: away'])
  await recorder.stop()
})

test('a note is cut to what an event takes, between two characters', (t) => {
  t.is(cutToBytes('short', 1024), 'short')
  for (const text of ['x'.repeat(3000), 'ü'.repeat(1000), '€'.repeat(1000), '😀'.repeat(1000)]) {
    const cut = cutToBytes(text, 1024)
    t.true(Buffer.byteLength(cut) <= 1024 && Buffer.byteLength(cut) > 1016)
    t.regex(cut, /^(x+|ü+|€+|(😀)+)…$/u)
  }
})
