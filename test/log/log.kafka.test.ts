import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Admin, CompressionTypes, Kafka, logLevel, type Producer } from 'kafkajs'
import type { Log } from '../../src/log/index.ts'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { brokers } from '../helpers/kafka.ts'
import { testLogContract } from './contract.ts'
import { lossyConnector, type Lost } from './lossy-network.ts'
import { keysOf, readAll, record, records, takeUntil } from './records.ts'

const seed = Number(process.env['SEED'] ?? 1)

/** Mulberry32: the same losses for the same seed, as far as the order of requests is the same. */
const randomFrom = (start: number): (() => number) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const newPrefix = (): string => `test-${randomUUID()}-`

const topics = [
  { topic: 'journal', partitions: 2, cleanup: 'delete', retention: 'forever' },
  { topic: 'inbox', partitions: 2, cleanup: 'delete' },
  { topic: 'table', partitions: 1, cleanup: 'compact' }
] as const
const journal = { topic: 'journal', partition: 0 }

const named = brokers ?? []
const lookMs = 20

const open = async (t: ExecutionContext, prefix: string, lost?: Lost): Promise<Log> => {
  const options = { brokers: named, clientId: 'test', prefix, sessionTimeoutMs: 3_000 }
  const losses = { request: 0.05, answer: 0.1, random: randomFrom(seed) }
  const log = await (lost === undefined ? openKafkaLog(options) : openKafkaLog(options, lossyConnector(losses, lost)))
  await log.ensureTopics(topics)
  t.teardown(() => log.close())
  return log
}

if (brokers === undefined) test.skip('the Kafka adapter: KAFKA_BROKERS names no broker', () => undefined)
else {
  testContract()
  testRequests()
  testSizes()
  testLosses()
  testTakeOvers()
  testGroups()
  testOthers()
  testForeignBatches()
  testReports()
}

function testContract(): void {
  testLogContract('kafka', async () => {
    const prefix = newPrefix()
    let log: Log | undefined
    return {
      open: async () => (log = await openKafkaLog({ brokers: named, clientId: 'test', prefix })),
      end: async () => log?.close()
    }
  })
}

function testRequests(): void {
  test('those who wait for the same broker share their requests, also if they began one after the other', async (t) => {
    const log = await open(t, newPrefix())
    const writers = [await log.claim(journal), await log.claim({ ...journal, partition: 1 })]
    const appends = 20
    const before = log.stats()['produceRequests']!
    const running = writers.map(async (writer, place) => {
      // The second comes when the request of the first is under way.
      if (place > 0) for (let turn = 0; turn < 3; turn++) await nextTurn()
      for (let i = 0; i < appends; i++) await writer.append(records(`${place}-${i}-`, 1))
    })
    await Promise.all(running)
    t.true(log.stats()['produceRequests']! - before < 1.5 * appends, JSON.stringify(log.stats()))
  })

  test('who is far behind reads on while all others wait at the end for something to come', async (t) => {
    const prefix = newPrefix()
    const writer = await (await open(t, prefix)).claim(journal)
    const count = 40
    for (let i = 0; i < count; i++) await writer.append([record(String(i), '.'.repeat(1_200_000))])
    const log = await open(t, prefix)
    const idle = log.reader([{ ...journal, partition: 1, offset: 0 }], 'visible')
    const behind = log.reader([{ ...journal, offset: 0 }], 'visible')
    const since = performance.now()
    for (let taken = 0; taken < count;) {
      await behind.ready()
      // What it works on meanwhile: the next Fetch is under way before it asks for more.
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      for (const chunk of behind.take(1)) taken += chunk.records.length
    }
    const tookMs = performance.now() - since
    // Each time that it came back to the end too early took a quarter of a second: ten seconds in all.
    t.true(tookMs < 5_000, `${tookMs} ms`)
    for (const reader of [idle, behind]) reader.close()
  })
}

function testSizes(): void {
  test('a command of nearly the largest size is taken beside others for the same inbox', async (t) => {
    const log = await open(t, newPrefix())
    const sized = (key: string, bytes: number) => ({ ...record(key, '.'.repeat(bytes)), topic: 'inbox', partition: 0 })
    const sizes = [400_000, 16 * 1024 * 1024 - 200_000, 300_000]
    await Promise.all(sizes.map((bytes, i) => log.send([sized(String(i), bytes)])))
    const taken = await readAll(log, { topic: 'inbox', partition: 0 })
    t.deepEqual(
      taken.map(({ value }) => value!.length),
      sizes
    )
  })
}

function testLosses(): void {
  test('a process whose log is closed ends by itself, however many reads had begun at once', async (t) => {
    const script = `
      import { openKafkaLog } from './src/log/kafka/index.ts'
      const place = { topic: 'journal', partition: 0 }
      const log = await openKafkaLog(${JSON.stringify({ brokers: named, clientId: 'test', prefix: newPrefix() })})
      await log.ensureTopics([{ topic: 'journal', partitions: 1, cleanup: 'delete' }])
      await (await log.claim(place)).append([{ key: '', value: null, timestamp: 1, headers: {} }])
      const read = async () => { for await (const _ of log.read(place, 0, 1)); }
      await Promise.all(Array.from({ length: 8 }, read))
      await log.close()`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' })
    t.deepEqual(await once(child, 'exit'), [0, null])
  })

  test('a network that loses requests and answers loses no batch and doubles none', async (t) => {
    const prefix = newPrefix()
    const lost: Lost = new Map()
    const log = await open(t, prefix, lost)
    const writers = [await log.claim(journal), await log.claim({ topic: 'journal', partition: 1 })]
    const reader = (await open(t, prefix, lost)).reader([{ ...journal, offset: 0 }], 'visible')
    const count = 150
    const work = writers.map(async (writer, w) => {
      for (let i = 0; i < count; i++) t.is(await writer.append(records(`${w}.${i}.`, 2)), i * 2)
    })
    const sends = Array.from({ length: count }, (_, i) => ({ ...record(String(i)), topic: 'inbox', partition: i % 2 }))
    for (const command of sends) await log.send([command])
    await Promise.all(work)

    const expected = Array.from({ length: count }, (_, i) => [`0.${i}.0`, `0.${i}.1`]).flat()
    t.deepEqual(keysOf(await takeUntil(reader, count * 2)), expected)
    reader.close()
    const sound = await open(t, prefix)
    t.deepEqual(keysOf(await readAll(sound, journal)), expected)
    const even = sends.filter(({ partition }) => partition === 0).map(({ key }) => key)
    t.deepEqual(keysOf(await readAll(sound, { topic: 'inbox', partition: 0 })), even)
    t.true((lost.get('Produce') ?? 0) > 20 && (lost.get('Fetch') ?? 0) > 5)
    t.log(`lost: ${[...lost].map(([name, times]) => `${name} ${times}`).join(', ')}`)
  })
}

function testTakeOvers(): void {
  test('whoever takes over in turns, over a network that loses messages, leaves one history', async (t) => {
    const prefix = newPrefix()
    const logs = [await open(t, prefix, new Map()), await open(t, prefix, new Map())]
    const acknowledged: string[] = []
    let fenced = 0
    for (let turn = 0; turn < 12; turn++) {
      const [mine, other] = [logs[turn % 2]!, logs[(turn + 1) % 2]!]
      const older = await mine.claim(journal)
      const newer = await other.claim(journal)
      const race = [older, newer].map(async (writer, w) => {
        for (let i = 0; i < 5; i++) {
          const key = `${turn}.${w}.${i}`
          await writer.append([record(key)]).then(() => acknowledged.push(key))
        }
      })
      const outcomes = await Promise.allSettled(race)
      t.is(outcomes[1]!.status, 'fulfilled')
      if (outcomes[0]!.status === 'rejected') fenced++
    }
    // An append of the older one whose answer was lost may be there; but once, and never after the newer one's first.
    const history = keysOf(await readAll(logs[0]!, journal))
    t.is(new Set(history).size, history.length)
    t.deepEqual(
      acknowledged.filter((key) => !history.includes(key)),
      []
    )
    for (let turn = 0; turn < 12; turn++) {
      const owners = history.filter((key) => key.startsWith(`${turn}.`)).map((key) => key.split('.')[1])
      t.deepEqual(owners, [...owners].sort())
    }
    t.true(fenced > 0)
  })
}

function testGroups(): void {
  test('members share evenly, keep what they have, and take over what one leaves', async (t) => {
    const prefix = newPrefix()
    const topic = { topic: 'many', partitions: 6, cleanup: 'delete' } as const
    const places = Array.from({ length: 6 }, (_, partition) => ({ topic: 'many', partition }))
    const held = new Map<string, number[]>()
    let changed = Promise.withResolvers<void>()
    const until = async (isThere: () => boolean): Promise<void> => {
      while (!isThere()) await changed.promise
    }
    const join = async (name: string) => {
      const log = await open(t, prefix)
      await log.ensureTopics([topic])
      return log.join('tasks', places, (mine) => {
        held.set(
          name,
          mine.map(({ partition }) => partition)
        )
        changed.resolve()
        changed = Promise.withResolvers()
      })
    }
    await join('a')
    t.is(held.get('a')!.length, 6)
    await join('b')
    await until(() => held.get('a')!.length === 3 && held.get('b')?.length === 3)
    const before = new Map(held)
    const third = await join('c')
    await until(() => [...held.values()].every(({ length }) => length === 2) && held.size === 3)
    for (const name of ['a', 'b']) t.true(held.get(name)!.every((partition) => before.get(name)!.includes(partition)))
    await third.leave()
    held.delete('c')
    await until(() => [...held.values()].every(({ length }) => length === 3))
    t.deepEqual([...held.values()].flat().sort(), [0, 1, 2, 3, 4, 5])
  })

  test('a confirmation tells that the assignment still holds', async (t) => {
    const log = await open(t, newPrefix())
    const member = await log.join('tasks', [journal], () => undefined)
    await member.confirm()
    const unanswered = member.confirm()
    await member.leave()
    await unanswered
    t.pass()
  })
}

function testOthers(): void {
  test('who has read nothing of a topic yet begins with what retention has left of it', async (t) => {
    const prefix = newPrefix()
    const log = await open(t, prefix)
    const admin = await adminOf(t)
    const inboxes = [0, 1].map((partition) => ({ topic: 'inbox', partition }))
    for (const place of inboxes) for (const key of ['a', 'b', 'c']) await log.send([{ ...place, ...record(key) }])
    const partitions = [
      { partition: 0, offset: '2' },
      { partition: 1, offset: '3' }
    ]
    // kafkajs knows the leaders only of topics that it was asked for.
    await admin.fetchTopicOffsets(`${prefix}inbox`)
    await admin.deleteTopicRecords({ topic: `${prefix}inbox`, partitions })
    t.deepEqual(keysOf(await readAll(log, inboxes[0]!)), ['c'])
    const reader = log.reader(
      inboxes.map((place) => ({ ...place, offset: 0 })),
      'visible'
    )
    t.deepEqual(keysOf(await takeUntil(reader, 1)), ['c'])
    await log.send([{ ...inboxes[1]!, ...record('d') }])
    t.deepEqual(keysOf(await takeUntil(reader, 1)), ['d'])
    reader.close()
    await t.throwsAsync(readAll(log, inboxes[0]!, 1), { code: 'PARCOMOLO_LOG_OUT_OF_RANGE' })
  })

  test('what a group of others has committed is told by partition, and nothing of one that there is not', async (t) => {
    const prefix = newPrefix()
    const log = await open(t, prefix)
    t.deepEqual(await log.committed!('loyalty-service', 'inbox'), new Map())
    await log.send([{ topic: 'inbox', partition: 1, ...record('a') }])
    const admin = await adminOf(t)
    const group = { groupId: `${prefix}loyalty-service`, topic: `${prefix}inbox` }
    await admin.setOffsets({ ...group, partitions: [{ partition: 1, offset: '1' }] })
    t.deepEqual(await log.committed!(group.groupId, 'inbox'), new Map([[1, 1]]))
  })
}

function testForeignBatches(): void {
  test('of a transaction that was aborted nothing is read, at the end, behind it and as a range', async (t) => {
    const prefix = newPrefix()
    const log = await open(t, prefix)
    const inbox = { topic: 'inbox', partition: 0 }
    const following = log.reader([{ ...inbox, offset: 0 }], 'visible')
    const producer = await transactional(t, log, prefix)
    const outcomes = ['abort', 'commit', 'abort'] as const
    for (const [i, outcome] of outcomes.entries()) {
      const transaction = await producer.transaction()
      const messages = [1, 2].map((n) => ({ key: `${outcome} ${i} ${n}`, value: 'x' }))
      await transaction.send({ topic: `${prefix}inbox`, messages: messages.map((one) => ({ ...one, partition: 0 })) })
      await log.send([{ ...inbox, ...record(`own ${i}`) }])
      await transaction[outcome]()
    }
    await log.send([{ ...inbox, ...record('last') }])
    const expected = ['own 0', 'commit 1 1', 'commit 1 2', 'own 1', 'own 2', 'last']
    t.deepEqual(keysOf(await takeUntil(following, expected.length)), expected)
    following.close()
    const behind = log.reader([{ ...inbox, offset: 1 }], 'visible')
    t.deepEqual(keysOf(await takeUntil(behind, expected.length)), expected)
    behind.close()
    t.deepEqual(keysOf(await readAll(log, inbox)), expected)
  })

  test('what was sent in a transaction is read when that is committed, and the end is where it begins', async (t) => {
    const prefix = newPrefix()
    const log = await open(t, prefix)
    const inbox = { topic: 'inbox', partition: 0 }
    const producer = await transactional(t, log, prefix)
    await log.send([{ ...inbox, ...record('before') }])
    const transaction = await producer.transaction()
    await transaction.send({ topic: `${prefix}inbox`, messages: [{ key: 'within', value: 'x', partition: 0 }] })
    await log.send([{ ...inbox, ...record('after') }])
    t.deepEqual(keysOf(await readAll(log, inbox)), ['before'])
    await transaction.commit()
    const reader = log.reader([{ ...inbox, offset: 1 }], 'visible')
    t.deepEqual(keysOf(await takeUntil(reader, 2)), ['within', 'after'])
    reader.close()
  })

  test('a batch that cannot be read holds up nothing: one record stands for it', async (t) => {
    const prefix = newPrefix()
    const log = await open(t, prefix)
    const admin = await adminOf(t)
    const configEntries = [{ name: 'compression.type', value: 'producer' }]
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: `${prefix}inbox`, configEntries }] })
    const inbox = { topic: 'inbox', partition: 0 }
    await log.send([{ ...inbox, ...record('a') }])
    const long = Buffer.alloc(70 * 1024 * 1024, '.')
    const kafka = new Kafka({ brokers: named, clientId: 'tool', logLevel: logLevel.NOTHING, requestTimeout: 50_000 })
    const producer = kafka.producer()
    await producer.connect()
    t.teardown(() => producer.disconnect())
    const messages = [{ key: 'b', value: long, partition: 0 }]
    const send = () => producer.send({ topic: `${prefix}inbox`, compression: CompressionTypes.GZIP, messages })
    // Until the broker has heard of the setting it unpacks, and refuses what that becomes.
    while (!(await send().then(() => true, isTooLarge))) await wait(lookMs)
    await log.send([{ ...inbox, ...record('c') }])
    const reader = log.reader([{ ...inbox, offset: 0 }], 'visible')
    const [first, standIn, last] = await takeUntil(reader, 3)
    reader.close()
    t.deepEqual([first!.key, last!.key, standIn!.offset, standIn!.value], ['a', 'c', 1, null])
    t.is(standIn!.unreadable?.code, 'PARCOMOLO_LOG_BATCH_UNREADABLE')
    await t.throwsAsync(readAll(log, inbox), { code: 'PARCOMOLO_LOG_BATCH_UNREADABLE' })
  })
}

function testReports(): void {
  test('what topics take on disk, and what room it has, is told as the brokers know it', async (t) => {
    const log = await open(t, newPrefix())
    // A broker has nothing to tell of a partition for its first moment.
    while ((await log.diskUsage!()).topics.size < topics.length) await wait(lookMs)
    t.is((await log.diskUsage!()).topics.get('inbox'), 0)
    await log.send([{ topic: 'inbox', partition: 1, ...record('a'), value: new Uint8Array(50_000) }])
    const { topics: found, volumes } = await log.diskUsage!()
    t.true(found.get('inbox')! >= 50_000)
    t.deepEqual([...found.keys()].toSorted(), ['inbox', 'journal', 'table'])
    t.true(volumes.length > 0)
    for (const volume of volumes) t.true(volume.freeBytes > 0 && volume.freeBytes < volume.bytes, volume.folder)
  })

  test('how far a member has read stands among the offsets of its group, where ordinary tools look', async (t) => {
    const prefix = newPrefix()
    const log = await open(t, prefix)
    const [group, topics] = [`${prefix}tasks`, [`${prefix}inbox`, `${prefix}journal`]]
    const member = await log.join('tasks', [journal], () => undefined)
    const admin = await adminOf(t)
    t.deepEqual(await committed(admin, group, topics), {
      'inbox/0': -1,
      'inbox/1': -1,
      'journal/0': -1,
      'journal/1': -1
    })

    member.report([
      { topic: 'inbox', partition: 1, offset: 3 },
      { topic: 'journal', partition: 0, offset: 41 }
    ])
    const first = { 'inbox/0': -1, 'inbox/1': 3, 'journal/0': 41, 'journal/1': -1 }
    while ((await committed(admin, group, topics))['journal/0'] !== 41) await wait(lookMs)
    t.deepEqual(await committed(admin, group, topics), first)

    const next = await (await open(t, prefix)).join('tasks', [journal, { ...journal, partition: 1 }], () => undefined)
    await member.leave()
    next.report([{ topic: 'journal', partition: 0, offset: 42 }])
    while ((await committed(admin, group, topics))['journal/0'] !== 42) await wait(lookMs)
    t.deepEqual(await committed(admin, group, topics), { ...first, 'journal/0': 42 })
  })
}

/** False for this error; any other is thrown. */
const isTooLarge = (error: unknown): boolean => {
  if ((error as { type?: unknown }).type !== 'MESSAGE_TOO_LARGE') throw error as Error
  return false
}

/** Somebody else's producer. */
const transactional = async (t: ExecutionContext, log: Log, prefix: string): Promise<Producer> => {
  // A cluster that is new has no coordinators for a while, for which kafkajs does not wait.
  await log.claim(journal)
  const kafka = new Kafka({ brokers: named, clientId: 'tool', logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ transactionalId: `${prefix}foreign`, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  t.teardown(() => producer.disconnect())
  return producer
}

/** What people have on a cluster: no part of the product. */
const adminOf = async (t: ExecutionContext): Promise<Admin> => {
  const admin = new Kafka({ brokers: named, clientId: 'tool', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  t.teardown(() => admin.disconnect())
  return admin
}

/** The group's offsets, by topic without its prefix and partition; -1 where there is none. */
const committed = async (admin: Admin, group: string, topics: string[]): Promise<Record<string, number>> => {
  const offsets = await admin.fetchOffsets({ groupId: group, topics })
  const entries = offsets.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => [`${topic.split('-').at(-1)}/${partition}`, Number(offset)] as const)
  )
  return Object.fromEntries(entries)
}
