import avro from 'avsc'
import test from 'ava'
import fc from 'fast-check'
import { type Codec, learnSchemas, makeCodec, readProtocolText, registerContracts } from '../../src/contract/index.ts'

const idl = (body: string): string => `@namespace("shop") protocol P { ${body} }`

/** A codec of these records, with ids from 1 in the order of the text. */
const codecOf = (body: string, firstId = 1): Codec =>
  makeCodec([...readProtocolText(idl(body)).records.values()].map((record, i) => ({ ...record, id: firstId + i })))

const schemaOf = (body: string, name: string) => readProtocolText(idl(body)).records.get(name)!.schema

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const all = `
  enum Size { SMALL, LARGE }
  record Item { string sku; int quantity; }
  record All {
    boolean yes; int i; long l; float f; double d; string s; bytes b; Size size; array<Item> items; map<long> counts;
    union { null, string } note = null;
  }`

/** A value of every type, and the bytes that the Avro specification asks for, written by hand. */
const value = {
  yes: true,
  i: -3,
  l: 300,
  f: 1.5,
  d: -2.25,
  s: 'aé',
  b: new Uint8Array([0, 255]),
  size: 'LARGE',
  items: [
    { sku: 'x', quantity: 1 },
    { sku: '', quantity: -64 }
  ],
  counts: { k: 64 },
  note: 'n'
}
const vector = [
  '00 00000102', // magic byte, id 258
  '01', // yes
  '05', // i: zigzag of -3
  'd804', // l: zigzag of 300 is 600
  '0000c03f', // f
  '00000000000002c0', // d
  '06 61c3a9', // s: 3 bytes
  '04 00ff', // b: 2 bytes
  '02', // size: index 1
  '04 02 78 02 00 7f 00', // items: 2, then (x, 1), ('', -64), end
  '02 02 6b 8001 00', // counts: 1, k, 64, end
  '02 02 6e' // note: branch 1
].join('')

const allCodec = makeCodec([{ fullName: 'shop.All', id: 258, schema: schemaOf(all, 'All') }])

test('a value of every type has the bytes that Avro and the wire format ask for', (t) => {
  t.is(hex(allCodec.encode('shop.All', value)), vector.replaceAll(' ', ''))
})

test('bytes in the wire format are read as a plain value with the name of its record', (t) => {
  const message = allCodec.decode(bytesOf(vector))
  t.is(message.type, 'All')
  t.is(message.fullName, 'shop.All')
  t.deepEqual({ ...message.value, b: [...(message.value['b'] as Uint8Array)] }, { ...value, b: [0, 255] })
  t.is(Object.getPrototypeOf(message.value), Object.prototype)
  t.is(Object.getPrototypeOf((message.value['items'] as object[])[0]), Object.prototype)
})

test('a value that is left out takes its default', (t) => {
  const { note: _, ...rest } = value
  t.is(allCodec.decode(allCodec.encode('shop.All', rest)).value['note'], null)
})

test('bytes may be any Uint8Array, also within a larger buffer and in a union', (t) => {
  const codec = codecOf('record B { bytes b; union { null, bytes } u; }')
  const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
  const written = codec.encode('shop.B', { b: view, u: view })
  t.is(hex(written), '0000000001' + '040102' + '02040102')
  t.deepEqual([...(codec.decode(written).value['u'] as Uint8Array)], [1, 2])
  const whole = new Uint8Array(written.length + 4)
  whole.set(written, 2)
  t.deepEqual([...(codec.decode(whole.subarray(2, -2)).value['b'] as Uint8Array)], [1, 2])
  t.is(codec.decode(codec.encode('shop.B', { b: view, u: null })).value['u'], null)
})

test('what was encoded stays when more is encoded, and bytes that were read stay when their source changes', (t) => {
  const codec = codecOf('record B { bytes b; }')
  const first = codec.encode('shop.B', { b: new Uint8Array([1]) })
  codec.encode('shop.B', { b: new Uint8Array([2]) })
  t.is(hex(first), '00000000010201')
  const read = codec.decode(first).value['b'] as Uint8Array
  first.fill(0)
  t.deepEqual([...read], [1])
})

test('a value larger than the usual buffer is written whole, and the next small one too', (t) => {
  const codec = codecOf('record S { array<string> list; }')
  const list = Array.from({ length: 30_000 }, (_, i) => `entry ${i}`)
  const written = codec.encode('shop.S', { list })
  t.deepEqual(codec.decode(written).value['list'], list)
  t.is(hex(codec.encode('shop.S', { list: ['a'] })), '0000000001' + '02026100')
})

/** Zigzag and groups of seven bits over BigInt, as the specification has it. */
const longBytes = (value: bigint): string => {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)]).toString('hex')
}
const longMax = 9_007_199_254_740_990
const wholeNumber = 'a whole number within ±9007199254740990'

test('longs are exact up to 2^53 both ways', (t) => {
  const codec = codecOf('record L { long l; }')
  const isExact = (l: number): boolean => {
    const written = codec.encode('shop.L', { l })
    return hex(written) === `0000000001${longBytes(BigInt(l))}` && codec.decode(written).value['l'] === l
  }
  for (const base of [0, 63, 64, 2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 35, 2 ** 52, longMax - 1]) {
    for (const l of [base - 1, base, base + 1]) t.true(isExact(l) && isExact(-l), `${l}`)
  }
  fc.assert(fc.property(fc.integer({ min: -longMax, max: longMax }), isExact), { numRuns: 500 })
})

test('a long beyond 2^53 is refused with its field when it is written, and as such when it is read', (t) => {
  const codec = codecOf('record L { long l; }')
  for (const l of [2 ** 53, -(2 ** 53), 1e300]) {
    t.throws(() => codec.encode('shop.L', { l }), {
      code: 'PARCOMOLO_CONTRACT_VALUE_MISMATCH',
      message: `value does not fit 'shop.L': field 'l' is the number '${l}', expected ${wholeNumber}`
    })
  }
  for (const l of [2n ** 53n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    t.throws(() => codec.decode(bytesOf(`0000000001${longBytes(l)}`)), { code: 'PARCOMOLO_CONTRACT_LONG_OVERFLOW' })
  }
})

test('text is written as well-formed UTF-8, whatever its length', (t) => {
  const codec = codecOf('record S { string s; }')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (s) => {
      const written = codec.encode('shop.S', { s })
      const text = Buffer.from(s, 'utf8')
      const expected = `0000000001${longBytes(BigInt(text.length))}${text.toString('hex')}`
      return hex(written) === expected && codec.decode(written).value['s'] === s
    }),
    { numRuns: 300 }
  )
  t.is(hex(codec.encode('shop.S', { s: '\ud800' })), '0000000001' + '06efbfbd')
})

const mismatch = test.macro({
  exec: (t, wrong: Record<string, unknown>, text: string, paths: string[]) => {
    const error = t.throws(() => allCodec.encode('shop.All', { ...value, ...wrong }))
    t.is(error?.message, `value does not fit 'shop.All': ${text}`)
    t.like(error, { code: 'PARCOMOLO_CONTRACT_VALUE_MISMATCH', details: { paths } })
  },
  title: (what) => `${what} is refused with the path of its field`
})

test('a missing field', mismatch, { s: undefined }, "field 's' is missing, expected a string", ['s'])
test('a number for a text', mismatch, { s: 5 }, "field 's' is the number '5', expected a string", ['s'])
test(
  'a value deep inside',
  mismatch,
  { items: [value.items[0], { sku: 'y', quantity: 1.5 }] },
  "field 'items[1].quantity' is the number '1.5', expected a whole number within ±2147483647",
  ['items[1].quantity']
)
test(
  'a value of a map',
  mismatch,
  { counts: { k: 'many' } },
  "field 'counts.k' is the string 'many', expected a whole number within ±9007199254740990",
  ['counts.k']
)
test(
  'an unknown symbol',
  mismatch,
  { size: 'HUGE' },
  "field 'size' is the string 'HUGE', expected one of 'SMALL', 'LARGE'",
  ['size']
)
test('null in a list', mismatch, { items: [null] }, "field 'items[0]' is null, expected a record 'shop.Item'", [
  'items[0]'
])
test('a list for a text', mismatch, { s: ['a'] }, "field 's' is a list of 1, expected a string", ['s'])
test('an object for a list', mismatch, { items: {} }, "field 'items' is an object, expected a list", ['items'])
test('a text for bytes', mismatch, { b: 'ff' }, "field 'b' is the string 'ff', expected bytes", ['b'])
test('no branch of a union', mismatch, { note: 1 }, "field 'note' is the number '1', expected null or a string", [
  'note'
])
test(
  'not a number',
  mismatch,
  { i: Number.NaN },
  "field 'i' is the number 'NaN', expected a whole number within ±2147483647",
  ['i']
)
test(
  'every misfit',
  mismatch,
  { yes: 1, i: 'a', s: 2 },
  "field 'yes' is the number '1', expected a boolean; field 'i' is the string 'a', expected a whole number within ±2147483647; field 's' is the number '2', expected a string",
  ['yes', 'i', 's']
)

test('many misfits are counted, and a long one is cut', (t) => {
  const items = Array.from({ length: 7 }, () => ({ sku: 'y', quantity: 'z'.repeat(100) }))
  const error = t.throws(() => allCodec.encode('shop.All', { ...value, items }))
  t.regex(error!.message, /; and 2 more$/)
  t.regex(error!.message, /'z{60}…'/)
})

test('a refused value leaves nothing behind', (t) => {
  t.throws(() => allCodec.encode('shop.All', { ...value, note: 1 }))
  t.is(hex(allCodec.encode('shop.All', value)), vector.replaceAll(' ', ''))
})

test('an unknown record is refused with the nearest name', (t) => {
  const codec = codecOf('record Reserve { string id; }')
  t.throws(() => codec.encode('shop.Resevre', {}), {
    code: 'PARCOMOLO_CONTRACT_UNKNOWN_RECORD',
    message: "unknown record 'shop.Resevre'; did you mean 'shop.Reserve'?"
  })
})

const malformed = test.macro({
  exec: (t, bytes: string, message: RegExp) => {
    const codec = codecOf('record Item { string sku; boolean b; int i; array<string> list; }')
    const error = t.throws(() => codec.decode(bytesOf(bytes)))
    t.like(error, { code: 'PARCOMOLO_CONTRACT_MALFORMED' })
    t.regex(error!.message, message)
  },
  title: (what) => `${what} is malformed`
})

test('a value of no bytes', malformed, '', /value of 0 bytes '' is malformed: it does not begin with a zero byte/)
test('a value without an id', malformed, '00000001', /does not begin with a zero byte and a schema id/)
test('a value with another first byte', malformed, '7b0000000100000000', /does not begin with a zero byte/)
test('a value that ends too early', malformed, '0000000001 0478', /no value of 'shop.Item' \(it ends too early\)/)
test('a value with a negative length', malformed, '0000000001 01 00 00', /it ends too early/)
test('a boolean that is none', malformed, '0000000001 00 02 00 00', /2 is no boolean/)
test('an int that is none', malformed, '0000000001 00 01 808080808001 00', /is no int/)
test('a number that does not end', malformed, '0000000001 00 01 ffffffffffffffffffffffffffffff', /more than 10 bytes/)
test('a value with bytes behind it', malformed, '0000000001 00 01 00 00 0000', /2 bytes follow a value of 'shop.Item'/)
test('a list that claims a billion items', malformed, '0000000001 00 01 00 80a8d6b907', /it ends too early/)

test('random bytes are read or refused, at once', (t) => {
  const isReadOrRefused = (bytes: Uint8Array): boolean => {
    try {
      return allCodec.decode(new Uint8Array([0, 0, 0, 1, 2, ...bytes])).type === 'All'
    } catch (error) {
      return /^PARCOMOLO_CONTRACT_(MALFORMED|LONG_OVERFLOW)$/.test((error as { code: string }).code)
    }
  }
  t.notThrows(() => fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), isReadOrRefused), { numRuns: 2000 }))
})

/** Random types with values that fit them. */
type Typed = { readonly schema: unknown; readonly values: fc.Arbitrary<unknown> }
const typed: fc.Arbitrary<Typed> = fc.letrec<{ type: Typed }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<Typed>(
      { schema: 'boolean', values: fc.boolean() },
      { schema: 'int', values: fc.integer() },
      { schema: 'long', values: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }) },
      { schema: 'double', values: fc.double({ noNaN: true }) },
      { schema: 'string', values: fc.string({ unit: 'grapheme' }) },
      { schema: { type: 'enum', name: 'E', symbols: ['A', 'B'] }, values: fc.constantFrom('A', 'B') }
    ),
    tie('type').map(({ schema, values }) => ({
      schema: { type: 'array', items: schema },
      values: fc.array(values, { maxLength: 4 })
    })),
    tie('type').map(({ schema, values }) => ({
      schema: { type: 'map', values: schema },
      values: fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        values,
        { maxKeys: 3, noNullPrototype: true }
      )
    })),
    tie('type').map(({ schema, values }) => ({
      schema: {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'a', type: schema },
          { name: 'b', type: ['null', 'string'] }
        ]
      },
      values: fc.record({ a: values, b: fc.option(fc.string()) }, { noNullPrototype: true })
    }))
  )
})).type

/** Gives every named type a name of its own. */
const withNames = (schema: unknown, next = { id: 0 }): unknown => {
  if (Array.isArray(schema)) return schema.map((branch) => withNames(branch, next))
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).map(([key, part]) =>
    key === 'name' && 'type' in schema && ['enum', 'record'].includes(String(schema.type))
      ? [key, `${String(part)}${next.id++}`]
      : [key, key === 'symbols' ? part : withNames(part, next)]
  )
  return Object.fromEntries(entries)
}

test('random values of random types are written as avsc writes them, and read back as they were', (t) => {
  const cases = typed.chain(({ schema, values }) => fc.tuple(fc.constant(schema), values))
  fc.assert(
    fc.property(cases, ([type, v]) => {
      const schema = withNames({ type: 'record', name: 'Top', namespace: 'x', fields: [{ name: 'v', type }] }) as {
        name: string
      }
      const codec = makeCodec([{ fullName: `x.${schema.name}`, id: 7, schema }])
      const written = codec.encode(`x.${schema.name}`, { v })
      const judge = avro.Type.forSchema(schema as never, { wrapUnions: 'never' })
      t.is(hex(written), `0000000007${judge.toBuffer({ v }).toString('hex')}`)
      t.deepEqual(codec.decode(written).value, { v })
    }),
    { numRuns: 200 }
  )
})

// Evolution.
const first = 'record Item { string sku; int quantity; string colour; }'
const second = `
  record Item { long quantity; string sku; string note = "none"; string @aliases(["colour"]) color; }`

test('what an older schema wrote is read as today it is: fields added, moved, widened, renamed', (t) => {
  const old = codecOf(first, 1)
  const codec = codecOf(second, 2)
  const written = old.encode('shop.Item', { sku: 'a', quantity: 3, colour: 'red' })
  t.false(codec.knows(written))
  t.throws(() => codec.decode(written), {
    code: 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA',
    message: "unknown schema id '1'; expected one that was learnt from the registry"
  })
  codec.learn(1, schemaOf(first, 'Item'))
  t.true(codec.knows(written))
  t.deepEqual(codec.decode(written), {
    type: 'Item',
    fullName: 'shop.Item',
    value: { quantity: 3, sku: 'a', note: 'none', color: 'red' }
  })
})

test('a field that is no longer there is passed over, and the value must still be whole', (t) => {
  const old = codecOf('record Item { string sku; array<string> tags; long end; }', 1)
  const codec = codecOf('record Item { string sku; }', 2)
  codec.learn(1, schemaOf('record Item { string sku; array<string> tags; long end; }', 'Item'))
  const written = old.encode('shop.Item', { sku: 'a', tags: ['x', 'y'], end: 2 ** 40 })
  t.deepEqual(codec.decode(written).value, { sku: 'a' })
  t.throws(() => codec.decode(written.subarray(0, -2)), { code: 'PARCOMOLO_CONTRACT_MALFORMED' })
})

test('who asks for the whole of a value gets what today is no longer there, beside what is', (t) => {
  const line = 'record Line { string sku; int quantity; }'
  const before = `${line} record Item { array<Line> lines; map<Line> byName; union { null, Line } last; int count; }`
  const after = before.replace('int quantity; ', '').replace('int count', 'long @aliases(["count"]) number')
  const codec = codecOf(after, 10)
  codec.learn(2, schemaOf(before, 'Item'))
  const [a, b] = [
    { sku: 'a', quantity: 1 },
    { sku: 'b', quantity: 2 }
  ]
  const value = { lines: [a, b], byName: { b }, last: a, count: 3 }
  const written = codecOf(before, 1).encode('shop.Item', value)
  t.deepEqual(codec.decode(written).value, {
    ...{ lines: [{ sku: 'a' }, { sku: 'b' }], byName: { b: { sku: 'b' } } },
    ...{ last: { sku: 'a' }, number: 3 }
  })
  t.deepEqual(codec.whole(written), { ...value, number: 3 })
})

test('a value that has nothing beyond what today is there is not read a second time', (t) => {
  const codec = codecOf(second, 2)
  codec.learn(1, schemaOf(first, 'Item'))
  t.is(codec.whole(codecOf(first, 1).encode('shop.Item', { sku: 'a', quantity: 3, colour: 'red' })), undefined)
  t.is(codec.whole(codec.encode('shop.Item', { quantity: 3, sku: 'a', color: 'red' })), undefined)
})

test('a record that was renamed is read by its alias', (t) => {
  const old = codecOf('record Thing { string sku; }', 1)
  const codec = codecOf('@aliases(["Thing"]) record Item { string sku; }', 2)
  codec.learn(1, schemaOf('record Thing { string sku; }', 'Thing'))
  t.deepEqual(codec.decode(old.encode('shop.Thing', { sku: 'a' })), {
    type: 'Item',
    fullName: 'shop.Item',
    value: { sku: 'a' }
  })
})

test('a record that no contract knows is read as it was written', (t) => {
  const codec = codecOf('record Item { string sku; }', 1)
  codec.learn(9, schemaOf('record Foreign { int n; }', 'Foreign'))
  t.deepEqual(codec.decode(bytesOf('0000000009 0a')), { type: 'Foreign', fullName: 'shop.Foreign', value: { n: 5 } })
})

test('a schema that today cannot read is refused when it is learnt', (t) => {
  const codec = codecOf('record Item { string sku; int quantity; }', 1)
  const error = t.throws(() => codec.learn(5, schemaOf('record Item { string sku; }', 'Item')))
  t.like(error, { code: 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED', details: { id: 5 } })
  t.regex(
    error!.message,
    /^schema 5 of 'Item' is unreadable \(.*quantity.*\); expected one that today's contract reads$/
  )
  t.throws(() => codec.learn(6, { type: 'nonsense' }), { code: 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED' })
})

// Registration.
const contract = {
  participant: 'stock',
  inbox: 'stock-commands',
  events: 'stock-events',
  ...readProtocolText(
    idl(`record Line { string sku; } record Reserve { Line line; }
      record Reserved { string id; } error Short { string id; }
      Reserved reserve(Reserve command) throws Short;`)
  )
}

/** A registry in memory that numbers schemas in the order in which they come, and knows older versions. */
const registryOf = (older: Record<string, { id: number; schema: Readonly<Record<string, unknown>> }[]> = {}) => {
  const subjects: string[] = []
  const asked: number[] = []
  return {
    subjects,
    asked,
    check: async (): Promise<void> => undefined,
    register: async (subject: string) => subjects.push(subject) + 100,
    versions: async (subject: string) => older[subject] ?? [],
    schema: async (id: number) => {
      asked.push(id)
      return schemaOf('record Foreign { int n; }', 'Foreign')
    }
  }
}

test('commands are registered under the inbox, answers under the events topic, others under theirs', async (t) => {
  const registry = registryOf()
  const extra = readProtocolText('@namespace("saga") protocol S { record Started { string id; } }')
  const codec = await registerContracts(
    registry,
    [contract],
    [{ topic: 'saga-events', records: [...extra.records.values()] }]
  )
  t.deepEqual(registry.subjects, [
    'stock-commands-shop.Reserve',
    'stock-events-shop.Reserved',
    'stock-events-shop.Short',
    'saga-events-saga.Started'
  ])
  t.is(hex(codec.encode('saga.Started', { id: 'a' })), '0000000068' + '0261')
  t.throws(() => codec.encode('shop.Line', { sku: 'a' }), { code: 'PARCOMOLO_CONTRACT_UNKNOWN_RECORD' })
})

test('nothing is registered where one of the records is refused', async (t) => {
  const registry = registryOf()
  const refused = new Error('refused')
  registry.check = async (subject?: string) => {
    if (subject === 'stock-events-shop.Short') throw refused
  }
  t.is(await t.throwsAsync(registerContracts(registry, [contract])), refused)
  t.deepEqual(registry.subjects, [])
})

test('what earlier versions wrote is known from the start, except what today cannot read', async (t) => {
  const readable = schemaOf('record Reserved { string id; int gone; }', 'Reserved')
  const unreadable = schemaOf('record Reserved { int id; }', 'Reserved')
  const registry = registryOf({
    'stock-events-shop.Reserved': [
      { id: 3, schema: unreadable },
      { id: 4, schema: readable }
    ]
  })
  const codec = await registerContracts(registry, [contract])
  t.deepEqual(codec.decode(bytesOf('0000000004 0261 02')).value, { id: 'a' })
  t.false(codec.knows(bytesOf('0000000003 00')))
})

test('unknown schemas are fetched once each, and nobody waits when there are none', async (t) => {
  const registry = registryOf()
  const codec = codecOf('record Item { string sku; }', 1)
  const known = codec.encode('shop.Item', { sku: 'a' })
  t.is(learnSchemas(codec, registry, [known, null, bytesOf('7b7d')]), undefined)
  const unknown = bytesOf('0000000009 0a')
  await learnSchemas(codec, registry, [known, unknown, null, unknown])
  t.deepEqual(registry.asked, [9])
  t.is(codec.decode(unknown).type, 'Foreign')
})

test('who looks at no bytes gets every other member, and empty ones in their place', (t) => {
  const bytes = allCodec.encode('shop.All', value)
  t.deepEqual(allCodec.decode(bytes, true).value, { ...value, b: new Uint8Array(0) })
  t.deepEqual(allCodec.decode(bytes).value, value)
})
