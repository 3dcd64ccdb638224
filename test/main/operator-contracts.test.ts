import test, { type ExecutionContext } from 'ava'
import { adoptContract, contractSet, registerContracts } from '../../src/contract/index.ts'
import { portsOf } from '../../src/main/kubernetes-operator.ts'
import { participantsOf } from '../../src/main/participants.ts'
import { ownRecords, theShop } from '../helpers/shop-parts.ts'
import { conditionOf } from '../../src/operator/conditions.ts'
import type { Json } from '../../src/operator/crd/index.ts'
import type { RunningCount } from '../../src/operator/index.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { participantResource, sagaResource } from '../operator/resources.ts'
import { Workbench } from '../operator/workbench.ts'
import { participant, saga, Stage } from '../orchestrator/stage.ts'
import { parse } from 'yaml'

const specOf = (yaml: string): Json => (parse(yaml) as { spec: Json }).spec

/** The operator of one process, on resources in memory; log, registry and definitions are real. */
const operating = async (t: ExecutionContext, stage: Stage) => {
  const codec = await registerContracts(stage.registry, [], ownRecords)
  const system = await stage.run({
    ...{ codec, contracts: contractSet([]), roles: [] },
    adopt: (contract) => adoptContract(stage.registry, codec, contract)
  })
  const { definitions } = system
  const stop = (): Promise<void> => system.stop()
  const publisher = await openPublisher(stage.log, codec, stage.clock, definitions)
  const state: { running: RunningCount[] } = { running: [] }
  const running = { count: async () => state.running }
  const participants = participantsOf({
    application: theShop,
    registry: stage.registry,
    codec,
    definitions,
    publisher,
    running
  })
  const bench = new Workbench(t.title, contractSet([]), portsOf(definitions, publisher, participants, running))
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await bench.time.pass(1)
      await new Promise((resolve) => void setImmediate(resolve))
    }
  }
  const pass = async (ms: number): Promise<void> => {
    const end = bench.time.now() + ms
    await until(() => bench.time.now() >= end)
  }
  const message = (): string =>
    conditionOf(bench.participants.get('loyalty')?.status?.conditions, 'Ready')?.message ?? ''
  const said = (type: 'Ready' | 'Stalled'): string => {
    const condition = conditionOf(bench.participants.get('loyalty')?.status?.conditions, type)
    return `${condition?.status} ${condition?.reason}`
  }
  const applySaga = (text: string): void => bench.sagas.apply(sagaResource('loyalty', specOf(text)))
  const applyContract = (contract: string): void =>
    bench.participants.apply(participantResource('loyalty', specOf(contract)))
  const fieldsOf = (record: string): string[] | undefined =>
    definitions.contracts
      .ofTopic('loyalty-events')
      ?.records.get(record)
      ?.fields.map(({ name }) => name)
  const inForce = (): string | undefined => definitions.current('loyalty')?.revision
  return { bench, definitions, stop, state, until, pass, said, message, applySaga, applyContract, fieldsOf, inForce }
}

const atWork = async (t: ExecutionContext) => {
  const stage = await Stage.open(t)
  const operator = await operating(t, stage)
  operator.applySaga(saga)
  operator.applyContract(participant)
  await operator.until(() => operator.inForce() !== undefined)
  await operator.until(() => operator.said('Ready') === 'True Accepted')
  return { stage, ...operator, revision: operator.inForce()! }
}

const without = participant.replace(
  'string orderId; long balance; }\n      PointsAwarded',
  'string orderId; }\n      PointsAwarded'
)
const doingWithout = saga.replace('balance: steps.points.balance', 'balance: 0')
const other = without.replace('PointsAwarded { string orderId; }', 'PointsAwarded { string orderId; long total = 0; }')
const usingOther = saga.replace('steps.points.balance', 'steps.points.total')

const together = [
  { what: 'without a field that the saga does without', contract: without, text: doingWithout, fields: ['orderId'] },
  { what: 'with a field for another, as the saga', contract: other, text: usingOther, fields: ['orderId', 'total'] }
]

for (const { what, contract, text, fields } of together) {
  for (const [order, isContractFirst, apartMs] of [
    ['together', false, 0],
    ['before it', true, 2_000],
    ['long before it', true, 20_000],
    ['after it', false, 2_000],
    ['long after it', false, 20_000]
  ] as const) {
    test(`a contract ${what} comes into force with it, applied ${order}`, async (t) => {
      const { applyContract, applySaga, until, pass, said, fieldsOf, inForce, revision, bench, stop } = await atWork(t)
      if (isContractFirst) applyContract(contract)
      else applySaga(text)
      if (apartMs > 0) await pass(apartMs)
      if (isContractFirst) applySaga(text)
      else applyContract(contract)
      await until(() => inForce() !== revision && fieldsOf('PointsAwarded')?.length === fields.length)
      await until(() => bench.sagas.get('loyalty')?.status?.revision === inForce() && said('Ready') === 'True Accepted')
      t.deepEqual(fieldsOf('PointsAwarded'), fields)
      t.deepEqual(bench.errors, [])
      await stop()
    })
  }
}

test('a contract that was refused comes into force when the saga follows that does without', async (t) => {
  const { applyContract, applySaga, until, said, message, fieldsOf, stop } = await atWork(t)
  applyContract(without)
  await until(() => said('Stalled') === 'True Conflict')
  t.regex(
    message(),
    /^saga 'loyalty' needs what this contract changes: .* spec\.steps\[1\]\.with\.balance: .*'balance'/
  )
  t.regex(message(), /publish a saga that does without, and the contract is taken$/)
  applySaga(doingWithout)
  await until(() => said('Ready') === 'True Accepted')
  t.deepEqual(fieldsOf('PointsAwarded'), ['orderId'])
  await stop()
})

test('an operator that starts again refuses what was refused, and the contract before stays in force', async (t) => {
  const { stage, applyContract, until, said, stop, bench } = await atWork(t)
  applyContract(without)
  await until(() => said('Stalled') === 'True Conflict')
  await stop()
  const next = await operating(t, stage)
  next.bench.sagas.apply(bench.sagas.get('loyalty')!)
  next.bench.participants.apply(bench.participants.get('loyalty')!)
  await next.pass(5_000)
  t.is(next.said('Stalled'), 'True Conflict')
  t.deepEqual(next.fieldsOf('PointsAwarded'), ['orderId', 'balance'])
  t.truthy(next.inForce())
  t.is((await stage.registry.versions('loyalty-events-test.loyalty.PointsAwarded')).length, 1)
  next.applySaga(doingWithout)
  await next.until(() => next.said('Ready') === 'True Accepted')
  t.deepEqual(next.fieldsOf('PointsAwarded'), ['orderId'])
  await next.stop()
})

test('instances in other processes keep what they need, of what is changed and of what is deleted', async (t) => {
  const { applyContract, applySaga, until, pass, said, message, ...rest } = await atWork(t)
  const { fieldsOf, inForce, definitions, revision, state, bench, stop } = rest
  state.running = [{ saga: 'loyalty', revision, count: 1 }]
  applySaga(doingWithout)
  applyContract(without)
  await until(() => inForce() !== revision && said('Ready') === 'False InUse')
  await pass(15_000)
  t.is(said('Stalled'), 'False Progressing')
  t.deepEqual(fieldsOf('PointsAwarded'), ['orderId', 'balance'])
  bench.sagas.setFinalizers('loyalty', [])
  bench.sagas.delete('loyalty')
  bench.participants.delete('loyalty')
  await until(() => definitions.newest('loyalty')?.retired === true)
  await until(() => / on which instances still run, .* it goes when they have ended$/s.test(message()))
  t.regex(message(), /^saga 'loyalty' needs participant 'loyalty', which is to go: /)
  t.true(definitions.isPublished('loyalty'))
  state.running = []
  await until(() => !definitions.isPublished('loyalty'))
  await until(() => bench.participants.get('loyalty') === undefined)
  t.pass()
  await stop()
})

test('a participant whose resource went while no operator ran goes when nothing needs it', async (t) => {
  const { stage, stop, bench } = await atWork(t)
  await stop()
  const next = await operating(t, stage)
  next.bench.sagas.apply(bench.sagas.get('loyalty')!)
  await next.until(() => next.bench.errors.length > 0)
  t.regex(next.bench.errors[0]!, /^loyalty: .*saga 'loyalty' needs participant 'loyalty', which is to go/)
  t.true(next.definitions.isPublished('loyalty'))
  next.bench.sagas.delete('loyalty')
  await next.until(() => !next.definitions.isPublished('loyalty'))
  t.is(next.bench.errors.length, 1)
  await next.stop()
})
