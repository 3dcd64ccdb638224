import test, { type ExecutionContext } from 'ava'
import { Budget } from '../../src/base/index.ts'
import { cellBytes } from '../../src/task/cell.ts'
import type { TaskLimits } from '../../src/task/index.ts'
import { Stage } from './stage.ts'

/** A window of so many commands in each inbox partition. */
const windowOf = (count: number): Partial<TaskLimits> => {
  const window = { initial: count, min: count, max: count }
  return { unanswered: { window, windowUntold: window, unansweredMax: 1_000 } }
}

/** A saga that a cancel event of the same participant turns back. */
const cancellable = `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: loyalty }
spec:
  start: { on: OrderPaid, key: event.orderId }
  cancel: { on: VoucherIssued, key: event.orderId }
  steps:
    - name: points
      command: AwardPoints
      with: { orderId: start.orderId, points: start.totalCents / 100 }
      compensate: none
    - name: more
      command: AwardPoints
      with: { orderId: start.orderId, points: 1 }
      compensate: none
`

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `o${String(i).padStart(2, '0')}`)

const pay = async (stage: Stage, orderIds: readonly string[]): Promise<void> => {
  for (const orderId of orderIds)
    await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 4200 }), { orderId })
}

/** Answers this order's award, and waits for what the saga makes of it. */
const award = async (stage: Stage, orderId: string): Promise<void> => {
  const answers = await stage.command('AwardPoints', orderId)
  await stage.say(0, stage.encode('PointsAwarded', { orderId, balance: 1 }), { orderId, answers })
}

/** Answers so many commands, each once, in the order of the inbox. */
const answerAll = async (stage: Stage, count: number): Promise<void> => {
  const answered = new Set<string>()
  while (answered.size < count) {
    for (const answers of await stage.said('loyalty-commands')) {
      const [id, orderId] = [answers.record.headers['ce_id']!, answers.record.key]
      if (answered.has(id)) continue
      answered.add(id)
      const isAward = answers.type === 'AwardPoints'
      const value = isAward ? { orderId, balance: 1 } : { orderId }
      await stage.say(0, stage.encode(isAward ? 'PointsAwarded' : 'VoucherIssued', value), { orderId, answers })
    }
    await stage.pass(1)
  }
}

const started = async (stage: Stage): Promise<unknown[]> =>
  (await stage.said('saga-events')).filter(({ type }) => type === 'SagaStarted').map(({ value }) => value['key'])

const opened = async (t: ExecutionContext, windowSize: number, yaml?: string) => {
  const stage = await Stage.open(t)
  const system = await stage.run({ taskLimits: windowOf(windowSize) })
  await stage.publish(system, yaml)
  return { stage, system }
}

test('what begins beyond the window stays in the log, and begins in order when there is room', async (t) => {
  const { stage, system } = await opened(t, 4)
  const orders = names(20)
  await pay(stage, orders)
  await stage.command('AwardPoints', 'o03')
  await stage.pass(50_000)
  t.deepEqual(await started(stage), orders.slice(0, 4))
  await answerAll(stage, 40)
  for (const orderId of orders) await stage.event('SagaCompleted', orderId)
  t.deepEqual(await started(stage), orders)
  await system.stop()
  t.deepEqual(stage.errors, [])
})

test('what the memory has no room for begins later, and what waits for long sleeps meanwhile', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run({ living: new Budget(0, 2 * cellBytes) })
  await stage.publish(system)
  const orders = names(30)
  await pay(stage, orders)
  const task = system.runners.get('orchestrator')!.tasks.values().next().value!
  await stage.until(() => task.sleepingCount > 4)
  const begun = (await started(stage)).length
  t.true(begun > 4 && begun < 30, `${begun} have begun, of which two would fill the memory`)
  await answerAll(stage, 60)
  for (const orderId of orders) await stage.event('SagaCompleted', orderId)
  t.deepEqual(await started(stage), orders)
  await system.stop()
  t.deepEqual(stage.errors, [])
})

test('an answer is heard at once, however much waits to begin before it', async (t) => {
  const { stage, system } = await opened(t, 2)
  await pay(stage, names(300))
  await award(stage, 'o00')
  t.truthy(await stage.command('IssueVoucher', 'o00'))
  await system.stop()
})

test('what was put off is begun by the next owner, each once, where the last one stood', async (t) => {
  const { stage, system } = await opened(t, 3)
  const orders = names(12)
  await pay(stage, orders)
  for (const orderId of ['o00', 'o01']) {
    await award(stage, orderId)
    await stage.command('IssueVoucher', orderId)
  }
  await stage.until(() => true)
  await system.stop()
  const before = await started(stage)
  t.true(before.length < orders.length)
  const next = await stage.run()
  await stage.command('AwardPoints', orders.at(-1)!)
  t.deepEqual(await started(stage), orders)
  await next.stop()
  t.deepEqual(stage.errors, [])
})

test('a cancel that comes before the start of its saga was read again is heard: nothing is sent', async (t) => {
  const { stage, system } = await opened(t, 2, cancellable)
  const orders = names(6)
  await pay(stage, orders)
  await stage.command('AwardPoints', 'o01')
  await stage.say(0, stage.encode('VoucherIssued', { orderId: 'o04' }), { orderId: 'o04' })
  await stage.event('CancelCameEarly', 'o04')
  await answerAll(stage, 10)
  await stage.event('SagaCompensated', 'o04')
  const sent = (await stage.said('loyalty-commands')).filter(({ record }) => record.key === 'o04')
  t.deepEqual(sent, [])
  const [order] = (await stage.said('saga-events')).filter(
    ({ type, value }) => type === 'CancelRequested' && value['key'] === 'o04'
  )
  t.truthy(order)
  await system.stop()
  t.deepEqual(stage.errors, [])
})

test('a cancel of what has never started says nothing, as long as nothing is put off', async (t) => {
  const { stage, system } = await opened(t, 100, cancellable)
  await stage.say(0, stage.encode('VoucherIssued', { orderId: 'o04' }), { orderId: 'o04' })
  await pay(stage, ['o05'])
  await stage.command('AwardPoints', 'o05')
  t.deepEqual(
    (await stage.said('saga-events')).filter(({ type }) => type === 'CancelCameEarly'),
    []
  )
  await system.stop()
})
