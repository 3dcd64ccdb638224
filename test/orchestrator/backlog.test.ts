import test from 'ava'
import { Stage } from './stage.ts'

const hour = 3_600_000

/** Time passes, in steps that let every timer fire, until this many commands were sent for this order. */
const untilSent = async (stage: Stage, orderId: string, count: number): Promise<void> => {
  while ((await commandsOf(stage, orderId)) < count) await stage.pass(1_000)
}

const pay = async (stage: Stage, orderIds: readonly string[]): Promise<void> => {
  for (const orderId of orderIds)
    await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 4200 }), { orderId })
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `o${i}`)

const commandsOf = async (stage: Stage, orderId: string): Promise<number> =>
  (await stage.said('loyalty-commands')).filter(({ record }) => record.key === orderId).length

test('while a participant is away, one command of its inbox is sent again as a probe, and no other', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system)
  const orders = names(30)
  await pay(stage, orders)
  for (const orderId of orders) await stage.command('AwardPoints', orderId)
  await untilSent(stage, 'o0', 40)
  for (const orderId of orders.slice(1)) t.is(await commandsOf(stage, orderId), 1, orderId)
  await system.stop()
  t.deepEqual(stage.errors, [])
})

test('after an answer, what lies before it is sent again in time, and what lies behind it is not', async (t) => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system)
  const orders = names(10)
  await pay(stage, orders)
  const awards = await Promise.all(orders.map((orderId) => stage.command('AwardPoints', orderId)))
  const awarded = stage.encode('PointsAwarded', { orderId: 'o5', balance: 1 })
  await stage.say(0, awarded, { orderId: 'o5', answers: awards[5]! })
  await stage.command('IssueVoucher', 'o5')
  for (const orderId of ['o0', 'o1', 'o2', 'o3', 'o4']) await untilSent(stage, orderId, 2)
  for (const orderId of ['o7', 'o8', 'o9']) t.is(await commandsOf(stage, orderId), 1, orderId)
  await system.stop()
})

test('after a restart one command an inbox is sent again, however long the others have waited', async (t) => {
  const stage = await Stage.open(t)
  const first = await stage.run()
  await stage.publish(first)
  await pay(stage, names(20))
  for (const orderId of names(20)) await stage.command('AwardPoints', orderId)
  await untilSent(stage, 'o0', 3)
  await first.stop()
  const before = (await stage.said('loyalty-commands')).length
  stage.clock.advance(hour)
  const second = await stage.run()
  await untilSent(stage, 'o0', 7)
  const after = (await stage.said('loyalty-commands')).slice(before)
  t.deepEqual([...new Set(after.map(({ record }) => record.key))], ['o0'])
  await second.stop()
})
