import test, { type ExecutionContext } from 'ava'
import { contractSet } from '../../src/contract/index.ts'
import type { Log, LogRecord } from '../../src/log/index.ts'
import { type InboxWaitDeps, inboxWaitOf } from '../../src/orchestrator/index.ts'
import { contracts, Stage } from './stage.ts'

const sagas = { topic: 'saga-events', partition: 0 }
const orders = ['o0', 'o1', 'o2', 'o3']

/** Four orders whose commands lie in the inbox of a participant that is away, and where each was issued. */
const waiting = async (t: ExecutionContext): Promise<{ stage: Stage; offsets: number[]; deps: InboxWaitDeps }> => {
  const stage = await Stage.open(t)
  const system = await stage.run()
  await stage.publish(system)
  for (const orderId of orders) {
    await stage.say(0, stage.encode('OrderPaid', { orderId, totalCents: 4200 }), { orderId })
    await stage.command('AwardPoints', orderId)
  }
  const issued = (await stage.said('saga-events')).filter(({ type }) => type === 'CommandIssued')
  await system.stop()
  const deps = { log: stage.log, codec: stage.codec, contracts: () => contracts, tellsReading: () => true }
  return { stage, offsets: issued.map(({ record }) => record.offset), deps }
}

const placed = (before: number): object => ({ inbox: 'loyalty-commands', partition: 0, before, isCounted: true })

test('a command that its participant has not read says where it waits, and how many stand before it', async (t) => {
  const { stage, offsets, deps } = await waiting(t)
  t.deepEqual(await inboxWaitOf(deps, sagas, offsets[3]!), placed(3), 'it has never read anything')
  const value = stage.encode('OrderPaid', { orderId: 'x', totalCents: 1 })
  const positions: LogRecord['headers'] = {
    'parcomolo-positions': JSON.stringify({ 'from:saga-events/0@loyalty-commands/0': offsets[1] })
  }
  await stage.log.send([
    { topic: 'loyalty-events', partition: 0, key: 'x', value, timestamp: 0, headers: positions },
    { topic: 'loyalty-events', partition: 0, key: 'x', value, timestamp: 0, headers: {} }
  ])
  const waits = await Promise.all(offsets.map((offset) => inboxWaitOf(deps, sagas, offset)))
  t.deepEqual(waits, [undefined, placed(0), placed(1), placed(2)])
})

test('of a foreign participant its group tells it, and without one nobody does', async (t) => {
  const { stage, offsets, deps: own } = await waiting(t)
  const deps = { ...own, tellsReading: () => false }
  t.is(await inboxWaitOf(deps, sagas, offsets[3]!), undefined)
  const [contract] = contracts.all
  const asked: NonNullable<Log['committed']> = (group) => Promise.resolve(new Map([[0, group === 'loyalty' ? 1 : 0]]))
  const log = new Proxy(stage.log, {
    get: (target, name) => (name === 'committed' ? asked : (target[name as keyof Log] as () => unknown).bind(target))
  })
  const grouped = { ...deps, log, contracts: () => contractSet([{ ...contract!, group: 'loyalty' }]) }
  t.is(await inboxWaitOf(grouped, sagas, offsets[0]!), undefined)
  t.deepEqual(await inboxWaitOf(grouped, sagas, offsets[3]!), placed(2))
})

test('an event that is no command waits nowhere', async (t) => {
  const { deps } = await waiting(t)
  t.is(await inboxWaitOf(deps, sagas, 0), undefined)
})
