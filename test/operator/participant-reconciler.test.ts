import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { contractSet } from '../../src/contract/index.ts'
import { conditionOf } from '../../src/operator/conditions.ts'
import type { ParticipantResource } from '../../src/operator/crd/index.ts'
import { participantResource, sagaResource, smallSpec, specOfFile } from './resources.ts'
import { Workbench } from './workbench.ts'

const files = ['order', 'inventory', 'payment', 'shipping']
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

test('without its finalizer a participant goes at once, and is withdrawn', async (t) => {
  const bench = await atWork(t.title)
  bench.participants.setFinalizers('payment', [])
  bench.participants.delete('payment')
  await bench.time.pass(1_000)
  t.true('problem' in bench.contracts.participant('payment'))
})
