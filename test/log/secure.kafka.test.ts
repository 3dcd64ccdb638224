import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import kafkajs, { Kafka, logLevel } from 'kafkajs'
import { isParcomoloError } from '../../src/base/index.ts'
import type { Log, TopicSpec } from '../../src/log/index.ts'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { keysOf, readAll, records, takeUntil } from './records.ts'

/** A listener with SASL over TLS, whose certificate an authority of its own has signed, for a log-in that may all. */
const {
  KAFKA_SECURE_BROKERS: brokers,
  KAFKA_SECURE_CA_FILE: caFile,
  KAFKA_SECURE_USERNAME: username,
  KAFKA_SECURE_PASSWORD: password,
  /** The mechanisms that it takes this log-in by. */
  KAFKA_SECURE_MECHANISMS: mechanisms = 'plain',
  /** Another log-in by the mechanism plain, with the same password, that has no right which no ACL gives it. */
  KAFKA_SECURE_GUEST: guest
} = process.env

// Node finds no names of these in kafkajs, which is CommonJS.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

type Mechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512'
type Login = { readonly mechanism: Mechanism; readonly username: string; readonly password: string }

const journal = { topic: 'journal', partition: 0 }
const specs: TopicSpec[] = [
  { topic: 'journal', partitions: 1, cleanup: 'delete', retention: 'forever' },
  { topic: 'snapshots', partitions: 1, cleanup: 'compact' }
]

function testSecure(mechanism: Mechanism): void {
  const open = (secret: string) => openAs({ mechanism, username: username!, password: secret })

  test(`a log over SASL by ${mechanism} and TLS is claimed, written, followed, read and shared`, async (t) => {
    const log = await open(password!)
    t.teardown(() => log.close())
    await useAll(t, log)
  })

  test(`a wrong password is refused at once by ${mechanism}, and not shown`, async (t) => {
    const error = await t.throwsAsync(open('not the password'), { code: 'PARCOMOLO_LOG_REFUSED' })
    t.regex(error!.message, /the brokers refuse the log-in \(.*[Aa]uthentication failed.*\); expected/)
    t.false(error!.message.includes('not the password'))
  })
}

function testRights(name: string): void {
  const openGuest = async (t: ExecutionContext, prefix: string): Promise<Log> => {
    const log = await openAs({ mechanism: 'plain', username: name, password: password! }, prefix)
    t.teardown(() => log.close())
    return log
  }

  test('who may not make topics is told how they are made, or that they may be hidden', async (t) => {
    const prefix = newPrefix()
    const log = await openGuest(t, prefix)
    const error = await t.throwsAsync(log.ensureTopics(specs), { code: 'PARCOMOLO_LOG_TOPIC_MISSING' })
    const [first, ...commands] = error!.message.split('\n')
    const why = `they cannot be made (Not authorized to access topics: [Topic authorization failed]), so they may also`
    t.true(
      first!.startsWith(`topics \u0027${prefix}journal\u0027, \u0027${prefix}snapshots\u0027 are missing, and ${why}`),
      first
    )
    t.deepEqual(
      commands.map((line) => line.split(' ').slice(3, 6).join(' ')),
      [`--create --topic ${prefix}journal`, `--create --topic ${prefix}snapshots`]
    )
  })

  test('who may not see how a topic is set up is told which right is missing, with the command', async (t) => {
    const prefix = newPrefix()
    await makeTopics(t, prefix)
    await grant(t, prefix, [['TOPIC', 'DESCRIBE']])
    const log = await openGuest(t, prefix)
    const error = await refusal(() => log.ensureTopics(specs), 'PARCOMOLO_LOG_REFUSED')
    const right = `--operation DescribeConfigs --topic ${prefix}journal --topic ${prefix}snapshots`
    t.true(error.message.endsWith(` --add --allow-principal User:NAME ${right}`), error.message)
  })

  test('the rights that the README names are enough', async (t) => {
    const prefix = newPrefix()
    await makeTopics(t, prefix)
    await grant(t, prefix, [
      ['TOPIC', 'READ'],
      ['TOPIC', 'WRITE'],
      ['TOPIC', 'DESCRIBE_CONFIGS'],
      ['GROUP', 'READ'],
      ['TRANSACTIONAL_ID', 'WRITE']
    ])
    const log = await openGuest(t, prefix)
    while (!(await isDone(() => log.ensureTopics(specs)))) await wait(lookMs)
    await useAll(t, log)
  })
}

const lookMs = 20

const newPrefix = (): string => `test-${randomUUID()}-`

const tls = () => ({ ca: readFileSync(caFile!, 'utf8') })

const openAs = (sasl: Login, prefix = newPrefix()): Promise<Log> =>
  openKafkaLog({ brokers: brokers!.split(','), clientId: 'test', prefix, sasl, tls: tls() })

/** Everything that the product does with a log. */
const useAll = async (t: ExecutionContext, log: Log): Promise<void> => {
  await log.ensureTopics(specs)
  const reader = log.reader([{ ...journal, offset: 0 }], 'visible')
  t.is(await (await log.claim(journal)).append(records('a', 2)), 0)
  await log.send([{ ...records('b', 1)[0]!, ...journal }])
  t.deepEqual(keysOf(await takeUntil(reader, 3)), ['a0', 'a1', 'b0'])
  reader.close()
  t.deepEqual(keysOf(await readAll(log, journal)), ['a0', 'a1', 'b0'])
  const mine = await new Promise((resolve, reject) => void log.join('tasks', [journal], resolve).catch(reject))
  t.deepEqual(mine, [journal])
}

const makeTopics = async (t: ExecutionContext, prefix: string): Promise<void> => {
  const log = await openAs({ mechanism: 'plain', username: username!, password: password! }, prefix)
  t.teardown(() => log.close())
  await log.ensureTopics(specs)
}

type Right = readonly [keyof typeof AclResourceTypes, keyof typeof AclOperationTypes]

/** On whatever begins with the prefix. */
const grant = async (t: ExecutionContext, prefix: string, rights: readonly Right[]): Promise<void> => {
  const sasl = { mechanism: 'plain', username: username!, password: password! } as const
  const kafka = new Kafka({ brokers: brokers!.split(','), sasl, ssl: tls(), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  t.teardown(() => admin.disconnect())
  const acl = rights.map(([resource, operation]) => ({
    ...{ resourceType: AclResourceTypes[resource], resourceName: prefix },
    ...{ resourcePatternType: ResourcePatternTypes.PREFIXED, principal: `User:${guest}`, host: '*' },
    ...{ operation: AclOperationTypes[operation], permissionType: AclPermissionTypes.ALLOW }
  }))
  await admin.createAcls({ acl })
}

const isDone = (work: () => Promise<void>): Promise<boolean> =>
  work().then(
    () => true,
    () => false
  )

/** Brokers hear of rights and topics a little later than whoever asked for them: until then the error is another. */
const refusal = async (work: () => Promise<void>, code: string): Promise<Error> => {
  for (;;) {
    const error = await work().then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    if (isParcomoloError(error, code as 'PARCOMOLO_LOG_REFUSED')) return error
    await wait(lookMs)
  }
}

if (brokers === undefined) test.skip('Kafka with SASL and TLS: KAFKA_SECURE_BROKERS names no broker', () => undefined)
else {
  for (const mechanism of mechanisms.split(',')) testSecure(mechanism as Mechanism)
  if (guest === undefined) test.skip('Kafka with ACLs: KAFKA_SECURE_GUEST names no log-in', () => undefined)
  else testRights(guest)
}
