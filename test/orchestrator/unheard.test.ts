import test from 'ava'
import { Unheard, type UnheardAnswer } from '../../src/orchestrator/index.ts'
import { metricsText } from '../../src/main/metrics.ts'
import { saga, Stage } from './stage.ts'

test('each answer that is passed over is counted and told with its reason', async (t) => {
  const stage = await Stage.open(t)
  const told: UnheardAnswer[] = []
  const unheard = new Unheard((answer) => told.push(answer))
  const system = await stage.run({ unheard })
  await stage.publish(system)
  const orderId = 'o'
  await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 500 }), { orderId })
  const award = await stage.command('AwardPoints', orderId)
  const id = award.record.headers['ce_id']!
  const answer = stage.encode('PointsAwarded', { orderId, balance: 5 })
  const say = (headers: Record<string, string>, value = answer, key = orderId): Promise<unknown> =>
    stage.log.send([{ topic: 'loyalty-events', partition: 0, key, value, timestamp: stage.clock.now(), headers }])
  await say({})
  await say({ CE_ID: 'a-1', CE_TYPE: 'PointsAwarded', CE_CAUSATIONID: id })
  await say({ ce_type: 'PointsAwarded', ce_CausationId: id })
  await say({ ce_causationid: 'nonsense' })
  await say({ ce_causationid: id.replace(/o$/, 'other') }, answer, 'other')
  await say({ ce_causationid: id.replace(/o$/, 'other') })
  await say({ ce_causationid: id }, stage.encode('VoucherIssued', { orderId }))
  await say({ ce_causationid: id }, stage.encode('OrderPaid', { orderId: 'n', totalCents: 1 }), orderId)
  await say({ ce_causationid: 'mine' }, stage.encode('OrderPaid', { orderId: 'm', totalCents: 1 }), orderId)
  await say({ ce_causationid: id })
  await stage.command('IssueVoucher', orderId)
  await say({ ce_causationid: id })
  await stage.until(() => told.length === 8)
  t.deepEqual(
    told.map(({ reason, type }) => [reason, type]),
    [
      ['no-causation-id', 'PointsAwarded'],
      ['header-case', 'PointsAwarded'],
      ['header-case', 'PointsAwarded'],
      ['unknown-id', 'PointsAwarded'],
      ['unknown-id', 'PointsAwarded'],
      ['unknown-id', 'PointsAwarded'],
      ['wrong-type', 'VoucherIssued'],
      ['not-awaited', 'PointsAwarded']
    ]
  )
  t.like(told[6], { at: 'loyalty-events/0/7', key: 'o', causationId: id })
  t.deepEqual(
    told.slice(0, 4).map(({ header }) => header),
    [undefined, 'CE_ID', 'ce_CausationId', undefined]
  )
  const lines = metricsText({ unheard }).split('\n')
  t.true(lines.includes('parcomolo_saga_answers_passed_over_total{topic="loyalty-events",reason="header-case"} 2'))
  await system.stop()
  t.deepEqual(stage.errors, [])
})

test('an answer to an undo is judged by what answers that', async (t) => {
  const stage = await Stage.open(t)
  const told: UnheardAnswer[] = []
  const system = await stage.run({ unheard: new Unheard((answer) => told.push(answer)) })
  const undone = 'compensate: { command: IssueVoucher, with: { orderId: start.orderId, balance: 0 } }'
  await stage.publish(system, saga.replace('compensate: none', undone))
  const orderId = 'o'
  await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 500 }), { orderId })
  const award = await stage.command('AwardPoints', orderId)
  const undo = award.record.headers['ce_id']!.replace(/\/o$/, '!undo/o')
  const start = undo.replace(/\/[^/]*!undo/, '/start!undo')
  for (const id of [undo, start]) {
    const value = stage.encode('PointsAwarded', { orderId, balance: 5 })
    const headers = { ce_causationid: id }
    await stage.log.send([{ topic: 'loyalty-events', partition: 0, key: orderId, value, timestamp: 0, headers }])
  }
  await stage.until(() => told.length === 2)
  t.deepEqual(
    told.map(({ reason }) => reason),
    ['wrong-type', 'unknown-id']
  )
  await system.stop()
})
