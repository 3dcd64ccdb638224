import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { contractSet } from '../../src/contract/index.ts'
import { conditionOf } from '../../src/operator/conditions.ts'
import type { SagaResource } from '../../src/operator/crd/index.ts'
import { participantResource, sagaResource, shopContracts, smallSpec, specOfFile } from './resources.ts'
import { Workbench } from './workbench.ts'

const contracts = shopContracts()

const said = (saga: SagaResource | undefined): string =>
  ['Ready', 'Reconciling', 'Stalled']
    .map((type) => conditionOf(saga?.status?.conditions, type as 'Ready'))
    .map((condition) => `${condition?.status} ${condition?.reason}`)
    .join(', ')

const inForce = 'True Published, False Settled, False Settled'
const refused = 'False Invalid, False Settled, True Invalid'

test('a saga is greeted, held by its finalizer, published, and said to be ready, in this order', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  t.deepEqual(bench.sagas.writes, ['order status', 'order finalizers', 'order status'])
  t.is(said(bench.sagas.get('order')), inForce)
  t.is(bench.published.length, 1)
  t.deepEqual(bench.events, ['order Published'])
  await bench.time.pass(3_600_000)
  t.is(bench.sagas.writes.length, 3)
  t.is(bench.published.length, 1)
})

test('of many that come at once, all are greeted before the first is published', async (t) => {
  const bench = new Workbench(t.title, contracts)
  const names = Array.from({ length: 50 }, (_, i) => `saga-${i}`)
  for (const name of names) bench.sagas.apply(sagaResource(name))
  await bench.time.pass(0)
  t.deepEqual(
    bench.sagas.writes.slice(0, 50),
    names.map((name) => `${name} status`)
  )
  t.is(bench.published.length, 50)
})

test('a spec that is refused leaves the revision in force, and is told once', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  bench.sagas.apply(sagaResource('order', smallSpec({ deadline: 'soon' })))
  await bench.time.pass(0)
  const saga = bench.sagas.get('order')!
  t.is(said(saga), refused)
  t.is(saga.status!.revision, bench.published[0]!.revision)
  t.regex(
    conditionOf(saga.status!.conditions, 'Ready')!.message,
    /^revision \w+ stays in force, since the spec is refused:\nspec\.deadline: /
  )
  await bench.time.pass(3_600_000)
  t.is(bench.published.length, 1)
  t.deepEqual(bench.events, ['order Published', 'order Invalid'])
})

test('what no participant has yet is waited for, and called wrong after three seconds', async (t) => {
  const bench = new Workbench(t.title, contractSet([]))
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(2_900)
  t.is(said(bench.sagas.get('order')), 'False WaitingForParticipants, True WaitingForParticipants, False Progressing')
  await bench.time.pass(200)
  t.is(said(bench.sagas.get('order')), refused)
})

test('while a participant is held up, nothing is called wrong; when it is there, all is well', async (t) => {
  const bench = new Workbench(t.title, contractSet([]))
  const away = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'away', { retryable: true })
  bench.acceptFaults.push(...Array.from({ length: 12 }, () => away))
  for (const name of ['order', 'inventory'])
    bench.participants.apply(participantResource(name, specOfFile(`sagas/participants/${name}.yaml`)))
  bench.sagas.apply(sagaResource('small'))
  await bench.time.pass(4_000)
  t.is(said(bench.sagas.get('small')), 'False WaitingForParticipants, True WaitingForParticipants, False Progressing')
  await bench.time.pass(60_000)
  t.is(said(bench.sagas.get('small')), inForce)
  t.is(bench.errors.length, 12)
})

test('a fault that a participant cannot mend is called wrong at once', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order', smallSpec({ deadline: 'soon' })))
  await bench.time.pass(0)
  t.is(said(bench.sagas.get('order')), refused)
})

test('what cannot be published is tried again until it can', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.publishFaults.push(new TypeError('broken'), new TypeError('broken'))
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  t.is(said(bench.sagas.get('order')), 'False Failing, True Failing, False Progressing')
  await bench.time.pass(1_000)
  t.is(said(bench.sagas.get('order')), inForce)
  t.deepEqual(bench.errors, ['order: TypeError: broken', 'order: TypeError: broken'])
})

test('a log that does not answer is told of after a while, and what is in force is left alone', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  const { log } = bench
  bench.log = () => new Promise(() => undefined)
  bench.sagas.apply(sagaResource('other'))
  await bench.time.pass(0)
  t.is(said(bench.sagas.get('other')), 'Unknown Pending, True Pending, Unknown Pending')
  await bench.time.pass(700_000)
  t.is(said(bench.sagas.get('other')), 'False Failing, True Failing, False Progressing')
  const { message } = conditionOf(bench.sagas.get('other')!.status!.conditions, 'Ready')!
  t.regex(message, /^what is in force is not known: the log has not answered for 10000 ms/)
  t.is(said(bench.sagas.get('order')), inForce)
  bench.log = log
  await bench.time.pass(300_000)
  t.is(said(bench.sagas.get('other')), inForce)
  t.is(bench.published.length, 2)
})

test('whoever does not lead any more writes and publishes nothing', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.mayAct = () => {
    throw new ParcomoloError('PARCOMOLO_OPERATOR_LEADERSHIP_LOST', 'lost')
  }
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(10_000)
  t.deepEqual(bench.sagas.writes, [])
  t.deepEqual(bench.published, [])
})

test('a saga that is deleted is retired first and goes when nothing runs, seen twice', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  const { revision } = bench.published[0]!
  bench.running = [{ saga: 'order', revision, count: 1 }]
  bench.sagas.delete('order')
  await bench.time.pass(0)
  t.true(bench.newest('order')!.retired)
  t.is(said(bench.sagas.get('order')), 'False InstancesRunning, True InstancesRunning, False Progressing')
  t.is(bench.sagas.get('order')!.status!.runningCount, 1)
  await bench.time.pass(600_000)
  t.truthy(bench.sagas.get('order'))
  bench.running = []
  await bench.time.pass(2_500)
  t.truthy(bench.sagas.get('order'))
  await bench.time.pass(1_000)
  t.is(bench.sagas.get('order'), undefined)
  t.is(bench.published.length, 2)
  t.deepEqual(bench.events, ['order Published', 'order Retired'])
})

test('nothing goes while nobody can say what runs', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  bench.running = new Error('the read model is away')
  bench.sagas.delete('order')
  await bench.time.pass(60_000)
  const { message } = conditionOf(bench.sagas.get('order')!.status!.conditions, 'Ready')!
  t.regex(message, /^nobody can say what still runs: the read model is away; .*"finalizers":null/)
})

test("somebody else's finalizer is left alone", async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  bench.sagas.setFinalizers('order', ['test.example/theirs', ...bench.sagas.get('order')!.metadata.finalizers!])
  bench.sagas.delete('order')
  await bench.time.pass(10_000)
  t.deepEqual(bench.sagas.get('order')!.metadata.finalizers, ['test.example/theirs'])
})

test('a resource that went without the operator is retired, if what is published came from it', async (t) => {
  const bench = new Workbench(t.title, contracts)
  bench.sagas.apply(sagaResource('order'))
  await bench.time.pass(0)
  bench.sagas.setFinalizers('order', [])
  bench.sagas.delete('order')
  await bench.time.pass(1_000)
  t.true(bench.newest('order')!.retired)
  bench.published.push({ ...bench.published[0]!, saga: 'file', source: 'sagas/file.yaml' })
  await bench.time.pass(660_000)
  t.false(bench.newest('file')!.retired)
})
