import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { partitionOf, systemClock } from '../../src/base/index.ts'
import { type Program } from '../../src/cli/command.ts'
import type { DeadLetter, DeadLetters, Resending } from '../../src/cli/dead-letter.ts'
import { type Codec, learnSchemas, registerContracts } from '../../src/contract/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Headers, Log, StoredRecord, TopicPartition } from '../../src/log/index.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { ownRecords, theShop } from '../helpers/shop-parts.ts'
import { openDeadLetters, readConfig, startSystem } from '../../src/main/index.ts'
import { systemTopics } from '../../src/main/system.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import type { Registry } from '../../src/registry/index.ts'
import { notHere, ran as ranWith, type Result } from './ran.ts'

const ran = (line: readonly string[], deadLetters: Program['deadLetters'] = notHere): Promise<Result> =>
  ranWith(['dead-letters', ...line], { deadLetters })

const letter: DeadLetter = {
  offset: 3,
  origin: 'order-commands/0/17',
  component: 'order',
  type: 'PlaceOrder',
  code: 'PARCOMOLO_CONTRACT_MALFORMED',
  reason: "value '00' is malformed",
  at: '2026-01-02T03:04:05.006Z',
  omitted: undefined,
  resentAt: undefined
}

const desk = (over: Partial<DeadLetters>): Program['deadLetters'] => {
  const unread = 0
  return async () => ({
    warning: undefined,
    list: async () => ({ letters: [letter], unread }),
    show: notHere,
    resend: notHere,
    close: async () => undefined,
    ...over
  })
}

const misused = test.macro({
  title: (_, ...line: string[]) => `'parcomolo dead-letters ${line.slice(1).join(' ')}' is refused with exit code 2`,
  exec: async (t, message: string, ...line: string[]) => {
    t.deepEqual(await ran(line), { code: 2, out: [], err: [`PARCOMOLO_CLI_USAGE: ${message}`] })
  }
})

test(misused, "dead-letters cannot 'resent'; did you mean 'resend'?", 'resent', '1')
test(misused, "dead-letters cannot 'delete'; expected one of list, show, resend", 'delete')
test(misused, "dead-letters list takes no numbers, and was given '3'", 'list', '3')
test(misused, "dead-letters list takes no option '--all'", 'list', '--all')
test(misused, "--limit is '0'; expected a whole number from 1", 'list', '--limit', '0')
test(misused, 'dead-letters show takes one number', 'show')
test(misused, 'dead-letters resend takes numbers, or --all, and not both', 'resend')
test(misused, 'dead-letters resend takes numbers, or --all, and not both', 'resend', '--all', '1')
test(
  misused,
  "'x' is no number of a dead letter; expected one that 'parcomolo dead-letters list' shows",
  'resend',
  '1',
  'x'
)

test('list tells of each letter in a line: number, time, origin, component, type, and why', async (t) => {
  const resent = { ...letter, offset: 4, type: undefined, resentAt: '2026-02-01T00:00:00.000Z' }
  const list = async () => ({ letters: [letter, resent], unread: 0 })
  const said = '2026-01-02T03:04:05.006Z  order-commands/0/17  order'
  const why = "PARCOMOLO_CONTRACT_MALFORMED: value '00' is malformed"
  t.deepEqual(await ran([], desk({ list })), {
    code: 0,
    out: [`3  ${said}  PlaceOrder  ${why}`, `4  ${said}  -  ${why}  (resent 2026-02-01T00:00:00.000Z)`],
    err: []
  })
})

test('list shows the newest, and says how many it leaves out', async (t) => {
  const letters = Array.from({ length: 60 }, (_, offset) => ({ ...letter, offset }))
  const list = async () => ({ letters, unread: 7 })
  const all = await ran(['list'], desk({ list }))
  t.deepEqual([all.out.length, all.out[0]!.slice(0, 4)], [50, '10  '])
  t.deepEqual(all.err, [
    '10 older ones are not shown; --limit 60 shows all',
    '7 still older records of the topic were not looked at'
  ])
  t.is((await ran(['list', '--limit', '2'], desk({ list }))).out.length, 2)
})

test('no letters are no results, and what has to be known goes to stderr', async (t) => {
  const list = async () => ({ letters: [], unread: 0 })
  const warning = 'The schema registry does not answer'
  t.deepEqual(await ran(['list'], desk({ list, warning })), {
    code: 0,
    out: [],
    err: [warning, 'There are no dead letters']
  })
  const none = await ran(['resend', '--all'], desk({ resend: async () => [] }))
  t.deepEqual(none.err, ['There is no dead letter that was not sent back before'])
})

const record = { key: 'o-1', timestamp: 0, headers: { ce_id: 'mine' }, value: Buffer.from('00ff', 'hex') }

test('show tells all of a letter, with what nobody can decode as bytes', async (t) => {
  const show = async (offset: number) => ({ letter: { ...letter, offset }, record: { ...record, decoded: undefined } })
  const { out } = await ran(['show', '3'], desk({ show }))
  t.deepEqual(out, [
    'letter     3',
    'origin     order-commands/0/17',
    'component  order',
    'at         2026-01-02T03:04:05.006Z',
    'code       PARCOMOLO_CONTRACT_MALFORMED',
    "reason     value '00' is malformed",
    'resent     never',
    'key        o-1',
    'timestamp  1970-01-01T00:00:00.000Z',
    'headers    ',
    '  ce_id: mine',
    'value      2 bytes 00ff'
  ])
})

test('show decodes a value, with the bytes in it as text, and says where there is none', async (t) => {
  const decoded = { type: 'Told', value: { name: 'x', command: Buffer.from('00ff', 'hex') } }
  const shown = async (over: object, of: Partial<DeadLetter> = {}): Promise<string | undefined> => {
    const show = async () => ({ letter: { ...letter, ...of }, record: { ...record, decoded: undefined, ...over } })
    return (await ran(['show', '3'], desk({ show }))).out.at(-1)
  }
  t.is(await shown({ decoded }), 'value      Told {"name":"x","command":"00ff"}')
  t.is(await shown({ value: null }), 'value      none')
  t.is(await shown({ value: null }, { omitted: 9 }), 'value      9 bytes, which were too many to be kept')
  t.is((await shown({ value: Buffer.alloc(5000) }))!.length, 'value      5000 bytes '.length + 2 * 2048 + 1)
})

test('what others have written cannot steer the terminal', async (t) => {
  const evil = { ...letter, reason: '\u001b[2Jgone\nnext', type: '\u0007' }
  const { out } = await ran(['list'], desk({ list: async () => ({ letters: [evil], unread: 0 }) }))
  t.true(out[0]!.endsWith('  \\x07  PARCOMOLO_CONTRACT_MALFORMED: \\x1b[2Jgone\\x0anext'))
})

test('resend tells what was sent where, and what stays; the log is closed whatever happens', async (t) => {
  let closed = 0
  const close = async (): Promise<void> => void closed++
  const resend = async (): Promise<readonly Resending[]> => [
    { letter, to: 'order-commands/0' },
    { letter: { ...letter, offset: 4, type: undefined }, staysFor: "'x' is no inbox" }
  ]
  t.deepEqual(await ran(['resend', '--all'], desk({ resend, close })), {
    code: 0,
    out: [
      '3  PlaceOrder of order-commands/0/17 was sent to order-commands/0',
      "4  record of order-commands/0/17 stays: 'x' is no inbox"
    ],
    err: []
  })
  t.is((await ran(['resend', '1'], desk({ close }))).code, 70)
  t.is(closed, 2)
})

// From here on with a log in a folder.

const risk = `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: risk }
spec:
  inbox: risk-commands
  events: risk-events
  contract: |
    @namespace("parcomolo.risk")
    protocol Risk {
      record AssessRisk { string orderId; }
      record RiskAssessed { string orderId; }
      RiskAssessed assessRisk(AssessRisk command);
    }
`

/** A data folder with the shop's participants and one from elsewhere. */
class Installation {
  readonly #dir: string
  readonly config: ReturnType<typeof readConfig>

  private constructor(dir: string, partitions: number) {
    this.#dir = dir
    const [data, sagas] = [join(dir, 'data'), join(dir, 'sagas')]
    this.config = readConfig({ PARCOMOLO_DATA: data, PARCOMOLO_SAGAS: sagas, PARTITIONS: String(partitions) })
  }

  static async make(t: ExecutionContext, partitions = 1): Promise<Installation> {
    const dir = await mkdtemp(join(tmpdir(), 'parcomolo-dead-'))
    t.teardown(() => rm(dir, { recursive: true, force: true }))
    await cp('sagas/participants', join(dir, 'sagas', 'participants'), { recursive: true })
    await writeFile(join(dir, 'sagas', 'participants', 'risk.yaml'), risk)
    return new Installation(dir, partitions)
  }

  /** Does something while the log and the registry are open. */
  async with<T>(work: (parts: { log: Log; registry: Registry; codec: Codec }) => Promise<T>): Promise<T> {
    const contracts = await readContractFiles(join(this.#dir, 'sagas'), theShop)
    const log = await openEmbeddedLog({ dir: join(this.#dir, 'data', 'log') })
    const registry = await openEmbeddedRegistry(join(this.#dir, 'data', 'registry'))
    try {
      await log.ensureTopics(systemTopics(contracts, { application: theShop, partitions: this.config.partitions }))
      return await work({ log, registry, codec: await registerContracts(registry, contracts.all, ownRecords) })
    } finally {
      await registry.close()
      await log.close()
    }
  }

  /** Does something while the shop runs; `poisoned` resolves with the first place that cannot be read. */
  whileRunning<T>(work: (log: Log, poisoned: Promise<string>) => Promise<T>): Promise<T> {
    return this.with(async ({ log, registry, codec }) => {
      const poison = Promise.withResolvers<string>()
      const fail = (error: unknown): never => {
        throw error
      }
      const system = await startSystem({
        ...{ log, codec, clock: systemClock, application: theShop, owner: 'test' },
        partitions: this.config.partitions,
        contracts: await readContractFiles(join(this.#dir, 'sagas'), theShop),
        learn: (values) => learnSchemas(codec, registry, values),
        onFailure: fail,
        onPoison: poison.resolve,
        onDefinitionError: fail
      })
      try {
        return await work(log, poison.promise)
      } finally {
        await system.stop()
      }
    })
  }

  command(...line: string[]): Promise<Result> {
    return ran(line, () => openDeadLetters(this.config))
  }
}

const placed = (topic: string): TopicPartition => ({ topic, partition: 0 })

/** The first record for which it holds, once it is there. */
const first = async (
  log: Log,
  place: TopicPartition,
  holds: (record: StoredRecord) => boolean
): Promise<StoredRecord> => {
  const reader = log.reader([{ ...place, offset: 0 }], 'visible')
  try {
    for (;;) {
      await reader.ready()
      const found = reader.take(1000).flatMap(({ records }) => records.filter(holds))
      if (found[0] !== undefined) return found[0]
    }
  } finally {
    reader.close()
  }
}

/** A forwarded command in a schema of tomorrow, which has one more text at the end and gets the registry's next id. */
const ofTomorrow = (codec: Codec, id: number): Uint8Array => {
  const value = { orderId: 'o-1', amountCents: 100, currency: 'EUR', token: 'tok_visa' }
  const bytes = Buffer.concat([codec.encode('parcomolo.payment.ProcessPayment', value), Buffer.of(0)])
  bytes.writeUInt32BE(id, 1)
  return bytes
}

const nextId = async (registry: Registry): Promise<number> => {
  for (let id = 1; ; id++) if ((await registry.schema(id).catch(() => undefined)) === undefined) return id
}

test('a command whose schema was not known is answered when it is sent back after the cause is cured', async (t) => {
  const shop = await Installation.make(t)
  const subject = 'payment-commands-parcomolo.payment.ProcessPayment'
  const headers: Headers = {
    ce_id: 'order/payment/o-1',
    ce_source: '/saga-events/0',
    ce_sequence: '41',
    ce_attempt: '1',
    ce_type: 'ProcessPayment'
  }
  await shop.with(async ({ log, registry, codec }) => {
    const value = ofTomorrow(codec, await nextId(registry))
    await log.send([{ ...placed('payment-commands'), key: 'o-1', value, timestamp: 5, headers }])
  })
  t.is(await shop.whileRunning((_, poisoned) => poisoned), 'payment-commands/0/0')
  const { out } = await shop.command('list')
  const said = "payment-commands/0/0  payment  ProcessPayment  PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA: unknown schema id '"
  t.is(out.length, 1)
  t.regex(out[0]!, new RegExp(`^0 {2}\\S+Z {2}${said}\\d+'; expected one`))
  t.regex((await shop.command('show', '0')).out.at(-1)!, /^value {6}\d+ bytes 00000000/)
  await shop.with(async ({ registry }) => {
    const { schema } = (await registry.versions(subject))[0]!
    const fields = [...(schema['fields'] as object[]), { name: 'note', type: 'string', default: '' }]
    await registry.register(subject, { ...schema, fields })
  })
  t.regex((await shop.command('show', '0')).out.at(-1)!, /^value {6}ProcessPayment \{"orderId":"o-1",.*"note":""\}$/)
  t.deepEqual(await shop.command('resend', '0'), {
    code: 0,
    out: ['0  ProcessPayment of payment-commands/0/0 was sent to payment-commands/0'],
    err: []
  })
  await shop.whileRunning(async (log) => {
    const answer = await first(log, placed('payment-events'), ({ key }) => key === 'o-1')
    t.is(answer.headers['ce_causationid'], 'order/payment/o-1')
    const [, resent] = await all(log, 'payment-commands')
    const { ce_sequence: _, ...kept } = headers
    t.deepEqual(resent!.headers, { ...kept, 'parcomolo-resent': '0' })
    t.is(resent!.key, 'o-1')
  })
  t.regex((await shop.command('list')).out.join('\n'), /^0 {2}.* {2}\(resent \S+Z\)$/)
  t.deepEqual((await shop.command('resend', '--all')).out, [])
})

test('a command from the wrong partition is sent back to the one of its key, and answered there', async (t) => {
  const shop = await Installation.make(t, 3)
  const key = 'o-1'
  const [right, wrong] = [partitionOf(key, 3), (partitionOf(key, 3) + 1) % 3]
  await shop.with(async ({ log, codec }) => {
    const value = codec.encode('parcomolo.payment.RefundPayment', { orderId: key })
    await log.send([{ topic: 'payment-commands', partition: wrong, key, value, timestamp: 5, headers: {} }])
  })
  t.is(await shop.whileRunning((_, poisoned) => poisoned), `payment-commands/${wrong}/0`)
  const stands = `command with the key 'o-1' stands in partition '${wrong}' of 'payment-commands'`
  const { out } = await shop.command('list')
  t.true(out[0]!.includes(`PARCOMOLO_TASK_INPUT_MISPLACED: a ${stands}; expected partition '${right}'`), out[0])
  t.deepEqual((await shop.command('resend', '0')).out, [
    `0  RefundPayment of payment-commands/${wrong}/0 was sent to payment-commands/${right}`
  ])
  await shop.whileRunning(async (log) => {
    const answer = await first(log, { topic: 'payment-events', partition: right }, (record) => record.key === key)
    t.is(answer.headers['ce_causationid'], `payment-commands/${wrong}/0`)
    t.is(await log.end({ topic: 'payment-commands', partition: right }), 1)
  })
})

test('what one task has handed over to another may be sent back as a command may', async (t) => {
  const shop = await Installation.make(t, 3)
  const key = 'o-1'
  const [right, wrong] = [partitionOf(key, 3), (partitionOf(key, 3) + 1) % 3]
  await shop.with(async ({ log, codec }) => {
    const place = { topic: 'stock-events', partition: 0, offset: 0, recordKey: key }
    const said = { type: 'StockReserved', message: new Uint8Array(), causationId: `order/stock/${key}`, ...place }
    const unsaid = { revision: '', cancelledBy: '', cancelKey: '' }
    const handed = { saga: 'order', key, kind: 'answer', ...said, ...unsaid }
    const value = codec.encode('parcomolo.orchestrator.HandedOver', handed)
    await log.send([{ topic: 'orchestrator-commands', partition: wrong, key, value, timestamp: 5, headers: {} }])
  })
  t.is(await shop.whileRunning((_, poisoned) => poisoned), `orchestrator-commands/${wrong}/0`)
  t.deepEqual((await shop.command('resend', '0')).out, [
    `0  HandedOver of orchestrator-commands/${wrong}/0 was sent to orchestrator-commands/${right}`
  ])
})

const all = async (log: Log, topic: string): Promise<StoredRecord[]> => {
  const found: StoredRecord[] = []
  for await (const records of log.read(placed(topic), 0, await log.end(placed(topic)))) found.push(...records)
  return found
}

/** Dead letters of these places, as tasks write them. */
const write = (log: Log, ...origins: [topic: string, offset: number, headers?: Headers][]): Promise<void> =>
  log.send(
    origins.map(([topic, offset, headers]) => ({
      ...placed('dead-letters'),
      key: 'k',
      value: Buffer.from('no avro'),
      timestamp: 0,
      headers: {
        'parcomolo-dead-component': 'orchestrator',
        'parcomolo-dead-topic': topic,
        'parcomolo-dead-partition': '0',
        'parcomolo-dead-offset': String(offset),
        'parcomolo-dead-code': 'PARCOMOLO_CONTRACT_MALFORMED',
        'parcomolo-dead-reason': 'it is no Avro',
        'parcomolo-dead-at': '2026-01-01T00:00:00.000Z',
        ...headers
      }
    }))
  )

const stays: readonly [topic: string, why: string, headers?: Headers][] = [
  ['stock-events', "'stock-events' is the journal of 'inventory', to which nobody else writes"],
  ['order-events', "'order-events' is the journal of 'order', to which nobody else writes"],
  ['saga-events', "'saga-events' is the journal of 'orchestrator', to which nobody else writes"],
  ['saga-definitions', "'saga-definitions' is no inbox and no events topic of a participant"],
  ['gone-commands', "'gone-commands' is no inbox and no events topic of a participant"],
  ['risk-events', "'risk-events' has no partition 7 any more", { 'parcomolo-dead-partition': '7' }],
  ['order-commands', 'its value of 99 bytes was too long for a letter', { 'parcomolo-dead-omitted': '99' }],
  [
    'risk-events',
    'it stands for a batch, whose producer has to send it again',
    { 'parcomolo-dead-code': 'PARCOMOLO_LOG_BATCH_UNREADABLE' }
  ]
]

test('what may not be sent back is refused, and nothing is sent with it; --all leaves it where it is', async (t) => {
  const shop = await Installation.make(t)
  await shop.with(({ log }) =>
    write(
      log,
      ['order-commands', 3],
      ['risk-events', 4],
      ...stays.map(([topic, , own = {}], i): [string, number, Headers] => [topic, i, own])
    )
  )
  const refused = await shop.command('resend', '0', ...stays.map((_, i) => String(i + 2)))
  t.deepEqual(refused, {
    code: 1,
    out: [],
    err: stays.map(
      ([, why], i) => `PARCOMOLO_MAIN_DEAD_LETTER_STAYS: letter '${i + 2}' is not sent back, and none with it: ${why}`
    )
  })
  const { out } = await shop.command('resend', '--all')
  t.deepEqual(out.slice(0, 2), [
    '0  record of order-commands/0/3 was sent to order-commands/0',
    '1  record of risk-events/0/4 was sent to risk-events/0'
  ])
  t.deepEqual(
    out.slice(2).map((line) => line.slice(line.indexOf('stays'))),
    stays.map(([, why]) => `stays: ${why}`)
  )
  await shop.with(async ({ log }) => {
    // What had no id gets the one that it had by its place, so that a second resend is a repeat.
    const [sent] = await all(log, 'order-commands')
    t.deepEqual(sent!.headers, { ce_id: 'order-commands/0/3', 'parcomolo-resent': '0' })
    t.is((await all(log, 'risk-events')).length, 1)
    t.is((await all(log, 'stock-events')).length, 0)
  })
  t.deepEqual((await shop.command('resend', '--all')).out.length, stays.length)
  t.deepEqual((await shop.command('resend', '0')).out.length, 1)
})

test('a letter that a crash has doubled is one; what is no letter is none', async (t) => {
  const shop = await Installation.make(t)
  await shop.with(async ({ log }) => {
    await write(log, ['order-commands', 3], ['order-commands', 3], ['order-commands', 4])
    await write(log, ['order-commands', 5, { 'parcomolo-dead-offset': 'NaN' }])
    await log.send([{ ...placed('dead-letters'), key: '', value: null, timestamp: 0, headers: {} }])
  })
  t.deepEqual(
    (await shop.command('list')).out.map((line) => line[0]),
    ['0', '2']
  )
  t.is((await shop.command('show', '1')).out[0], 'letter     0')
  t.deepEqual((await shop.command('resend', '1', '0')).out.length, 1)
  t.deepEqual(await shop.command('show', '3'), {
    code: 1,
    out: [],
    err: [
      "PARCOMOLO_MAIN_DEAD_LETTER_UNKNOWN: there is no dead letter '3'; expected a number that 'parcomolo dead-letters list' shows"
    ]
  })
})

test('while the shop has the embedded log open, the command says who', async (t) => {
  const shop = await Installation.make(t)
  await shop.with(async () => {
    const { code, err } = await shop.command('list')
    t.is(code, 1)
    t.regex(err[0]!, /^PARCOMOLO_LOG_IN_USE: the data folder '.*' is in use by process '\d+'; stop that process/)
  })
})
