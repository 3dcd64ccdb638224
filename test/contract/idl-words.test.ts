import test from 'ava'
import { makeCodec, readProtocolText } from '../../src/contract/index.ts'

const read = (body: string) => readProtocolText(`@namespace("a.b") protocol P { ${body} }`, 'p')

/** The type of each field of record `R`, as Avro has it. */
const typesOf = (body: string): Record<string, unknown> =>
  Object.fromEntries(
    (read(body).records.get('R')!.schema['fields'] as { name: string; type: unknown }[]).map(({ name, type }) => [
      name,
      type
    ])
  )

test('a question mark behind a type makes it optional, its default first', (t) => {
  t.deepEqual(
    typesOf(
      'record R { string? a; string? b = null; string? c = "x"; array<int?> d; R2? e = null; } record R2 { int n; }'
    ),
    {
      a: ['null', 'string'],
      b: ['null', 'string'],
      c: ['string', 'null'],
      d: { type: 'array', items: ['null', 'int'] },
      e: ['null', { type: 'record', name: 'R2', namespace: 'a.b', fields: [{ name: 'n', type: 'int' }] }]
    }
  )
  const union = 'record R { union { null, string } a = null; union { string, null } c = "x"; }'
  t.deepEqual(read('record R { string? a = null; string? c = "x"; }').records, read(union).records)
  t.throws(() => read('record R { union { null, int }? a; }'), { message: /a union cannot hold a union/ })
  t.throws(() => read('record R { null? a; }'), { message: /cannot hold both 'null' and 'null'/ })
})

test('the logical types that the language has words for are those of Avro', (t) => {
  const of = (type: string, logicalType: string): object => ({ type, logicalType })
  t.deepEqual(typesOf('record R { date a; time_ms b; timestamp_ms c; local_timestamp_ms d; uuid e; uuid? f; }'), {
    a: of('int', 'date'),
    b: of('int', 'time-millis'),
    c: of('long', 'timestamp-millis'),
    d: of('long', 'local-timestamp-millis'),
    e: of('string', 'uuid'),
    f: ['null', of('string', 'uuid')]
  })
})

test('decimals are refused by their name, wherever they stand', (t) => {
  for (const type of ['decimal(9,2)', 'union { null, decimal(9,2) }', 'array<decimal(9,2)>', 'decimal'])
    t.throws(() => read(`record R { ${type} price; }`), {
      message: /^p:1:\d+ 'decimal' is not supported, .*; use long in cents, or bytes with @logicalType\("decimal"\)/
    })
})

test('the name of an annotation may have dots, and words in backticks', (t) => {
  const { schema } = read(
    '@a.`string`.b(1) @`union`(2) record R { @avro.java.`string`("String") string s; }'
  ).records.get('R')!
  t.like(schema, { 'a.string.b': 1, union: 2, fields: [{ type: { type: 'string', 'avro.java.string': 'String' } }] })
})

test('types may have small letters, also those of words that mean something elsewhere', (t) => {
  const names = [
    'meta',
    'class',
    'delete',
    'function',
    'constructor',
    'toString',
    'arguments',
    'eval',
    'undefined',
    '_x'
  ]
  const { records, operations } = read(`${names.map((name) => `record ${name} { string? ${name}; }`).join(' ')}
    record ask { meta it; array<class> them; } record told { delete? gone; } told tell(ask command);`)
  t.deepEqual([...operations.keys()], ['ask'])
  const codec = makeCodec([...records.values()].map((record, i) => ({ ...record, id: i + 1 })))
  for (const name of names) {
    const { type, value } = codec.decode(codec.encode(`a.b.${name}`, { [name]: 'v' }))
    t.is(type, name)
    t.deepEqual({ ...value }, { [name]: 'v' })
  }
  const value = { it: { meta: null }, them: [{ class: 'c' }] }
  t.deepEqual(JSON.parse(JSON.stringify(codec.decode(codec.encode('a.b.ask', value)).value)), value)
})

test('a word of the language, or a name that JavaScript keeps, names no type', (t) => {
  for (const name of ['string', 'date', 'uuid', 'decimal', 'array', 'void', 'record'])
    t.throws(() => read(`record ${name} { int n; }`), {
      message: new RegExp(`type name '${name}' is a word of Avro IDL`)
    })
  t.throws(() => read('record __proto__ { int n; }'), { message: /type name '__proto__' is refused/ })
})
