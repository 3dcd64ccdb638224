import test from 'ava'
import { ParcomoloError, partitionOf } from '../../src/base/index.ts'
import { type Headers, placeName, type StoredRecord } from '../../src/log/index.ts'
import { inputPlaces, Inputs, type InputsDeps, type Taken } from '../../src/task/inputs.ts'
import { Positions } from '../../src/task/positions.ts'
import { makeCodec } from '../../src/contract/index.ts'
import { counterComponent, protocol } from './counter.ts'
import { codec, fullNameOf } from './stage.ts'

const partitionCounts: Readonly<Record<string, number>> = { 'a-events': 3, 'a-commands': 3, 'b-events': 3, single: 1 }

type Read = { readonly taken: Taken[]; readonly poison: { readonly offset: number; readonly error: ParcomoloError }[] }

/** What the task of one partition makes of records of a topic. */
const readerOf = (overrides: Partial<InputsDeps> = {}) => {
  const poison: Read['poison'] = []
  const inputs = new Inputs({
    lanes: { names: new Set(), has: () => false },
    codec,
    component: counterComponent('a'),
    positions: new Positions(),
    journal: { topic: 'a-events', partition: 0 },
    partitionCount: (topic) => {
      if (partitionCounts[topic] !== undefined) return partitionCounts[topic]
      throw new ParcomoloError('PARCOMOLO_LOG_UNKNOWN_TOPIC', `the topic '${topic}' is not declared`)
    },
    onPoison: (_, { offset }, error) => poison.push({ offset, error }),
    ...overrides
  })
  return (topic: string, ...records: Partial<StoredRecord>[]): Read => {
    const taken = inputs.of({
      topic,
      partition: 0,
      records: records.map((record, i) => ({ ...good(), offset: i, ...record }))
    })
    inputs.passAll()
    return { taken, poison }
  }
}

/** Of a key that belongs to partition 0 of 3. */
const good = (): StoredRecord => ({
  key: 'y',
  value: codec.encode(fullNameOf('Add'), { name: 'y', amount: 1 }),
  timestamp: 0,
  headers: {},
  offset: 0
})

test('a command of a foreign client needs a key and a value; the rest has a standard', (t) => {
  const { taken, poison } = readerOf()('a-commands', {})
  t.like(taken[0]!.input, { id: 'a-commands/0/0', attempt: 1, type: 'Add', key: 'y' })
  t.deepEqual(poison, [])
})

const malformed = test.macro({
  title: (_, what) => `a command with ${what} is poison`,
  exec: (t, _what: string, record: Partial<StoredRecord>, problem: RegExp) => {
    const { taken, poison } = readerOf()('a-commands', record, { offset: 1 })
    t.deepEqual(
      poison.map(({ offset, error }) => [offset, error.code]),
      [[0, 'PARCOMOLO_TASK_INPUT_MALFORMED']]
    )
    t.regex(poison[0]!.error.message, problem)
    t.is(taken.length, 1)
  }
})

const headers = (given: Headers): Partial<StoredRecord> => ({ headers: given })
const fromJournal = (sequence: string): Partial<StoredRecord> =>
  headers({ ce_source: '/b-events/0', ce_sequence: sequence })

test(malformed, 'no key', { key: '' }, /it has no key; expected the key/)
test(malformed, 'no value', { value: null }, /it has no value; expected a command/)
test(malformed, 'an empty id', headers({ ce_id: '' }), /its ce_id has 0 characters; expected 1 to 4096/)
test(malformed, 'an endless id', headers({ ce_id: 'x'.repeat(5000) }), /its ce_id has 5000 characters/)
test(
  malformed,
  'an attempt in words',
  headers({ ce_attempt: 'two' }),
  /its ce_attempt is 'two'; expected a whole number/
)
test(malformed, 'attempt 0', headers({ ce_attempt: '0' }), /its ce_attempt is '0'; expected a whole number from 1/)
test(malformed, 'an endless attempt', headers({ ce_attempt: '9'.repeat(99) }), /its ce_attempt is '9{40}'; expected/)
test(malformed, "a journal's sequence that is none", fromJournal('NaN'), /its ce_sequence is 'NaN'; expected a whole/)
test(malformed, "a journal's sequence below 0", fromJournal('-1'), /its ce_sequence is '-1'; expected a whole number/)

test('bytes that are no value, and a schema that nobody knows, are poison by their own codes', (t) => {
  const unknown = Buffer.from('000000006300', 'hex')
  const { poison } = readerOf()(
    'a-commands',
    { value: Buffer.from('no avro') },
    { value: unknown },
    { value: Buffer.of() }
  )
  t.deepEqual(
    poison.map(({ error }) => error.code),
    ['PARCOMOLO_CONTRACT_MALFORMED', 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA', 'PARCOMOLO_CONTRACT_MALFORMED']
  )
})

test('what stands for a batch that cannot be read is told once, of an inbox and of a journal', (t) => {
  const unreadable = new ParcomoloError('PARCOMOLO_LOG_BATCH_UNREADABLE', 'packed in a strange way')
  const standIn = { key: '', value: null, unreadable }
  // The key of none belongs to one of the tasks that read all partitions of a topic.
  const owner = { topic: 'a-events', partition: partitionOf('', 3) }
  const others = [0, 1, 2].filter((partition) => partition !== owner.partition)
  for (const topic of ['a-commands', 'b-events', 'single']) {
    const told = readerOf({ journal: owner })(topic, standIn, { key: '', value: null, headers: { ce_id: 'x' } })
    t.is(told.poison[0]!.error, unreadable, topic)
    t.deepEqual(told.taken, [])
  }
  for (const partition of others)
    t.deepEqual(readerOf({ journal: { ...owner, partition } })('single', standIn).poison, [])
})

test('a record that its component has no use for is poison in the inbox, and passed over in a journal', (t) => {
  const component = { ...counterComponent('a'), keysOf: () => [] }
  const inbox = readerOf({ component })('a-commands', {})
  t.is(inbox.poison[0]!.error.code, 'PARCOMOLO_TASK_INPUT_NOT_A_COMMAND')
  t.regex(inbox.poison[0]!.error.message, /^'Add' is no command of 'a'/)
  t.deepEqual(readerOf({ component })('b-events', {}), { taken: [], poison: [] })
})

test('a record that its component fails over is poison; what may pass by itself is thrown', (t) => {
  const error = new ParcomoloError('PARCOMOLO_SAGA_EXPRESSION_FAILED', 'the list is empty')
  const throwing = (thrown: Error) => ({
    ...counterComponent('a'),
    keysOf: (): never => {
      throw thrown
    }
  })
  t.is(readerOf({ component: throwing(error) })('b-events', {}).poison[0]!.error, error)
  const defect = new TypeError('x is not a function')
  const [told] = readerOf({ component: throwing(defect) })('b-events', {}).poison
  t.is(told!.error.code, 'PARCOMOLO_TASK_INPUT_UNDECIDABLE')
  t.is(told!.error.cause, defect)
  const passing = new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
  t.is(
    t.throws(() => readerOf({ component: throwing(passing) })('b-events', {})),
    passing
  )
})

const { schema, fullName } = protocol.records.get('Add')!

/** A record that is called `Add`, under a schema of somebody else. */
const addOf = (namespace: string, fields: object[], value: object): Uint8Array => {
  const foreign = { ...schema, namespace, name: 'Add', fields }
  const id = 7000 + foreignCount++
  codec.learn(id, foreign)
  return makeCodec([{ fullName: `${namespace}.Add`, schema: foreign, id }]).encode(`${namespace}.Add`, value)
}
let foreignCount = 0

const [name, amount] = schema['fields'] as [object, object]
const recordsOf = (): typeof protocol.records => protocol.records

test('a record whose schema resolves into the contract’s is the contract’s, in its bytes as well', (t) => {
  const note = { name: 'note', type: 'string' }
  const value = addOf('org.mine', [note, amount, name], { name: 'y', amount: 7, note: 'mine' })
  for (const topic of ['a-commands', 'b-events']) {
    const { taken, poison } = readerOf({ recordsOf })(topic, { value })
    t.deepEqual(poison, [])
    t.deepEqual({ ...taken[0]!.input.value }, { name: 'y', amount: 7 })
    t.deepEqual(Buffer.from(taken[0]!.input.bytes), codec.encode(fullName, { name: 'y', amount: 7 }))
  }
})

test('another record of the same short name is no command, and means nothing in a journal', (t) => {
  let foreign = 0
  const read = readerOf({ recordsOf, onForeign: () => foreign++ })
  const text = addOf('org.evil', [name, { name: 'amount', type: 'string' }], { name: 'y', amount: 'x' })
  const missing = addOf('org.evil', [name], { name: 'y' })
  const { taken, poison } = read('a-commands', { value: text }, { value: missing }, {})
  t.deepEqual(
    poison.map(({ error }) => error.code),
    ['PARCOMOLO_TASK_INPUT_NOT_A_COMMAND', 'PARCOMOLO_TASK_INPUT_NOT_A_COMMAND']
  )
  t.regex(poison[0]!.error.message, /^'org\.evil\.Add' is no command of 'a', nor does its schema resolve into/)
  t.is(taken.length, 1)
  t.is(read('b-events', { value: text }, { value: missing }).taken.length, 0)
  t.is(foreign, 2)
})

test('a marker in a journal is no input, with a value or without; in an inbox it is no command', (t) => {
  const value = codec.encode('parcomolo.journal.JournalMarker', { owner: 'other' })
  t.deepEqual(readerOf()('b-events', { value, key: '' }, { value: null, key: '' }), { taken: [], poison: [] })
  const component = { ...counterComponent('a'), keysOf: () => [] }
  t.is(readerOf({ component })('a-commands', { value }).poison[0]!.error.code, 'PARCOMOLO_TASK_INPUT_NOT_A_COMMAND')
})

test('the sequence of a journal tells repeats, by itself in each partition', (t) => {
  const { taken } = readerOf()(
    'a-commands',
    fromJournal('7'),
    fromJournal('7'),
    fromJournal('3'),
    headers({ ce_source: '/b-events/1', ce_sequence: '3' }),
    fromJournal('8')
  )
  t.deepEqual(
    taken.map(({ input }) => input.offset),
    [0, 3, 4]
  )
})

test('a sequence is nobody’s but a journal’s: what others call so is not looked at, nor remembered', (t) => {
  const positions = new Positions()
  const sources = ['my-app', '/my-app/0', '/b-events/9', '/b-events/00', '/b-events/x', '']
  const { taken, poison } = readerOf({ positions })(
    'a-commands',
    ...sources.flatMap((ce_source) => [
      headers({ ce_source, ce_sequence: '0001' }),
      headers({ ce_source, ce_sequence: '0001' }),
      headers({ ce_source, ce_sequence: 'first' })
    ]),
    headers({ ce_sequence: '5' }),
    headers({ ce_sequence: '5' })
  )
  t.is(taken.length, 3 * sources.length + 2)
  t.deepEqual(poison, [])
  t.deepEqual(Object.keys(positions.all()), ['a-commands/0'])
})

test('where a partition was made anew its position goes back with its reader, and is journaled so', (t) => {
  const positions = new Positions()
  const read = readerOf({ positions })
  read('b-events', { offset: 41 })
  t.deepEqual(positions.takeChanged(), { 'b-events/0': 42 })
  read('b-events', { offset: 3 }, { offset: 4 })
  t.deepEqual(positions.takeChanged(), { 'b-events/0': 5 })
  const restarted = new Positions()
  for (const said of [{ 'b-events/0': 42 }, { 'b-events/0': 5 }]) restarted.follow(said)
  t.is(restarted.get('b-events/0'), 5)
})

test('a foreign journal may have sequences and attempts of its own', (t) => {
  const foreign = headers({ ce_source: '/b-events/0', ce_sequence: 'a', ce_attempt: 'b' })
  const { taken, poison } = readerOf()('b-events', foreign, foreign)
  t.deepEqual([taken.length, poison], [2, []])
})

test('a command under another key than that of its entity is poison, which names both', (t) => {
  const record = { fullName: 'test.counter.Add', key: 'name' }
  const { taken, poison } = readerOf({ recordsOf: () => new Map([['Add', record]]) })(
    'a-commands',
    { key: 'y' },
    { key: 'y', value: codec.encode(fullNameOf('Add'), { name: 'z', amount: 1 }) }
  )
  t.is(taken.length, 1)
  t.deepEqual(
    poison.map(({ offset, error }) => [offset, error.code]),
    [[1, 'PARCOMOLO_TASK_INPUT_OTHER_KEY']]
  )
  t.regex(poison[0]!.error.message, /^a 'Add' for 'z' has the key 'y'; expected what its field 'name' holds/)
})

test('a command in a partition that is not its key’s is poison, which says where it belongs', (t) => {
  const positions = new Positions()
  const ours = readerOf({ positions })('a-commands', { key: 'x', ...fromJournal('7') }, { ...fromJournal('3') })
  t.deepEqual(
    ours.poison.map(({ offset, error }) => [offset, error.code]),
    [[0, 'PARCOMOLO_TASK_INPUT_MISPLACED']]
  )
  t.regex(
    ours.poison[0]!.error.message,
    /^a command with the key 'x' stands in partition '0' of 'a-commands'; expected partition '1', .*murmur2_random/
  )
  t.is(ours.taken.length, 1, 'what stands in the wrong place makes no repeat of what stands in the right one')
  t.is(positions.get('from:b-events/0@a-commands/0'), 4)
})

test('of an inbox with other partitions than the journal, one task takes each command, wherever it stands', (t) => {
  const keys = ['x', 'y', 'z', 'w', 'v']
  for (const partitions of [1, 2, 5]) {
    const partitionCount = (topic: string): number => (topic === 'a-commands' ? partitions : 3)
    const read = [0, 1, 2].map((partition) =>
      readerOf({ journal: { topic: 'a-events', partition }, partitionCount })(
        'a-commands',
        ...keys.map((key) => ({ key }))
      )
    )
    t.deepEqual(read.flatMap(({ taken }) => taken.map(({ input }) => input.key)).sort(), keys.toSorted())
    t.deepEqual(
      read.flatMap(({ poison }) => poison),
      []
    )
  }
})

test('of a topic that several tasks read, what cannot be read is told by the owner of its key alone', (t) => {
  const keys = ['x', 'y', 'z', 'w', '']
  const told = [0, 1, 2].map((partition) =>
    readerOf({ journal: { topic: 'a-events', partition } })(
      'single',
      ...keys.map((key) => ({ key, value: Buffer.from('no avro') }))
    ).poison.map(({ offset }) => offset)
  )
  t.deepEqual(told.flat().sort(), [0, 1, 2, 3, 4])
  for (const [partition, offsets] of told.entries())
    for (const offset of offsets) t.is(partitionOf(keys[offset]!, 3), partition)
})

test('of a journal that others write, all tasks read all partitions, and each takes what it owns by the key', (t) => {
  const component = {
    ...counterComponent('a'),
    reads: [
      { topic: 'b-events', isPartitionedByKey: false },
      { topic: 'c-events', isPartitionedByKey: true }
    ]
  }
  const partitionCount = (): number => 3
  const keys = ['x', 'y', 'z', 'w', 'v']
  const taken = [0, 1, 2].map((partition) => {
    const journal = { topic: 'a-events', partition }
    t.deepEqual(inputPlaces(component, journal, partitionCount).map(placeName), [
      `a-commands/${partition}`,
      'b-events/0',
      'b-events/1',
      'b-events/2',
      `c-events/${partition}`
    ])
    const read = readerOf({ component, journal, partitionCount })
    t.is(read('c-events', ...keys.map((key) => ({ key }))).taken.length, keys.length)
    return read('b-events', ...keys.map((key) => ({ key }))).taken.map(({ input }) => input.key)
  })
  for (const [partition, own] of taken.entries())
    t.deepEqual(
      own,
      keys.filter((key) => partitionOf(key, 3) === partition)
    )
  t.true(taken.filter((own) => own.length > 0).length > 1)
})
