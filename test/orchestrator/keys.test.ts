import test from 'ava'
import type { ParcomoloError } from '../../src/base/index.ts'
import type { System } from '../../src/main/system.ts'
import { type Said, Stage } from './stage.ts'

type Head = { readonly name: string; readonly key: string; readonly cancel?: string; readonly points?: number }

/** A saga of one step, which waits for its answer. */
const sagaOf = ({ name, key, cancel, points = 1 }: Head): string => `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: ${name} }
spec:
  start: { on: OrderPaid, key: "${key}" }
  ${cancel === undefined ? '' : `cancel: { on: PointsAwarded, key: "${cancel}" }`}
  steps: [{ name: points, command: AwardPoints, with: { orderId: start.orderId, points: ${points} }, compensate: none }]
`

const dividing = 'string(100 / event.totalCents)'

const paid = (stage: Stage, orderId: string, totalCents: number): Promise<void> =>
  stage.say(0, stage.encode('OrderPaid', { orderId, totalCents }), { orderId })

const awarded = (stage: Stage, orderId: string, balance: number, answers?: Said): Promise<void> =>
  stage.say(0, stage.encode('PointsAwarded', { orderId, balance }), { orderId, ...(answers && { answers }) })

/** The command of this saga, of which there may be others with the same key. */
const awardOf = async (stage: Stage, name: string, orderId: string): Promise<Said> => {
  for (;;) {
    const said = await stage.said('loyalty-commands')
    const found = said.find(({ record }) => record.headers['ce_correlationid'] === `${name}/${orderId}`)
    if (found !== undefined) return found
    await stage.pass(1)
  }
}

/** The loyalty saga runs to its end. */
const completes = async (stage: Stage, orderId: string, totalCents: number, balance = 0): Promise<void> => {
  await paid(stage, orderId, totalCents)
  await awarded(stage, orderId, balance, await awardOf(stage, 'loyalty', orderId))
  const voucher = await stage.command('IssueVoucher', orderId)
  await stage.say(0, stage.encode('VoucherIssued', { orderId }), { orderId, answers: voucher })
  await stage.event('SagaCompleted', orderId)
}

const counts = ({ passedOver }: System): unknown[] =>
  [...passedOver.counts()].map((one) => [one.saga, one.reason, one.count])

const messages = ({ errors }: Stage): string[] => errors.map((error) => (error as ParcomoloError).message)

test('a start key that fails passes the event over for its own saga alone, and is told once', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system)
  await stage.publish(system, sagaOf({ name: 'second', key: dividing }))
  await completes(stage, 'o-1', 0)
  await completes(stage, 'o-2', 0)
  t.like(stage.errors, [{ code: 'PARCOMOLO_ORCHESTRATOR_KEY_FAILED' }])
  const { revision } = system.definitions.current('second')!
  t.regex(messages(stage)[0]!, new RegExp(`^saga 'second' at revision '${revision}' passes over 'OrderPaid'`))
  t.regex(messages(stage)[0]!, /at loyalty-events\/0\/0, which all others have: saga\.yaml:6:\d+ .*start\.key/)
  t.deepEqual(counts(system), [['second', 'key-failed', 2]])
  t.deepEqual(await stage.said('dead-letters'), [])
  await paid(stage, 'o-3', 50)
  await stage.event('SagaStarted', '2')
  await system.stop()
})

test('an empty key begins nothing, and is told once', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system)
  await stage.publish(system, sagaOf({ name: 'second', key: "event.totalCents > 0 ? event.orderId : ''" }))
  await completes(stage, 'o-1', 0)
  await completes(stage, 'o-2', 0)
  t.regex(messages(stage)[0]!, /'second' .* gives an empty text; expected one that tells its instances apart/)
  t.is(stage.errors.length, 1)
  t.deepEqual(counts(system), [['second', 'key-empty', 2]])
  await system.stop()
})

test('a start whose key has had its instance begins nothing, and is counted and told of', async (t) => {
  const stage = await Stage.open(t)
  const told: unknown[] = []
  const system = await stage.run({ onKeyUsed: (...one) => told.push(one) })
  await stage.publish(system)
  await completes(stage, 'o-1', 100)
  await paid(stage, 'o-1', 200)
  await stage.until(() => told.length > 0)
  t.deepEqual(told, [['loyalty', 'o-1', 'loyalty-events/0/3']])
  t.deepEqual(counts(system), [['loyalty', 'key-used', 1]])
  t.deepEqual(stage.errors, [])
  await system.stop()
})

test('the cancel key of a revision is not looked at where no instance runs on it, also after a restart', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.run()
  await stage.publish(first)
  const audit = { name: 'audit', key: 'event.orderId' }
  for (const cancel of ['string(1 / event.balance)', 'event.orderId'])
    await stage.publish(first, sagaOf({ ...audit, cancel, points: cancel.length }))
  await completes(stage, 'o-1', 100)
  await first.stop()
  const second = await stage.run()
  await completes(stage, 'o-2', 100)
  t.deepEqual(stage.errors, [])
  t.deepEqual(await stage.said('dead-letters'), [])
  await second.stop()
})

test('a cancel key that fails is passed over, and the answer in the same event counts', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system, sagaOf({ name: 'audit', key: 'event.orderId', cancel: 'string(1 / event.balance)' }))
  await paid(stage, 'o-1', 100)
  await awarded(stage, 'o-1', 0, await stage.command('AwardPoints', 'o-1'))
  await stage.event('SagaCompleted', 'o-1')
  t.deepEqual(counts(system), [['audit', 'key-failed', 1]])
  t.is(stage.errors.length, 1)
  await awarded(stage, 'o-1', 0)
  await completesAfter(stage, system)
  t.deepEqual(counts(system), [['audit', 'key-failed', 1]], 'none runs any more')
  await system.stop()
})

/** Something else has come through, behind all that was said before. */
const completesAfter = async (stage: Stage, system: System): Promise<void> => {
  await stage.publish(system)
  await completes(stage, 'later', 1, 1)
}

test('an instance is cancelled by the key of its own revision only', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  const old = sagaOf({ name: 'audit', key: 'event.orderId', cancel: "'old-' + event.orderId" })
  await stage.publish(system, old)
  await paid(stage, 'old-1', 100)
  await stage.command('AwardPoints', 'old-1')
  const yaml = sagaOf({ name: 'audit', key: 'event.orderId', cancel: 'event.orderId' })
  const before = system.definitions.current('audit')!.revision
  await stage.publish(system, yaml)
  await stage.until(() => system.definitions.current('audit')!.revision !== before)
  await awarded(stage, 'old-1', 1)
  await paid(stage, 'next', 100)
  await stage.command('AwardPoints', 'next')
  await awarded(stage, 'next', 1)
  await stage.event('CancelRequested', 'next')
  const cancels = (await stage.said('saga-events')).filter(({ type }) => type === 'CancelRequested')
  t.is(cancels.length, 1)
  t.deepEqual(stage.errors, [])
  await system.stop()
})

test('an index beyond a list says how long that is', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system, sagaOf({ name: 'second', key: "event.orderId.split('-', 0)[1]" }))
  await paid(stage, 'o-1', 0)
  await stage.until(() => stage.errors.length > 0)
  t.regex(messages(stage)[0]!, /index 1 is out of range; the list has 0 items/)
  await system.stop()
})
