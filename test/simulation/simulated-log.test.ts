import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import type { LogRecord } from '../../src/log/index.ts'
import type { BrokerVariant } from '../helpers/simulated-broker.ts'
import { type Faults, noFaults, SimulatedCluster } from '../helpers/simulated-log.ts'
import { VirtualTime } from '../helpers/virtual-time.ts'
import { type StageMaker, testLogContract } from '../log/contract.ts'

/** A stage whose time moves on by itself. */
const stage =
  (variant: BrokerVariant, faults: Faults): StageMaker =>
  async (t) => {
    const time = new VirtualTime(t.title)
    const cluster = new SimulatedCluster(time, variant, faults)
    let ended = false
    const pump = async (): Promise<void> => {
      while (!ended) {
        await time.run(() => ended)
        await turn()
      }
    }
    const pumping = pump()
    return {
      open: async () => cluster.log(cluster.process('process')),
      end: async () => {
        ended = true
        await pumping
      }
    }
  }

testLogContract('the simulated log, as Kafka', stage('kafka', noFaults))
testLogContract('the simulated log, as the embedded one', stage('embedded', noFaults))
testLogContract(
  'the simulated log on a bad network',
  stage('kafka', { ...noFaults, slow: 0.2, slowMsMax: 900, requestLost: 0.2, assignmentMsMax: 500 })
)

const everyFault: Faults = {
  slow: 0.2,
  slowMsMax: 900,
  requestLost: 0.1,
  answerLost: 0.1,
  duplicated: 0.2,
  sendRejected: 0.3,
  lookupLags: 0,
  assignmentMsMax: 100,
  slowDisk: 0
}

const journal = { topic: 'journal', partition: 0 }
const inbox = { topic: 'inbox', partition: 0 }
const record = (key: string): LogRecord => ({ key, value: Buffer.from(key), timestamp: 0, headers: {} })

/** Two processes that take the journal from one another, and send. */
const runOnce = async (
  seed: string
): Promise<{ trace: string[]; cluster: SimulatedCluster; acknowledged: string[] }> => {
  const time = new VirtualTime(seed)
  const cluster = new SimulatedCluster(time, 'kafka', everyFault)
  const acknowledged: string[] = []
  let working = 0
  const work = async (name: string): Promise<void> => {
    const log = cluster.log(cluster.process(name))
    await log.ensureTopics([
      { topic: 'journal', partitions: 1, cleanup: 'delete' },
      { topic: 'inbox', partitions: 1, cleanup: 'delete' }
    ])
    const writer = await log.claim(journal)
    for (let i = 0; i < 5; i++) {
      await writer.append([record(`${name}${i}`)])
      acknowledged.push(`${name}${i}`)
      await log.send([{ ...inbox, ...record(`${name}${i}`) }]).catch(() => undefined)
    }
  }
  for (const name of ['a', 'b', 'c']) {
    working++
    void work(name)
      .catch(() => undefined)
      .finally(() => working--)
  }
  await time.run(() => working === 0)
  await time.pass(10_000)
  return { trace: time.trace, cluster, acknowledged }
}

test('the same seed gives the same run, another seed another', async (t) => {
  const first = await runOnce('one')
  t.true(first.trace.length > 20)
  t.deepEqual((await runOnce('one')).trace, first.trace)
  t.notDeepEqual((await runOnce('two')).trace, first.trace)
})

test('whatever is lost, late or doubled on the way, an acknowledged batch is in the journal once', async (t) => {
  for (let seed = 0; seed < 50; seed++) {
    const { cluster, acknowledged } = await runOnce(`journal ${seed}`)
    const keys = cluster.broker.partition(journal).records.map(({ key }) => key)
    t.is(new Set(keys).size, keys.length, `seed ${seed}`)
    t.deepEqual(
      acknowledged.filter((key) => !keys.includes(key)),
      [],
      `seed ${seed}`
    )
  }
})

test('faults happen: repeated batches, refused writers, and commands that are sent twice', async (t) => {
  const traces: string[] = []
  for (let seed = 0; seed < 20; seed++) traces.push(...(await runOnce(`faults ${seed}`)).trace)
  for (const sign of ['repeats a batch', 'is refused'])
    t.true(
      traces.some((line) => line.includes(sign)),
      sign
    )
  const { cluster } = await runOnce('faults 1')
  const sent = cluster.broker.partition(inbox).records.map(({ key }) => key)
  t.true(new Set(sent).size < sent.length)
})

test('nothing comes back to a process that has crashed, but what it had sent arrives', async (t) => {
  const time = new VirtualTime('crash')
  const cluster = new SimulatedCluster(time, 'kafka')
  const process = cluster.process('a')
  const log = cluster.log(process)
  void log.ensureTopics([{ topic: 'journal', partitions: 1, cleanup: 'delete' }])
  await time.pass(10)
  let answers = 0
  const writer = log.claim(journal)
  await time.pass(10)
  void (await writer).append([record('last words')]).finally(() => answers++)
  process.clock.at(time.now() + 5, () => answers++)
  process.crash()
  await time.pass(10_000)
  t.is(answers, 0)
  t.deepEqual(
    cluster.broker.partition(journal).records.map(({ key }) => key),
    ['last words']
  )
})

test('a crash of the machine loses an end of the one order, never more than was not yet durable', async (t) => {
  for (let seed = 0; seed < 20; seed++) {
    const time = new VirtualTime(`machine ${seed}`)
    const cluster = new SimulatedCluster(time, 'embedded')
    const process = cluster.process('a')
    const log = cluster.log(process)
    let durable = 0
    const run = async (): Promise<void> => {
      await log.ensureTopics([
        { topic: 'journal', partitions: 1, cleanup: 'delete' },
        { topic: 'inbox', partitions: 1, cleanup: 'delete' }
      ])
      const writer = await log.claim(journal)
      for (let i = 0; ; i++) {
        await writer.append([record(`${i}`)])
        await log.send([{ ...inbox, ...record(`${i}`) }])
        void log.durable(journal, i + 1).then(() => (durable = i + 1))
      }
    }
    void run()
    await time.pass(time.between(10, 200))
    process.crash()
    cluster.broker.loseEnd(Math.floor(time.between(0, 10)))
    const [journaled, sent] = [journal, inbox].map((place) => cluster.broker.partition(place).end)
    t.true(journaled! >= durable, `seed ${seed}`)
    t.true(journaled! === sent || journaled === sent! + 1, `seed ${seed}`)
  }
})
