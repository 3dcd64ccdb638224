import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { Kafka, logLevel } from 'kafkajs'
import { ParcomoloError } from '../../src/base/index.ts'
import type { Log } from '../../src/log/index.ts'
import { Appender } from '../../src/log/kafka/appender.ts'
import { BrokerRefusal } from '../../src/log/kafka/broker-errors.ts'
import { ByteWriter } from '../../src/log/kafka/byte-writer.ts'
import { Cluster } from '../../src/log/kafka/cluster.ts'
import { FlexibleReader } from '../../src/log/kafka/flexible.ts'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { connector, wireRequest } from '../../src/log/kafka/kafkajs.ts'
import { claimPartition } from '../../src/log/kafka/partition-writer.ts'
import { type Clocks, Proof } from '../../src/log/kafka/proof.ts'
import { newStats } from '../../src/log/kafka/stats.ts'
import { brokers } from '../helpers/kafka.ts'
import { keysOf, readAll, record } from './records.ts'

const named = brokers ?? []
const lookMs = 50
const proofMs = 3_600_000
const journal = { topic: 'journal', partition: 0 }
const fenced = { code: 'PARCOMOLO_LOG_FENCED' }
/** Brokers that forget later than this are not waited for; those of `.ci/run` do not. */
const forgetMsMost = 15_000

class MovedClocks implements Clocks {
  ms = 0
  readonly wall = () => this.ms
  readonly sinceStart = () => this.ms
}

test('a proof is good for its time, by the one clock and by the other', (t) => {
  const now = { wall: 1_000_000, sinceStart: 10 }
  const proof = new Proof(100, { wall: () => now.wall, sinceStart: () => now.sinceStart })
  const cases = [
    [100, 100, false],
    [101, 0, true],
    [0, 101, true],
    // Set back, the wall says nothing.
    [-101, 0, true],
    [-100, 0, false]
  ] as const
  for (const [wall, sinceStart, isStale] of cases) {
    Object.assign(now, { wall: 1_000_000, sinceStart: 10 })
    proof.give()
    Object.assign(now, { wall: 1_000_000 + wall, sinceStart: 10 + sinceStart })
    t.is(proof.isStale, isStale, `${wall} ${sinceStart}`)
  }
})

/** Two processes, each with clocks that the test moves. */
class Stage {
  readonly prefix = `test-${randomUUID()}-`
  readonly id = `${this.prefix}parcomolo-journal/0`
  readonly #t: ExecutionContext

  constructor(t: ExecutionContext) {
    this.#t = t
  }

  async process(clocks: Clocks = new MovedClocks()): Promise<Log> {
    const log = await openKafkaLog({ brokers: named, clientId: 'test', prefix: this.prefix, proofMs, clocks })
    this.#t.teardown(() => log.close())
    await log.ensureTopics([{ topic: 'journal', partitions: 1, cleanup: 'delete', retention: 'forever' }])
    return log
  }

  async cluster(): Promise<Cluster> {
    const cluster = new Cluster(connector({ brokers: named, clientId: 'tool', requestTimeoutMs: 5_000 }), named)
    this.#t.teardown(() => cluster.close(new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'closed')))
    await cluster.follow([{ name: `${this.prefix}journal`, partitions: 1 }])
    return cluster
  }

  /** Whether the brokers know the transactional id. */
  async isKnown(cluster: Cluster): Promise<boolean> {
    const ids = await cluster.atCoordinator('read', { kind: 1, key: this.id }, (link) =>
      link.connectionPool.send(listTransactions())
    )
    return ids.includes(this.id)
  }

  async untilForgotten(cluster: Cluster): Promise<void> {
    while (await this.isKnown(cluster)) await wait(lookMs)
  }
}

/** ListTransactions, version 0 (KIP-664): all that a broker coordinates. */
const listTransactions = () => {
  const body = new ByteWriter(16)
  for (const byte of [0, 1, 1, 0]) body.byte(byte)
  return wireRequest({ key: 66, version: 0, name: 'ListTransactions' }, body.written(), (payload) => {
    const reader = new FlexibleReader(payload)
    reader.skip(6)
    reader.list(() => reader.text())
    return reader.list(() => {
      const id = reader.text()
      reader.skip(8)
      reader.text()
      reader.tags()
      return id
    })
  })
}

/** How long brokers keep a transactional id that nobody uses. */
const forgetMs = async (): Promise<number> => {
  const admin = new Kafka({ brokers: named, clientId: 'tool', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const { brokers: nodes } = await admin.describeCluster()
    const wanted = { type: 4, name: String(nodes[0]!.nodeId), configNames: ['transactional.id.expiration.ms'] }
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [wanted] })
    return Number(resources[0]!.configEntries[0]!.configValue)
  } finally {
    await admin.disconnect()
  }
}

if (brokers === undefined) test.skip('the fence on Kafka: KAFKA_BROKERS names no broker', () => undefined)
else {
  testProofs()
  testForgetting()
}

function testProofs(): void {
  test('an owner whose proof is too old takes a new epoch, and its batches go on where they were', async (t) => {
    const stage = new Stage(t)
    const clocks = new MovedClocks()
    const log = await stage.process(clocks)
    const writer = await log.claim(journal)
    // The first one of all, too.
    for (let i = 0; i < 4; i++) {
      clocks.ms += proofMs + 1
      t.is(await writer.append([record(`${i}.0`), record(`${i}.1`)]), i * 3)
      t.is(await writer.append([record(`${i}.2`)]), i * 3 + 2)
    }
    const newer = await (await stage.process()).claim(journal)
    t.is(await newer.append([record('newer')]), 12)
    await t.throwsAsync(writer.append([record('older')]), fenced)
  })

  test('a batch that has left under a proof that is too old by now is not sent again', async (t) => {
    const stage = new Stage(t)
    const log = await stage.process()
    const cluster = await stage.cluster()
    const clocks = new MovedClocks()
    const stats = newStats()
    const appender = new Appender(cluster, stats)
    let isLost = false
    const losing: Pick<Appender, 'append'> = {
      append: async (place, encode) => {
        const base = await appender.append(place, encode)
        if (!isLost) return base
        clocks.ms += proofMs + 1
        throw new BrokerRefusal(7, 'the answer')
      }
    }
    const place = { topic: `${stage.prefix}journal`, partition: 0 }
    const deps = { cluster, appender: losing, stats, proof: new Proof(proofMs, clocks) }
    const writer = await claimPartition(place, stage.id, deps)
    await writer.append([record('first')])
    isLost = true
    await t.throwsAsync(writer.append([record('once')]), fenced)
    t.deepEqual(keysOf(await readAll(log, journal)), ['first', 'once'])
  })
}

/** Nothing is shown where brokers keep ids for long, which is said. */
const doForget = async (t: ExecutionContext): Promise<boolean> => {
  const ms = await forgetMs()
  if (ms <= forgetMsMost) return true
  t.log(`left out: transactional.id.expiration.ms is '${ms}' here; it takes at most ${forgetMsMost}`)
  t.pass()
  return false
}

function testForgetting(): void {
  test('an owner that slept until the brokers had forgotten its id is fenced by whoever took over', async (t) => {
    if (!(await doForget(t))) return
    const stage = new Stage(t)
    const clocks = new MovedClocks()
    const older = await (await stage.process(clocks)).claim(journal)
    await older.append([record('older')])
    const cluster = await stage.cluster()
    await stage.untilForgotten(cluster)
    const newerClocks = new MovedClocks()
    const log = await stage.process(newerClocks)
    const newer = await log.claim(journal)
    await newer.append([record('newer')])
    // Both have been asleep for so long when the older one wakes up.
    await stage.untilForgotten(cluster)
    clocks.ms += proofMs + 1
    await t.throwsAsync(older.append([record('zombie')]), fenced)
    newerClocks.ms += proofMs + 1
    t.is(await newer.append([record('newer again')]), 2)
    t.deepEqual(keysOf(await readAll(log, journal)), ['older', 'newer', 'newer again'])
  })

  test('an owner that is at work stays known, so whoever takes over fences it', async (t) => {
    if (!(await doForget(t))) return
    const stage = new Stage(t)
    const unused = new Stage(t)
    const clocks = new MovedClocks()
    const older = await (await stage.process(clocks)).claim(journal)
    await (await unused.process()).claim(journal)
    const unusedCluster = await unused.cluster()
    while (await unused.isKnown(unusedCluster)) {
      clocks.ms += proofMs + 1
      await older.append([record('older')])
    }
    const newer = await (await stage.process()).claim(journal)
    await newer.append([record('newer')])
    await t.throwsAsync(older.append([record('older')]), fenced)
  })
}
