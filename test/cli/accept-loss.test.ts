import { userInfo } from 'node:os'
import test from 'ava'
import type { Program } from '../../src/cli/command.ts'
import { acceptLoss, readConfig } from '../../src/main/index.ts'
import { notHere, ran as ranWith } from './ran.ts'

const ran = (line: readonly string[], accept: Program['acceptLoss'] = notHere) =>
  ranWith(['accept-loss', ...line], { acceptLoss: accept })

test('accept-loss says who decides and why, and tells where readers go on', async (t) => {
  const losses: unknown[] = []
  const accept: Program['acceptLoss'] = async (loss) => {
    losses.push(loss)
    return [
      { start: 3, end: 4 },
      { start: 0, end: 0 }
    ]
  }
  const { code, out } = await ran(['probe-events', '--reason', 'retention was too short', '--by', 'ada'], accept)
  t.is(code, 0)
  t.deepEqual(out, [
    'probe-events/0  has 3 to 4; who has lost what they were to read goes on at 3',
    'probe-events/1  has 0 to 0; who has lost what they were to read goes on at 0'
  ])
  await ran(['probe-events', '--reason', 'as before'], accept)
  t.deepEqual(losses, [
    { topic: 'probe-events', by: 'ada', reason: 'retention was too short' },
    { topic: 'probe-events', by: userInfo().username, reason: 'as before' }
  ])
})

test('accept-loss without a reason does nothing', async (t) => {
  for (const line of [['x'], ['x', '--reason', ' ']]) {
    const { code, err } = await ran(line)
    t.deepEqual(
      [code, err],
      [2, ['PARCOMOLO_CLI_USAGE: accept-loss needs --reason WHY, as the decision is noted in the log for ever']]
    )
  }
})

test('of the state itself, and of a log that loses nothing by itself, no loss is accepted', async (t) => {
  const loss = { topic: 'order-events', by: 'ada', reason: 'why not' }
  const kafka = { KAFKA_BROKERS: '127.0.0.1:1', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' }
  for (const topic of ['order-events', 'saga-events', 'saga-definitions'])
    await t.throwsAsync(acceptLoss(readConfig(kafka), { ...loss, topic }), {
      code: 'PARCOMOLO_MAIN_LOSS_REFUSED',
      message: /it is state of Parcomolo itself; expected a participant's inbox or events topic/
    })
  await t.throwsAsync(acceptLoss(readConfig({}), { ...loss, topic: 'probe-events' }), {
    code: 'PARCOMOLO_MAIN_LOSS_REFUSED',
    message: /the embedded log loses nothing by itself; expected KAFKA_BROKERS/
  })
})
