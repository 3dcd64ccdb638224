import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { partitionOf } from '../../src/base/index.ts'
import { contractSet, readContract } from '../../src/contract/index.ts'
import type { System } from '../../src/main/system.ts'
import { sagaProtocol } from '../../src/orchestrator/index.ts'
import { keysOfSaga, loadSaga } from '../../src/saga/index.ts'
import type { TaskLimits } from '../../src/task/index.ts'
import { participant, type Said, Stage } from './stage.ts'

const idl = `
      record FeeDue { @key string feeId; string customerId; string accountId; }
      void feeDue(FeeDue event) oneway;
      record FeeWaived { @key string feeId; string customerId; }
      void feeWaived(FeeWaived event) oneway;
      record Charge { @key string accountId; string customerId; }
      record Charged { @key string accountId; long balance; }
      Charged charge(Charge command);
      record Repay { @key string accountId; }
      record Repaid { @key string accountId; }
      Repaid repay(Repay command);
      record Note { string text; }
      record Noted { string text; }
      Noted note(Note command);
    }
`
const fees = contractSet([
  readContract({ path: 'loyalty.yaml', text: participant.slice(0, participant.indexOf('record OrderPaid')) + idl })
])

type Keys = { readonly start?: string; readonly account?: string }

const sagaOf = ({ start = 'event.customerId', account = 'start.accountId' }: Keys = {}): string => `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: fee }
spec:
  start: { on: FeeDue, key: "${start}" }
  cancel: { on: FeeWaived, key: "${start}" }
  steps:
    - name: charge
      command: Charge
      with: { accountId: "${account}", customerId: start.customerId }
      compensate: { command: Repay, with: { accountId: "${account}" } }
    - { name: note, command: Note, with: { text: "'done'" }, compensate: none }
`

const due = (stage: Stage, feeId: string, customerId: string, accountId: string): Promise<void> =>
  stage.say(partitionOf(feeId, stage.partitions), stage.encode('FeeDue', { feeId, customerId, accountId }), {
    orderId: feeId
  })

const waived = (stage: Stage, feeId: string, customerId: string): Promise<void> =>
  stage.say(partitionOf(feeId, stage.partitions), stage.encode('FeeWaived', { feeId, customerId }), { orderId: feeId })

const answerOf = ({ type, value }: Said): [string, object] =>
  type === 'Charge'
    ? ['Charged', { accountId: value['accountId'], balance: 1 }]
    : [type === 'Repay' ? 'Repaid' : 'Noted', type === 'Repay' ? { accountId: value['accountId'] } : { text: '' }]

const answer = (stage: Stage, answers: Said, key = answers.record.key, partition?: number): Promise<void> =>
  stage.say(partition ?? partitionOf(key, stage.partitions), stage.encode(...answerOf(answers)), {
    orderId: key,
    answers
  })

const opened = async (t: ExecutionContext, partitions: number, yaml = sagaOf(), taskLimits?: Partial<TaskLimits>) => {
  const stage = await Stage.open(t, partitions, fees)
  const system = await stage.run(taskLimits === undefined ? {} : { taskLimits })
  await stage.publish(system, yaml)
  return { stage, system }
}

/** Runs the one step after the other to the end. */
const runs = async (stage: Stage, customerId: string, accountId: string): Promise<void> => {
  await answer(stage, await stage.command('Charge', accountId))
  await answer(stage, await stage.command('Note', customerId))
  await stage.event('SagaCompleted', customerId)
}

/** Keys that stand in different partitions. */
const apart = (partitions: number): [string, string, string] => {
  const names = Array.from({ length: 100 }, (_, i) => `k${i}`)
  const first = names[0]!
  const second = names.find((name) => partitionOf(name, partitions) !== partitionOf(first, partitions)) ?? 'k1'
  const third = names.find(
    (name) => ![first, second].some((one) => partitionOf(one, partitions) === partitionOf(name, partitions))
  )
  return [first, second, third ?? 'k2']
}

const ofInstances = (said: readonly Said[]): Said[] => said.filter(({ type }) => type in fold)
const fold = { SagaStarted: 1, CommandIssued: 1, StepSucceeded: 1, CancelRequested: 1, SagaCompleted: 1 }

const stopped = async (t: ExecutionContext, stage: Stage, system: System): Promise<void> => {
  await system.stop()
  t.deepEqual(stage.errors, [])
}

for (const partitions of [1, 4, 12])
  test(`with ${partitions} partitions commands go under their entity's key, and answers are heard`, async (t) => {
    const { stage, system } = await opened(t, partitions)
    const [feeId, customerId, accountId] = apart(partitions)
    await due(stage, feeId, customerId, accountId)
    await runs(stage, customerId, accountId)
    const said = await stage.said('saga-events')
    const events = ofInstances(said)
    t.deepEqual(
      events.map(({ type }) => type),
      ['SagaStarted', 'CommandIssued', 'StepSucceeded', 'CommandIssued', 'StepSucceeded', 'SagaCompleted']
    )
    for (const { record } of events) t.is(record.key, customerId)
    const handedOver = said.filter(({ type }) => type === 'HandedOver').map(({ value }) => value['kind'])
    t.deepEqual(handedOver.sort(), partitions === 1 ? [] : ['answer', 'start'])
    await stopped(t, stage, system)
  })

test('two starts with one saga key in different partitions are one instance', async (t) => {
  const { stage, system } = await opened(t, 12)
  const [one, customerId, other] = apart(12)
  await Promise.all([due(stage, one, customerId, 'a-1'), due(stage, other, customerId, 'a-1')])
  await runs(stage, customerId, 'a-1')
  await due(stage, 'later', customerId, 'a-1')
  await stage.pass(1000)
  const started = (await stage.said('saga-events')).filter(({ type }) => type === 'SagaStarted')
  t.is(started.length, 1)
  await stopped(t, stage, system)
})

test('an answer is found by its cause, whatever its key and wherever it stands', async (t) => {
  const { stage, system } = await opened(t, 4)
  await due(stage, 'f', 'c', 'a')
  const charge = await stage.command('Charge', 'a')
  await answer(stage, charge, 'somebody', 3 - partitionOf('somebody', 4))
  await stage.command('Note', 'c')
  await stopped(t, stage, system)
})

test('a cancel in another partition is heard, and the undo goes under the key of its entity', async (t) => {
  const { stage, system } = await opened(t, 12)
  const [feeId, customerId, accountId] = apart(12)
  await due(stage, feeId, customerId, accountId)
  const charge = await stage.command('Charge', accountId)
  await waived(stage, feeId, customerId)
  const repay = await stage.command('Repay', accountId)
  await answer(stage, repay)
  await answer(stage, charge)
  await stage.event('SagaCompensated', customerId)
  await stopped(t, stage, system)
})

test('what was handed over before a stop is done once after it', async (t) => {
  const { stage, system } = await opened(t, 4)
  const [feeId, customerId, accountId] = apart(4)
  await due(stage, feeId, customerId, accountId)
  await stage.event('HandedOver', customerId)
  await system.stop()
  const again = await stage.run()
  await runs(stage, customerId, accountId)
  t.is((await stage.said('saga-events')).filter(({ type }) => type === 'HandedOver').length, 2)
  t.is((await stage.said('saga-events')).filter(({ type }) => type === 'CommandIssued').length, 2)
  await stopped(t, stage, again)
})

const windowOf = (count: number): Partial<TaskLimits> => {
  const window = { initial: count, min: count, max: count }
  return { unanswered: { window, windowUntold: window, unansweredMax: 1_000 } }
}

test('what was handed over waits for room in its new partition, and its cancel is not forgotten', async (t) => {
  const { stage, system } = await opened(t, 4, sagaOf(), windowOf(1))
  const [feeId, first] = apart(4)
  const more = Array.from({ length: 300 }, (_, i) => `m${i}`).filter(
    (it) => partitionOf(it, 4) === partitionOf(first, 4)
  )
  const [second, third] = more as [string, string]
  for (const customerId of [first, second, third]) await due(stage, feeId, customerId, 'account')
  await waived(stage, feeId, third)
  const charge = await stage.command('Charge', 'account')
  await stage.pass(20_000)
  const started = async (): Promise<unknown[]> =>
    (await stage.said('saga-events')).filter(({ type }) => type === 'SagaStarted').map(({ value }) => value['key'])
  t.deepEqual(await started(), [first])
  await answer(stage, charge)
  await answer(stage, await stage.command('Note', first))
  await stage.event('SagaStarted', second)
  const ofSecond = (await stage.said('loyalty-commands')).find(({ value }) => value['customerId'] === second)!
  await answer(stage, ofSecond)
  await answer(stage, await stage.command('Note', second))
  await stage.event('SagaCompensated', third)
  t.deepEqual(await started(), [first, second, third])
  await stopped(t, stage, system)
})

test('a command for nobody is not sent: its step fails by name, and so does an undo', async (t) => {
  const { stage, system } = await opened(t, 4, sagaOf({ start: 'event.feeId' }))
  await due(stage, 'f-1', 'c', '')
  const { value } = await stage.event('CompensationStarted', 'f-1')
  t.deepEqual(value['failure'], {
    type: 'ExpressionFailed',
    step: 'charge',
    message:
      "the key 'accountId' of Charge is empty; expected the name of what it is for; " +
      'the limit keyCharsMax is 1024 characters'
  })
  await due(stage, 'f-2', 'c', 'x'.repeat(1025))
  t.regex(
    String(((await stage.event('CompensationStarted', 'f-2')).value['failure'] as { message: string }).message),
    /has 1025 characters/
  )
  t.deepEqual(await stage.said('loyalty-commands'), [])
  await stopped(t, stage, system)
})

test('an instance of an earlier release goes on in the partition where it was begun', async (t) => {
  const { stage, system } = await opened(t, 4)
  const { revision } = system.definitions.current('fee')!
  await system.stop()
  const [feeId, customerId, accountId] = apart(4)
  const partition = partitionOf(feeId, 4)
  const start = stage.encode('FeeDue', { feeId, customerId, accountId })
  const { fullName } = sagaProtocol.records.get('SagaStarted')!
  const value = { saga: 'fee', key: customerId, revision, startType: 'FeeDue', start, deadlineAt: null }
  const writer = await stage.log.claim({ topic: 'saga-events', partition })
  const record = { key: feeId, value: stage.codec.encode(fullName, value), timestamp: stage.clock.now(), headers: {} }
  await writer.append([record])
  const again = await stage.run()
  await waived(stage, feeId, 'nobody')
  await due(stage, feeId, customerId, accountId)
  await waived(stage, feeId, customerId)
  await answer(stage, await stage.command('Repay', feeId))
  await stage.event('SagaCompensated', customerId)
  const own = (await stage.said('saga-events')).filter(({ value: { key } }) => key === customerId)
  t.true(own.every((said) => said.record.key === feeId && said.type !== 'HandedOver'))
  await stopped(t, stage, again)
})

test('a cancel is heard by the way of an earlier revision, which another process may run', async (t) => {
  const ways = async (partitions: number): Promise<unknown[]> => {
    const { stage, system } = await opened(t, partitions)
    const later = sagaOf({ account: 'saga.key' }).replace(/cancel: .*/, 'cancel: { on: FeeWaived, key: event.feeId }')
    for (const yaml of [sagaOf({ account: "'house'" }), later]) {
      const { revision } = loadSaga({ path: 'fee.yaml', text: yaml }, fees)
      await stage.publish(system, yaml)
      await stage.until(() => system.definitions.current('fee')?.revision === revision)
    }
    const found = system.definitions.cancellable().map(({ cancel }) => cancel.key.source)
    await stopped(t, stage, system)
    return found
  }
  t.deepEqual(await ways(1), ['event.feeId'])
  t.deepEqual(await ways(4), ['event.feeId', 'event.customerId'])
})

test('where contract and definition show one key, nothing is ever handed over', async (t) => {
  const starts = ['event.feeId', 'event.customerId', "event.feeId + ''"]
  const accounts = ['start.accountId', 'start.feeId', 'saga.key', 'start.customerId', "start.feeId + '-1'"]
  const stage = await Stage.open(t, 4, fees)
  const system = await stage.run()
  const keys = fc.record({ start: fc.constantFrom(...starts), account: fc.constantFrom(...accounts) })
  let count = 0
  const said = { one: 0, several: 0 }
  await fc.assert(
    fc.asyncProperty(keys, async (chosen) => {
      const yaml = sagaOf(chosen)
      const { isOne } = keysOfSaga(loadSaga({ path: 'fee.yaml', text: yaml }, fees))
      said[isOne ? 'one' : 'several']++
      await stage.publish(system, yaml)
      const { revision } = loadSaga({ path: 'fee.yaml', text: yaml }, fees)
      await stage.until(() => system.definitions.current('fee')?.revision === revision)
      const fee = `f-${count++}`
      await due(stage, fee, `c-${fee}`, `a-${fee}`)
      let sent: Said | undefined
      while (sent === undefined) {
        sent = (await stage.said('loyalty-commands')).find(({ value }) => value['customerId'] === `c-${fee}`)
        await stage.pass(1)
      }
      await answer(stage, sent)
      const saga = String(sent.record.headers['ce_correlationid']).slice('fee/'.length)
      await answer(stage, await stage.command('Note', saga))
      await stage.event('SagaCompleted', saga)
      const handed = (await stage.said('saga-events')).filter(
        ({ type, value }) => type === 'HandedOver' && value['key'] === saga
      )
      return !isOne || handed.length === 0
    }),
    { numRuns: 40 }
  )
  t.true(said.one > 0 && said.several > 0)
  await stopped(t, stage, system)
})
