import test from 'ava'
import { partitionOf } from '../../src/base/index.ts'
import { Stage } from './stage.ts'

const partitions = 3

/** A partition that this key does not belong to. */
const elsewhere = (key: string): number => (partitionOf(key, partitions) + 1) % partitions

test('a participant may write its events, also those that start a saga, to any partition', async (t) => {
  const stage = await Stage.open(t, partitions)
  const system = await stage.run()
  await stage.publish(system)
  const orders = ['a', 'b', 'c', 'd']
  for (const orderId of orders) {
    const paid = stage.encode('OrderPaid', { orderId, totalCents: 4200 })
    await stage.say(elsewhere(orderId), paid, { orderId })
  }
  for (const orderId of orders) {
    const award = await stage.command('AwardPoints', orderId)
    t.deepEqual({ ...award.value }, { orderId, points: 42 })
    const awarded = stage.encode('PointsAwarded', { orderId, balance: 100 })
    await stage.say(elsewhere(orderId), awarded, { orderId, answers: award })
    const issue = await stage.command('IssueVoucher', orderId)
    t.deepEqual({ ...issue.value }, { orderId, balance: 100 })
    const issued = stage.encode('VoucherIssued', { orderId })
    await stage.say(partitionOf(orderId, partitions), issued, { orderId, answers: issue })
    await stage.event('SagaCompleted', orderId)
  }
  await system.stop()
  const started = (await stage.said('saga-events')).filter(({ type }) => type === 'SagaStarted')
  t.deepEqual(started.map(({ value }) => value['key']).toSorted(), orders, 'each by one task only')
  t.deepEqual(stage.errors, [])
})
