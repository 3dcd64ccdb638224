import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { contractSet } from '../../src/contract/index.ts'
import { conditionOf } from '../../src/operator/conditions.ts'
import type { ParticipantResource } from '../../src/operator/crd/index.ts'
import { participantResource, sagaResource, smallSpec, specOfFile } from './resources.ts'
import { Workbench } from './workbench.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

const files = serviceNames
const ofFile = (name: string): ParticipantResource =>
  participantResource(name, specOfFile(`sagas/participants/${name}.yaml`))

const withSpec = (name: string, fields: Record<string, string>): ParticipantResource => ({
  ...ofFile(name),
  spec: { ...(ofFile(name).spec as Record<string, string>), ...fields }
})

const readyOf = (participant: ParticipantResource | undefined): string => {
  const ready = conditionOf(participant?.status?.conditions, 'Ready')
  return `${ready?.status} ${ready?.reason}`
}

const atWork = async (title: string): Promise<Workbench> => {
  const bench = new Workbench(title, contractSet([]))
  for (const name of files) bench.participants.apply(ofFile(name))
  await bench.time.pass(0)
  return bench
}

test('each participant comes into force once, with its counts', async (t) => {
  const bench = await atWork(t.title)
  for (const name of files) t.is(readyOf(bench.participants.get(name)), 'True Accepted')
  t.is(bench.contracts.all.length, 4)
  const { status } = bench.participants.get('inventory')!
  t.true(status!.operationCount! >= 3)
  const writes = bench.participants.writes.length
  await bench.time.pass(3_600_000)
  t.is(bench.participants.writes.length, writes)
  t.deepEqual(
    bench.events,
    files.map((name) => `${name} Accepted`)
  )
})

test('a refusal names the reason, and the contract in force stays', async (t) => {
  const bench = await atWork(t.title)
  bench.participants.apply(withSpec('inventory', { contract: 'protocol { }' }))
  await bench.time.pass(0)
  t.is(readyOf(bench.participants.get('inventory')), 'False Invalid')
  t.true('found' in bench.contracts.command('ReserveStock'))
  const incompatible = new ParcomoloError('PARCOMOLO_REGISTRY_INCOMPATIBLE', "subject 'a-b' refuses the schema: c")
  bench.acceptFaults.push(incompatible)
  bench.participants.apply(withSpec('payment', { inbox: 'other-commands' }))
  await bench.time.pass(0)
  t.is(readyOf(bench.participants.get('payment')), 'False Incompatible')
  t.deepEqual(bench.events.slice(4), ['inventory Invalid', 'payment Incompatible'])
})

test('what is refused for what another one has is accepted when that one has gone', async (t) => {
  const bench = await atWork(t.title)
  const spec = specOfFile('test/foreign/loyalty/participant.yaml')
  bench.participants.apply(participantResource('first', spec))
  await bench.time.pass(0)
  bench.participants.apply(participantResource('second', spec))
  await bench.time.pass(0)
  t.is(readyOf(bench.participants.get('second')), 'False Conflict')
  bench.participants.delete('first')
  await bench.time.pass(1_000)
  t.is(bench.participants.get('first'), undefined)
  t.is(readyOf(bench.participants.get('second')), 'True Accepted')
})

test('a name of the product is refused as a conflict that says whose it is', async (t) => {
  const bench = await atWork(t.title)
  const spec = specOfFile('test/foreign/loyalty/participant.yaml') as Record<string, string>
  bench.participants.apply(participantResource('mine', { ...spec, inbox: 'saga-events' }))
  await bench.time.pass(0)
  const ready = conditionOf(bench.participants.get('mine')?.status?.conditions, 'Ready')
  t.like(ready, { status: 'False', reason: 'Conflict' })
  t.regex(ready!.message, /^spec\.inbox: topic 'saga-events' belongs to the orchestrator, as its journal; expected/)
})

test('a participant that a saga uses stays until none does', async (t) => {
  const bench = await atWork(t.title)
  bench.sagas.apply(sagaResource('small'))
  await bench.time.pass(0)
  bench.participants.delete('inventory')
  await bench.time.pass(60_000)
  t.is(readyOf(bench.participants.get('inventory')), 'False InUse')
  t.true('found' in bench.contracts.command('ReserveStock'))
  const step = { name: 'pay', command: 'RefundPayment', with: { orderId: 'start.orderId' }, compensate: 'none' }
  bench.sagas.apply(sagaResource('small', smallSpec({ steps: [step] })))
  await bench.time.pass(10_000)
  t.is(bench.participants.get('inventory'), undefined)
  t.true('problem' in bench.contracts.command('ReserveStock'))
})

/** With the same meaning. */
const edited = (name: string): ParticipantResource => {
  const { contract } = ofFile(name).spec as { contract: string }
  return withSpec(name, { contract: `// Edited.\n${contract}` })
}

const inUse = (waitsFor: 'saga' | 'instances'): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_CONTRACT_IN_USE', `saga 'small' needs it: a file:1:1 command: unknown; cure`, {
    details: { waitsFor },
    cause: new ParcomoloError('PARCOMOLO_SAGA_INVALID', 'a file:1:1 command: unknown', {
      details: {
        errorCount: 1,
        errors: [{ code: 'PARCOMOLO_SAGA_UNKNOWN_NAME', path: 'steps[0].command', message: 'unknown' }]
      }
    })
  })

test('a contract that a saga needs is refused after a while, by field, and accepted when none does', async (t) => {
  const bench = await atWork(t.title)
  bench.sagas.apply(sagaResource('small'))
  await bench.time.pass(0)
  const conflict = (): string => conditionOf(bench.participants.get('payment')?.status?.conditions, 'Stalled')!.status
  bench.acceptFaults.push(...[0, 1, 2].map(() => inUse('saga')))
  bench.participants.apply(edited('payment'))
  await bench.time.pass(0)
  t.deepEqual([readyOf(bench.participants.get('payment')), conflict()], ['False InUse', 'False'])
  t.deepEqual(bench.beside, { sagas: ['sagas.parcomolo.io/shop/small'], participants: [] })
  await bench.time.pass(3_000)
  t.deepEqual([readyOf(bench.participants.get('payment')), conflict()], ['False Conflict', 'True'])
  const { message } = conditionOf(bench.participants.get('payment')?.status?.conditions, 'Ready')!
  t.is(message, "saga 'small' needs it: spec.steps[0].command: unknown; cure")
  await bench.time.pass(20_000)
  t.is(readyOf(bench.participants.get('payment')), 'True Accepted')
  t.deepEqual(bench.errors, [])
})

test('a contract that instances need is being worked on until they have ended', async (t) => {
  const bench = await atWork(t.title)
  bench.acceptFaults.push(...Array.from({ length: 20 }, () => inUse('instances')))
  bench.participants.apply(edited('payment'))
  await bench.time.pass(100_000)
  t.is(readyOf(bench.participants.get('payment')), 'False InUse')
  t.is(conditionOf(bench.participants.get('payment')?.status?.conditions, 'Reconciling')!.status, 'True')
  await bench.time.pass(100_000)
  t.is(readyOf(bench.participants.get('payment')), 'True Accepted')
})

test('a participant that a revision needs stays, however its resource is deleted', async (t) => {
  const bench = await atWork(t.title)
  bench.withdrawFault = inUse('instances')
  bench.participants.delete('payment')
  bench.participants.setFinalizers('shipping', [])
  bench.participants.delete('shipping')
  await bench.time.pass(60_000)
  t.is(readyOf(bench.participants.get('payment')), 'False InUse')
  const { message } = conditionOf(bench.participants.get('payment')?.status?.conditions, 'Reconciling')!
  t.regex(message, /^saga 'small' needs it: spec\.steps\[0\]\.command: unknown/)
  t.is(bench.participants.get('shipping'), undefined)
  t.true('found' in bench.contracts.participant('shipping'))
  t.deepEqual(
    bench.errors.filter((error) => error.startsWith('shipping')).length,
    1,
    'a participant without a resource is told once'
  )
  bench.withdrawFault = undefined
  await bench.time.pass(10_000)
  t.is(bench.participants.get('payment'), undefined)
  for (const name of ['payment', 'shipping']) t.true('problem' in bench.contracts.participant(name), name)
})

test('a participant that cannot be withdrawn for another reason says so, and goes when it can be', async (t) => {
  const bench = await atWork(t.title)
  bench.withdrawFault = new ParcomoloError('PARCOMOLO_MAIN_VIEW_UNAVAILABLE', 'nobody answers', { retryable: true })
  bench.participants.delete('payment')
  await bench.time.pass(1_000)
  const { message } = conditionOf(bench.participants.get('payment')?.status?.conditions, 'Reconciling')!
  t.is(message, 'it cannot be withdrawn yet: nobody answers')
  bench.withdrawFault = undefined
  await bench.time.pass(60_000)
  t.is(bench.participants.get('payment'), undefined)
})

test('without its finalizer a participant goes at once, and is withdrawn', async (t) => {
  const bench = await atWork(t.title)
  bench.participants.setFinalizers('payment', [])
  bench.participants.delete('payment')
  await bench.time.pass(1_000)
  t.true('problem' in bench.contracts.participant('payment'))
})
