import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import type { ParcomoloError } from '../../src/base/index.ts'
import type { Log, TopicPartition } from '../../src/log/index.ts'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { brokers } from '../helpers/kafka.ts'
import { keysOf, readAll, record, takeUntil } from './records.ts'

const named = brokers ?? []
const lookMs = 20
const [asked, answers, other] = ['asked', 'answers', 'other'] as const
const spec = (topic: string) => ({ topic, partitions: 1, cleanup: 'delete' }) as const
const at = (topic: string): TopicPartition => ({ topic, partition: 0 })

/** A log, and somebody else who does things to its topics. */
class Stage {
  readonly prefix = `test-${randomUUID()}-`
  readonly told: [about: string, error: ParcomoloError | undefined][] = []
  #changed = Promise.withResolvers<void>()
  readonly #t: ExecutionContext
  readonly #admin: Admin

  private constructor(t: ExecutionContext, admin: Admin) {
    this.#t = t
    this.#admin = admin
  }

  static async open(t: ExecutionContext): Promise<Stage> {
    const admin = new Kafka({ brokers: named, clientId: 'tool', logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    t.teardown(() => admin.disconnect())
    return new Stage(t, admin)
  }

  async log(growthLookMs = 30_000): Promise<Log> {
    const onConcern = (about: string, error: ParcomoloError | undefined): void => {
      this.told.push([about.replaceAll(this.prefix, ''), error])
      this.#changed.resolve()
      this.#changed = Promise.withResolvers()
    }
    const log = await openKafkaLog({ brokers: named, clientId: 'test', prefix: this.prefix, onConcern, growthLookMs })
    this.#t.teardown(() => log.close())
    await log.ensureTopics([asked, answers, other].map(spec))
    return log
  }

  /** Waits until something was told about this. */
  async heard(about: string): Promise<ParcomoloError | undefined> {
    for (;;) {
      const found = this.told.findLast(([what]) => what.includes(about))
      if (found !== undefined) return found[1]
      await this.#changed.promise
    }
  }

  async cut(topic: string, offset: number): Promise<void> {
    const name = this.prefix + topic
    // kafkajs knows the leaders only of topics that it was asked for.
    await this.#admin.fetchTopicOffsets(name)
    await this.#admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: String(offset) }] })
  }

  async drop(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [this.prefix + topic] })
    while ((await this.#admin.listTopics()).includes(this.prefix + topic)) await wait(lookMs)
  }

  async make(topic: string): Promise<void> {
    const configEntries = [{ name: 'max.message.bytes', value: '16777216' }]
    const made = { topic: this.prefix + topic, numPartitions: 1, configEntries }
    // On a busy broker the client gives up on the leaders of a topic that was there before under the same name.
    await this.#admin.createTopics({ topics: [made], waitForLeaders: false })
    while (!(await this.#admin.listTopics()).includes(made.topic)) await wait(lookMs)
  }

  async grow(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topicPartitions: [{ topic: this.prefix + topic, count }] })
  }

  async limit(topic: string, bytes: number): Promise<void> {
    const configEntries = [{ name: 'max.message.bytes', value: String(bytes) }]
    const resources = [{ type: 2, name: this.prefix + topic, configEntries }]
    await this.#admin.alterConfigs({ validateOnly: false, resources })
  }
}

const send = (log: Log, topic: string, ...keys: string[]): Promise<unknown> =>
  log.send(keys.map((key) => ({ ...at(topic), ...record(key) })))

if (brokers === undefined) test.skip('topics in trouble: KAFKA_BROKERS names no broker', () => undefined)
else {
  testLosses()
  testMissing()
  testGrowth()
}

function testLosses(): void {
  test('a topic that was trimmed past its reader holds up nothing else, until somebody accepts the loss', async (t) => {
    const stage = await Stage.open(t)
    const log = await stage.log()
    await send(log, answers, 'a', 'b', 'c', 'd')
    await stage.cut(answers, 3)
    const starts = [
      { ...at(answers), offset: 1 },
      { ...at(other), offset: 0 }
    ]
    const reader = log.reader(starts, 'visible')
    const error = await stage.heard(answers)
    t.is(error!.code, 'PARCOMOLO_LOG_OUT_OF_RANGE')
    t.regex(
      error!.message,
      /answers\/0' cannot be read from '1', as it has '3' to '4': .+'parcomolo accept-loss answers /
    )
    const health = log.health()
    t.true(health.ok && health.concerns![0]!.includes('answers/0'))
    await send(log, other, 'x')
    t.deepEqual(keysOf(await takeUntil(reader, 1)), ['x'])

    t.deepEqual(await log.acceptLoss!(answers, 'ada', 'retention was too short'), [{ start: 3, end: 4 }])
    t.deepEqual(keysOf(await takeUntil(reader, 1)), ['d'])
    t.deepEqual(log.health(), { ok: true })
    t.is(stage.told.at(-1)![1], undefined)
    reader.close()
    // It is held against nobody twice, and a start needs no second word.
    const again = (await stage.log()).reader([{ ...at(answers), offset: 2 }], 'visible')
    t.deepEqual(keysOf(await takeUntil(again, 1)), ['d'])
    again.close()
    await log.ensureTopics([spec('accepted-losses')])
    const [noted] = await readAll(log, at('accepted-losses'))
    t.like(JSON.parse(Buffer.from(noted!.value!).toString()), { by: 'ada', reason: 'retention was too short' })
  })

  test('a topic that was made anew is read from its start once the loss is accepted, and not before', async (t) => {
    const stage = await Stage.open(t)
    const log = await stage.log()
    await send(log, answers, 'a', 'b', 'c')
    const reader = log.reader(
      [answers, other].map((topic) => ({ ...at(topic), offset: 0 })),
      'visible'
    )
    t.deepEqual(keysOf(await takeUntil(reader, 3)), ['a', 'b', 'c'])
    await stage.drop(answers)
    const missing = await stage.heard(answers)
    t.is(missing!.code, 'PARCOMOLO_LOG_TOPIC_MISSING')
    t.regex(missing!.message, /UNKNOWN_TOPIC_OR_PARTITION.*kafka-topics .*--create --topic \S+answers --partitions 1 /)
    t.true(log.health().ok)
    await send(log, other, 'x')
    t.deepEqual(keysOf(await takeUntil(reader, 1)), ['x'])

    await stage.make(answers)
    while (stage.told.at(-1)![1]?.code !== 'PARCOMOLO_LOG_OUT_OF_RANGE') await wait(lookMs)
    // By the time of the decision it has grown past where the reader stands.
    await send(log, answers, 'A', 'B', 'C', 'D')
    await log.acceptLoss!(answers, 'ada', 'it was made anew')
    t.deepEqual(keysOf(await takeUntil(reader, 4)), ['A', 'B', 'C', 'D'])
    reader.close()
  })

  test('the loss of a topic that is not there is not accepted', async (t) => {
    const log = await (await Stage.open(t)).log()
    await t.throwsAsync(log.acceptLoss!('gone', 'ada', 'why not'), { code: 'PARCOMOLO_LOG_TOPIC_MISSING' })
  })
}

function testMissing(): void {
  test('an inbox that is deleted holds up what is for it, and takes that when it is there again', async (t) => {
    const stage = await Stage.open(t)
    const log = await stage.log()
    await send(log, asked, 'a')
    await stage.drop(asked)
    const held = send(log, asked, 'b')
    await send(log, other, 'x')
    const error = await stage.heard(`append to '${asked}/0'`)
    t.is(error!.code, 'PARCOMOLO_LOG_TOPIC_MISSING')
    t.true(log.health().ok)
    await stage.make(asked)
    await held
    t.deepEqual(keysOf(await readAll(log, at(asked))), ['b'])
    t.is(stage.told.at(-1)![1], undefined)
  })

  test('an inbox that takes less than it has to holds up what is for it, and names its setting', async (t) => {
    const stage = await Stage.open(t)
    const log = await stage.log()
    await stage.limit(asked, 2_000)
    // A broker keeps to it a little later.
    const heard = stage.heard(`append to '${asked}/0'`)
    let isHeld = false
    heard.then(
      () => (isHeld = true),
      () => undefined
    )
    let held = Promise.resolve()
    let count = 0
    while (!isHeld) {
      count++
      held = log.send([{ ...at(asked), ...record('a'), value: Buffer.alloc(5_000) }])
      await Promise.race([held, heard])
    }
    await send(log, other, 'x')
    const error = await heard
    t.is(error!.code, 'PARCOMOLO_LOG_TOPIC_MISMATCH')
    t.regex(
      error!.message,
      /MESSAGE_TOO_LARGE.*kafka-configs .*--entity-name \S+asked --add-config max.message.bytes=16777216$/
    )
    t.true(log.health().ok)
    await stage.limit(asked, 16_777_216)
    await held
    t.is((await readAll(log, at(asked))).length, count)
  })
}

function testGrowth(): void {
  test('partitions that are added to a topic of others are counted at once, and at the next start', async (t) => {
    const stage = await Stage.open(t)
    const log = await stage.log(lookMs)
    await log.ensureTopics([{ ...spec(answers), morePartitions: 'read' }])
    t.is(log.partitionCount(answers), 1)
    const grown = new Promise<string>((resolve) => log.onGrown!(resolve))
    await stage.grow(answers, 3)
    t.is(await grown, answers)
    t.is(log.partitionCount(answers), 3)
    const place = { topic: answers, partition: 2 }
    await log.send([{ ...place, ...record('a') }])
    const reader = log.reader([{ ...place, offset: 0 }], 'visible')
    t.deepEqual(keysOf(await takeUntil(reader, 1)), ['a'])
    reader.close()

    const next = await openKafkaLog({ brokers: named, clientId: 'test', prefix: stage.prefix })
    t.teardown(() => next.close())
    await t.throwsAsync(next.ensureTopics([spec(answers)]), { code: 'PARCOMOLO_LOG_TOPIC_MISMATCH' })
    await t.throwsAsync(next.ensureTopics([{ ...spec(answers), partitions: 4, morePartitions: 'read' }]), {
      code: 'PARCOMOLO_LOG_TOPIC_MISMATCH',
      message: /has '3' partitions; expected 4 or more, as/
    })
    await next.ensureTopics([{ ...spec(answers), morePartitions: 'unused' }])
    t.is(next.partitionCount(answers), 1)
    await next.ensureTopics([{ ...spec(answers), morePartitions: 'read' }])
    t.is(next.partitionCount(answers), 3)
    t.deepEqual(keysOf(await readAll(next, place)), ['a'])
  })
}
