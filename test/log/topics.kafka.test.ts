import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import type { Log, TopicSpec } from '../../src/log/index.ts'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { ensureTopics } from '../../src/log/kafka/topics.ts'
import { brokers } from '../helpers/kafka.ts'
import { keysOf, readAll, record, records } from './records.ts'

const named = brokers ?? []
const lookMs = 20
const mismatch = { code: 'PARCOMOLO_LOG_TOPIC_MISMATCH' }
type Settings = Readonly<Record<string, string>>

const specs = {
  journal: { topic: 'journal', partitions: 2, cleanup: 'delete', retention: 'forever' },
  inbox: { topic: 'inbox', partitions: 2, cleanup: 'delete' },
  snapshots: { topic: 'snapshots', partitions: 2, cleanup: 'compact' }
} satisfies Record<string, TopicSpec>
type Name = keyof typeof specs

/** What has to be set on a topic that somebody else makes, where brokers have their own standards. */
const needed: Readonly<Record<Name, Settings>> = {
  journal: { 'max.message.bytes': '16777216', 'retention.ms': '-1', 'retention.bytes': '-1' },
  inbox: { 'max.message.bytes': '16777216' },
  snapshots: { 'max.message.bytes': '16777216', 'cleanup.policy': 'compact' }
}

/** A cluster on which somebody else makes topics, with tools that are no part of the product. */
class Stage {
  readonly prefix = `test-${randomUUID()}-`
  readonly admin: Admin
  readonly #t: ExecutionContext

  private constructor(t: ExecutionContext, admin: Admin) {
    this.#t = t
    this.admin = admin
  }

  static async open(t: ExecutionContext): Promise<Stage> {
    const admin = new Kafka({ brokers: named, clientId: 'tool', logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    t.teardown(() => admin.disconnect())
    return new Stage(t, admin)
  }

  async make(topic: string, settings: Settings, partitions = 2): Promise<void> {
    const made = { topic: this.prefix + topic, numPartitions: partitions, replicationFactor: 1 }
    await this.admin.createTopics({ topics: [{ ...made, configEntries: entriesOf(settings) }], waitForLeaders: false })
    await this.until(async () => (await this.admin.listTopics()).includes(made.topic))
  }

  /** Brokers hear of what was done a little later than whoever did it. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await wait(lookMs)
  }

  async log(createsTopics = true): Promise<Log> {
    const log = await openKafkaLog({ brokers: named, clientId: 'test', prefix: this.prefix, createsTopics })
    this.#t.teardown(() => log.close())
    return log
  }

  /** Does what the commands among these lines say, each as its tool would; gives how many there were. */
  async obey(lines: string, settings: Settings = {}): Promise<number> {
    const commands = lines.split('\n').flatMap((line) => /kafka-(?:configs|topics) --.*$/.exec(line)?.[0] ?? [])
    const changes = new Map<string, Record<string, string>>()
    for (const command of commands) {
      this.#t.is(optionOf(command, 'bootstrap-server'), named[0]!)
      if (command.startsWith('kafka-topics')) await this.#obeyTopics(command)
      else {
        const [name, value] = optionOf(command, 'add-config').split('=')
        const topic = optionOf(command, 'entity-name')
        changes.set(topic, { ...settings, ...changes.get(topic), [name!]: value! })
      }
    }
    // As this request replaces all settings, the ones that the tool would keep are said again.
    const resources = [...changes].map(([name, all]) => ({ type: 2, name, configEntries: entriesOf(all) }))
    if (resources.length > 0) await this.admin.alterConfigs({ validateOnly: false, resources })
    return commands.length
  }

  async #obeyTopics(command: string): Promise<void> {
    const topic = optionOf(command, 'topic')
    if (command.includes(' --delete ')) return this.admin.deleteTopics({ topics: [topic] })
    const settings = Object.fromEntries([...command.matchAll(/--config (\S+?)=(\S+)/g)].map(([, n, v]) => [n!, v!]))
    const [numPartitions, replicationFactor] = ['partitions', 'replication-factor'].map((name) =>
      Number(optionOf(command, name))
    )
    const made = { topic, numPartitions: numPartitions!, replicationFactor: replicationFactor! }
    await this.admin.createTopics({ topics: [{ ...made, configEntries: entriesOf(settings) }], waitForLeaders: false })
  }
}

const entriesOf = (settings: Settings): { name: string; value: string }[] =>
  Object.entries(settings).map(([name, value]) => ({ name, value }))

const optionOf = (command: string, name: string): string => new RegExp(`--${name} (\\S+)`).exec(command)![1]!

const areFit = (log: Log, ...topics: TopicSpec[]): Promise<boolean> =>
  log.ensureTopics(topics).then(
    () => true,
    () => false
  )

const refused = test.macro({
  title: (_, name: Name, settings: Settings) =>
    `a topic of ${name} with ${entriesOf(settings).map(({ name: setting, value }) => `${setting} '${value}'`)} is refused`,
  exec: async (t, name: Name, wrong: Settings, expected: string) => {
    const stage = await Stage.open(t)
    await stage.make(name, { ...needed[name], ...wrong })
    const log = await stage.log()
    const error = await t.throwsAsync(log.ensureTopics([specs[name]]), mismatch)
    const [[setting, value]] = Object.entries(wrong) as [[string, string]]
    const what = `topic '${stage.prefix}${name}' has ${setting} '${value}'; expected ${expected}; kafka-configs`
    t.true(error!.message.startsWith(what), error!.message)
    t.is(await stage.obey(error!.message, { ...needed[name], ...wrong }), 1)
    await stage.until(() => areFit(log, specs[name]))
  }
})

if (brokers === undefined) test.skip('topics that others have made: KAFKA_BROKERS names no broker', () => undefined)
else {
  test(refused, 'journal', { 'cleanup.policy': 'compact' }, "'delete'")
  test(refused, 'journal', { 'retention.ms': '604800000' }, '-1, as a journal is the state itself')
  test(refused, 'journal', { 'retention.bytes': '1073741824' }, '-1, as a journal is the state itself')
  test(refused, 'journal', { 'max.message.bytes': '1048588' }, 'at least 16777216, as a batch is atomic')
  test(refused, 'journal', { 'message.timestamp.type': 'LogAppendTime' }, "'CreateTime', as decisions depend on it")
  test(refused, 'inbox', { 'cleanup.policy': 'compact' }, "'delete'")
  test(refused, 'snapshots', { 'cleanup.policy': 'delete' }, "'compact'")
  test(refused, 'snapshots', { 'cleanup.policy': 'compact,delete' }, "'compact'")
  testOthers()
}

function testOthers(): void {
  test('all that is wrong is told at once, and nothing is made before it is cured', async (t) => {
    const stage = await Stage.open(t)
    await stage.make('journal', {})
    await stage.make('inbox', {})
    const log = await stage.log()
    const all = Object.values(specs)
    const error = await t.throwsAsync(log.ensureTopics(all), mismatch)
    const problems = error!.message.split('\n').map((line) => /^topic '\S+-(\w+)' has (\S+) '/.exec(line)!.slice(1))
    t.deepEqual(problems, [
      ['journal', 'retention.ms'],
      ['journal', 'max.message.bytes'],
      ['inbox', 'max.message.bytes']
    ])
    t.false((await stage.admin.listTopics()).includes(`${stage.prefix}snapshots`))
    t.is(await stage.obey(error!.message), 3)
    await stage.until(() => areFit(log, ...all))
    await (await log.claim({ topic: 'journal', partition: 1 })).append(records('a', 2))
    t.deepEqual(keysOf(await readAll(log, { topic: 'journal', partition: 1 })), ['a0', 'a1'])
  })

  test('a topic with another number of partitions is refused, and to be deleted only while it is empty', async (t) => {
    const stage = await Stage.open(t)
    await stage.make('journal', {}, 5)
    await stage.make('inbox', needed.inbox, 5)
    const other = await stage.log()
    await other.ensureTopics([{ ...specs.inbox, partitions: 5 }])
    await other.send([{ ...record('a'), topic: 'inbox', partition: 4 }])
    const log = await stage.log()
    const error = await t.throwsAsync(log.ensureTopics([specs.journal, specs.inbox]), mismatch)
    const [empty, used, ...more] = error!.message.split('\n')
    t.regex(empty!, /journal' has '5' partitions; expected 2, as keys cannot be moved; set PARTITIONS/)
    t.regex(used!, /inbox' has '5' partitions; expected 2, .*, or name another KAFKA_PREFIX$/)
    t.deepEqual(more, [])
    t.is(await stage.obey(error!.message), 1)
    await stage.until(() => areFit(log, specs.journal))
    t.is(log.partitionCount('journal'), 2)
  })

  test('a topic that another process has made meanwhile is checked too', async (t) => {
    const stage = await Stage.open(t)
    await stage.make('journal', {})
    const unaware = new Proxy(stage.admin, {
      get: (admin, name: keyof Admin) => (name === 'listTopics' ? async () => [] : admin[name])
    })
    const wanted = { ...specs.journal, name: `${stage.prefix}journal` }
    const rules = { replicationFactor: 1, creates: true }
    const error = await t.throwsAsync(ensureTopics(unaware, [wanted], rules), mismatch)
    t.regex(error!.message, /journal' has retention.ms '604800000'/)
  })

  test('where topics may not be made, the commands that make them are told, and make the right ones', async (t) => {
    const stage = await Stage.open(t)
    const log = await stage.log(false)
    const all = Object.values(specs)
    const error = await t.throwsAsync(log.ensureTopics(all), { code: 'PARCOMOLO_LOG_TOPIC_MISSING' })
    t.regex(error!.message, /^topics '.*' are missing, and KAFKA_CREATE_TOPICS forbids to make them; expected/)
    t.is(await stage.obey(error!.message), all.length)
    await stage.until(() => areFit(log, ...all))
    t.is(log.partitionCount('snapshots'), 2)
  })
}
