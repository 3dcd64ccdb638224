import { readFileSync } from 'node:fs'
import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { readContract } from '../../src/contract/index.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

const sound = `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: parcel }
spec:
  inbox: parcel-commands
  events: parcel-events
  contract: |
    @namespace("shop.parcel")
    protocol Parcel {
      record Item { string sku; int quantity; }
      record SendParcel { string id; array<Item> items; union { null, string } note = null; }
      record ParcelSent { string id; }
      error NoRoom { string id; }
      ParcelSent sendParcel(SendParcel command) throws NoRoom;
      record ParcelLost { string id; }
      void parcelLost(ParcelLost event) oneway;
    }
`

const read = (text: string) => readContract({ path: 'parcel.yaml', text })

/** The lines of the error that a text is refused with. */
const problemsOf = (text: string): string[] => {
  try {
    read(text)
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID')) return error.message.split('\n')
    throw error
  }
  return []
}

const changed = (from: string, to: string): string => {
  if (!sound.includes(from)) throw new Error(`the sound file has no '${from}'`)
  return sound.replace(from, to)
}

/** A change to the sound file, and the one line that it is refused with. */
const refused = test.macro({
  exec: (t, from: string, to: string, problem: string) => t.deepEqual(problemsOf(changed(from, to)), [problem]),
  title: (what) => `${what} is refused at its place`
})

test('a sound file becomes operations, replies, rejections and events', (t) => {
  const contract = read(sound)
  t.is(contract.participant, 'parcel')
  t.is(contract.inbox, 'parcel-commands')
  t.is(contract.events, 'parcel-events')
  t.is(contract.namespace, 'shop.parcel')
  t.deepEqual(
    [...contract.operations],
    [['SendParcel', { name: 'sendParcel', command: 'SendParcel', replies: ['ParcelSent'], rejections: ['NoRoom'] }]]
  )
  t.deepEqual([...contract.emits], ['ParcelSent', 'NoRoom', 'ParcelLost'])
  t.deepEqual([...contract.records.keys()], ['Item', 'SendParcel', 'ParcelSent', 'NoRoom', 'ParcelLost'])
})

test('a record has a schema that is complete in itself, and types for the checker of expressions', (t) => {
  const record = read(sound).records.get('SendParcel')
  t.is(record?.fullName, 'shop.parcel.SendParcel')
  t.deepEqual(record?.schema, {
    type: 'record',
    name: 'SendParcel',
    namespace: 'shop.parcel',
    fields: [
      { name: 'id', type: 'string' },
      {
        name: 'items',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'Item',
            namespace: 'shop.parcel',
            fields: [
              { name: 'sku', type: 'string' },
              { name: 'quantity', type: 'int' }
            ]
          }
        }
      },
      { name: 'note', type: ['null', 'string'], default: null }
    ]
  })
  t.deepEqual(record?.fields[2], {
    name: 'note',
    type: { kind: 'union', of: [{ kind: 'null' }, { kind: 'string' }] },
    hasDefault: true
  })
  t.like(record?.fields[1]?.type, { kind: 'array', items: { kind: 'record', name: 'Item' } })
})

test('a named type that is used twice is defined at its first use and named at the second', (t) => {
  const text = changed('array<Item> items;', 'Item first; array<Item> items;')
  const fields = read(text).records.get('SendParcel')?.schema['fields'] as { type: unknown }[]
  t.like(fields[1]?.type, { type: 'record', name: 'Item' })
  t.deepEqual(fields[2]?.type, { type: 'array', items: 'shop.parcel.Item' })
})

test('an error is registered as a record, since only protocols know errors', (t) => {
  t.is(read(sound).records.get('NoRoom')?.schema['type'], 'record')
})

test('a response may be a union: all of its records are replies', (t) => {
  const text = changed('ParcelSent sendParcel', 'union { ParcelSent, ParcelLost } sendParcel')
  t.deepEqual(read(text).operations.get('SendParcel')?.replies, ['ParcelSent', 'ParcelLost'])
})

test('the file of a Kubernetes resource is read like any other', (t) => {
  const text = changed('{ name: parcel }', '{ name: parcel, namespace: shop, labels: { a: b }, generation: 3 }')
  t.is(read(`${text}status: { conditions: [] }\n`).participant, 'parcel')
})

test('a type may be used before it is declared', (t) => {
  const text = changed('record Item { string sku; int quantity; }\n', '').replace(
    'record ParcelLost',
    'record Item { string sku; int quantity; }\n      record ParcelLost'
  )
  t.true(read(text).records.has('Item'))
})

for (const name of serviceNames) {
  test(`the contract of ${name} is sound`, (t) => {
    const path = `sagas/participants/${name}.yaml`
    const contract = readContract({ path, text: readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') })
    t.is(contract.participant, name)
  })
}

// YAML and the fields of a participant.
test('an empty file is refused', (t) => {
  t.deepEqual(problemsOf(''), ['parcel.yaml:1:1 the file is empty; expected a Participant'])
  t.deepEqual(problemsOf('# nothing\n'), ['parcel.yaml:1:1 the file is empty; expected a Participant'])
})
test('a file that is a list is refused', (t) => {
  const [problem] = problemsOf('- a\n')
  t.is(problem, "parcel.yaml:1:1 found a list; expected a mapping with 'apiVersion', 'kind', 'metadata', 'spec'")
})
test('broken YAML is refused once, where it breaks', (t) => {
  const problems = problemsOf(changed('{ name: parcel }', '{ name: parcel'))
  t.true(problems.length >= 1)
  t.regex(problems[0]!, /^parcel\.yaml:4:1 /)
})
test('a key that stands twice is refused at its place', (t) => {
  t.regex(problemsOf(changed('  events:', '  inbox: other\n  events:'))[0]!, /^parcel\.yaml:6:3 .*unique/)
})
test('a second document in the file is refused at its place', (t) => {
  t.regex(problemsOf(`${sound}---\nkind: Participant\n`)[0]!, /^parcel\.yaml:18:1 .*multiple documents/)
})
test(
  'a wrong kind',
  refused,
  'kind: Participant',
  'kind: Saga',
  "parcel.yaml:2:7 kind: found 'Saga'; expected 'Participant'"
)
test(
  'a wrong apiVersion',
  refused,
  'v1alpha1',
  'v1',
  "parcel.yaml:1:13 apiVersion: found 'parcomolo.io/v1'; expected 'parcomolo.io/v1alpha1'"
)
test(
  'a number where a text belongs',
  refused,
  'inbox: parcel-commands',
  'inbox: 7',
  "parcel.yaml:5:10 spec.inbox: found '7'; expected a text"
)
test(
  'a field without a value',
  refused,
  'inbox: parcel-commands',
  'inbox:',
  'parcel.yaml:5:9 spec.inbox: found nothing; expected a text'
)
test(
  'a name with capitals',
  refused,
  'name: parcel',
  'name: Parcel',
  "parcel.yaml:3:19 metadata.name: name 'Parcel' is refused; expected at most 63 small letters, digits and '-', a letter first"
)
test(
  'a topic with a blank',
  refused,
  'parcel-events',
  'parcel events',
  "parcel.yaml:6:11 spec.events: topic 'parcel events' is refused; expected at most 249 letters, digits, '.', '_' and '-'"
)
test(
  'a topic of dots alone',
  refused,
  'parcel-events',
  '..',
  "parcel.yaml:6:11 spec.events: topic '..' is refused; Kafka has no topic of that name; expected letters or digits in it, such as 'billing-events'"
)
test(
  'a topic that is too long',
  refused,
  'parcel-events',
  'e'.repeat(250),
  `parcel.yaml:6:11 spec.events: topic '${'e'.repeat(250)}' is refused; expected at most 249 letters, digits, '.', '_' and '-'`
)
test(
  'a group with a blank',
  refused,
  '  events: parcel-events',
  '  events: parcel-events\n  group: parcel service',
  "parcel.yaml:7:10 spec.group: group 'parcel service' is refused; expected at most 255 visible ASCII characters, without a blank"
)
test('a participant may name the group by which it reads its inbox', (t) => {
  const text = sound.replace('  events: parcel-events', '  events: parcel-events\n  group: parcel-service')
  const { group } = readContract({ path: 'parcel.yaml', text })
  t.is(group, 'parcel-service')
})
test('a contract that is too long is refused at its place', (t) => {
  const comment = `    // ${'x'.repeat(262_144)}\n`
  t.regex(problemsOf(sound + comment)[0]!, /^parcel\.yaml:7:13 spec\.contract: the contract has 26\d{4} characters; /)
})
test(
  'an events topic that is the inbox',
  refused,
  'parcel-events',
  'parcel-commands',
  "parcel.yaml:6:11 spec.events: 'parcel-commands' is the inbox too; expected a topic of its own"
)

test('a field without a colon is refused as one without a value', (t) => {
  t.deepEqual(problemsOf(changed('{ name: parcel }', '{ name }')), [
    'parcel.yaml:3:13 metadata.name: found nothing; expected a text'
  ])
})

test('an alias stands for what it names', (t) => {
  const text = changed('{ name: parcel }', '{ name: &name parcel, labels: &labels { a: b } }')
  t.is(read(text.replace('inbox: parcel-commands', 'inbox: *name')).inbox, 'parcel')
  t.deepEqual(problemsOf(text.replace('inbox: parcel-commands', 'inbox: *labels')), [
    'parcel.yaml:5:10 spec.inbox: found a mapping; expected a text'
  ])
})

test('a misspelt field is named with the nearest known one, and the missing one with it', (t) => {
  t.deepEqual(problemsOf(changed('  inbox:', '  inbux:')), [
    "parcel.yaml:5:3 spec: unknown field 'inbux'; did you mean 'inbox'?",
    "parcel.yaml:5:3 spec: field 'inbox' is missing; expected 'inbox', 'events', 'contract'"
  ])
  t.deepEqual(problemsOf(changed('spec:', 'specs:')), [
    "parcel.yaml:1:1 field 'spec' is missing; expected 'apiVersion', 'kind', 'metadata', 'spec'",
    "parcel.yaml:4:1 unknown field 'specs'; did you mean 'spec'?"
  ])
})

test('several problems are told at once, in the order of the file', (t) => {
  const text = changed('kind: Participant', 'kind: Person')
    .replace('array<Item>', 'array<Itme>')
    .replace('throws NoRoom', 'throws NoRom')
  t.deepEqual(problemsOf(text), [
    "parcel.yaml:2:7 kind: found 'Person'; expected 'Participant'",
    "parcel.yaml:11:44 spec.contract: unknown type 'Itme'; did you mean 'Item'?",
    "parcel.yaml:14:56 spec.contract: unknown error 'NoRom'; did you mean 'NoRoom'?"
  ])
})

test('the error says where it is to machines too', (t) => {
  const error = t.throws(() => read(changed('array<Item>', 'array<Itme>')))
  t.like(error, {
    details: { file: 'parcel.yaml', problems: [{ line: 11, column: 44, path: 'spec.contract' }] }
  })
})

// The protocol.
const at = (place: string, text: string): string => `parcel.yaml:${place} spec.contract: ${text}`

test(
  'a protocol without a namespace',
  refused,
  '@namespace("shop.parcel")\n',
  '\n',
  at('9:14', `protocol 'Parcel' has no namespace; expected @namespace("words.with.dots") in front of it`)
)
test(
  'a namespace that is none',
  refused,
  '"shop.parcel"',
  '"shop parcel"',
  at('9:14', `protocol 'Parcel' has the namespace "shop parcel"; expected @namespace("words.with.dots") in front of it`)
)
test(
  'a missing semicolon',
  refused,
  'string sku; int',
  'string sku int',
  at('10:32', "expected ';' after field 'sku', found 'int'")
)
test(
  'a comment that does not end',
  refused,
  'record ParcelSent',
  '/* record ParcelSent',
  at('12:7', "expected '*/' at the end of this comment, found the end of the text")
)
test(
  'a protocol that does not end',
  refused,
  'oneway;\n    }',
  'oneway;',
  at('17:1', "expected '}' at the end of protocol 'Parcel', found the end of the text")
)
test(
  'text behind the protocol',
  refused,
  'oneway;\n    }',
  'oneway;\n    } }',
  at('17:7', "expected nothing after the protocol, found '}'")
)
test(
  'an annotation without brackets',
  refused,
  '@namespace("shop.parcel")',
  '@namespace "shop.parcel"',
  at('8:16', `expected '(' after '@namespace', found '"shop.parcel"'`)
)
test(
  'a key that says a value',
  refused,
  'string sku;',
  '@key("sku") string sku;',
  at('10:25', "'@key' takes no value; expected none")
)
test(
  'a key in front of a record',
  refused,
  'record ParcelSent',
  '@key record ParcelSent',
  at('12:7', "'@key' cannot stand here; expected it in front of a field of a record")
)
test(
  'a key inside a type',
  refused,
  'array<Item>',
  'array<@key Item>',
  at('11:44', "'@key' cannot stand here; expected it in front of a field of a record")
)
test(
  'a second key',
  refused,
  'string sku; int',
  '@key string sku; @key int',
  at('10:38', "'Item' has a second key 'quantity'; its key is 'sku'; expected '@key' in front of one field")
)
test(
  'a key that may be null',
  refused,
  'string sku;',
  '@key string? sku;',
  at('10:21', "the key 'sku' of 'Item' is 'union'; expected 'string', which is always there")
)
test(
  'a default that is no JSON',
  refused,
  'note = null',
  'note = nothing',
  at('11:87', "expected the default of field 'note' as JSON, found 'nothing'")
)
test(
  'a default of another type',
  refused,
  'note = null',
  'note = "none"',
  at('11:87', `default "none" does not fit field 'note'; expected a value of the first type of the union`)
)
test(
  'an import',
  refused,
  'record Item',
  'import idl "other.avdl"; record Item',
  at('10:7', "'import' is not supported")
)
test('a fixed', refused, 'record Item', 'fixed Id(16); record Item', at('10:7', "'fixed' is not supported; use bytes"))
test(
  'a type that is declared inside a field',
  refused,
  'string sku;',
  'record Sku { string code; } sku;',
  at('10:21', "'record' cannot be declared here; declare it beside the other types, and use its name")
)
test('an unknown type', refused, 'int quantity', 'itn quantity', at('10:33', "unknown type 'itn'; did you mean 'int'?"))
test(
  'a type name with dots',
  refused,
  'error NoRoom { string id; }',
  'error NoRoom { string id; } record box.of { }',
  at('13:42', "type name 'box.of' is refused; expected letters, digits or '_'")
)
test(
  'a type with a namespace of its own',
  refused,
  'error NoRoom',
  '@namespace("other") error NoRoom',
  at('13:33', "type 'NoRoom' has a namespace; expected it to be in that of its protocol")
)
test(
  'a type that is declared twice',
  refused,
  'record ParcelSent { string id; }',
  'record ParcelSent { string id; } enum Item { A }',
  at('12:45', "type 'Item' is declared twice; expected each name once")
)
test(
  'a field that is declared twice',
  refused,
  'string sku; int',
  'string quantity; int',
  at('10:42', "field 'quantity' is declared twice; expected each name once")
)
test(
  'a field that would change the prototype',
  refused,
  'string sku',
  'string __proto__',
  at('10:28', "field name '__proto__' is refused; expected letters, digits and '_'")
)
test(
  'a message that is declared twice',
  refused,
  'void parcelLost',
  'void sendParcel',
  at('16:12', "message 'sendParcel' is declared twice; expected each name once")
)
test(
  'a union of two records',
  refused,
  'union { null, string } note = null',
  'union { null, ParcelSent, NoRoom } note = null',
  at(
    '11:83',
    "a union cannot hold both 'ParcelSent' and 'NoRoom', since their values look alike; expected a field for each"
  )
)
test(
  'a record that holds itself',
  refused,
  'string sku;',
  'string sku; array<Item> parts;',
  at('10:33', "'Item' holds itself through field 'parts'; expected a type that ends")
)
test(
  'a default that is no symbol',
  refused,
  'record Item',
  'enum Size { SMALL, LARGE } = LARG; record Item',
  at('10:36', "default 'LARG' is no symbol of 'Size'; did you mean 'LARGE'?")
)
test(
  'an unknown command record',
  refused,
  'sendParcel(SendParcel',
  'sendParcel(SendParcels',
  at('14:29', "unknown record 'SendParcels'; did you mean 'SendParcel'?")
)
test(
  'an unknown response',
  refused,
  'ParcelSent sendParcel',
  'ParcelSend sendParcel',
  at('14:7', "unknown record 'ParcelSend'; did you mean 'ParcelSent'?")
)
test(
  'a response that is no record',
  refused,
  'ParcelSent sendParcel',
  'string sendParcel',
  at('14:7', "the response of 'sendParcel' is 'string'; expected a record")
)
test(
  'a response that is a list',
  refused,
  'ParcelSent sendParcel',
  'array<ParcelSent> sendParcel',
  at('14:7', "the response of 'sendParcel' is 'array'; expected a record")
)
test(
  'a response that is an error',
  refused,
  'ParcelSent sendParcel',
  'NoRoom sendParcel',
  at('14:7', "the response of 'sendParcel' is the error 'NoRoom'; expected a record")
)
test(
  'an operation without a reply',
  refused,
  'ParcelSent sendParcel',
  'void sendParcel',
  at('14:7', "operation 'sendParcel' has no reply; expected a record, or 'oneway' behind an event")
)
test(
  'a record behind throws',
  refused,
  'throws NoRoom',
  'throws ParcelLost',
  at('14:56', "what is behind 'throws' is the record 'ParcelLost'; expected an error")
)
test(
  'a command of two operations',
  refused,
  'void parcelLost(ParcelLost event) oneway',
  'ParcelSent sendAgain(SendParcel command)',
  at('16:28', "command 'SendParcel' belongs to 'sendParcel' already; expected a record of its own for 'sendAgain'")
)
test(
  'a message without a parameter',
  refused,
  'parcelLost(ParcelLost event)',
  'parcelLost()',
  at('16:12', "message 'parcelLost' has 0 parameters; expected one, a record")
)
test(
  'a one-way message with a response',
  refused,
  'void parcelLost',
  'ParcelSent parcelLost',
  at('16:7', "one-way message 'parcelLost' has a response; expected 'void'")
)
test(
  'a one-way message with errors',
  refused,
  'event) oneway',
  'event) throws NoRoom oneway',
  at('16:48', "one-way message 'parcelLost' has errors; expected none")
)

test('places are right whatever the indent, the blank lines and the line ends', (t) => {
  const deep = changed('    @namespace', '\n\n    // a comment\n    @namespace').replace('array<Item>', 'array<Itme>')
  t.regex(problemsOf(deep)[0]!, /^parcel\.yaml:14:44 /)
  t.regex(problemsOf(deep.replaceAll('\n', '\r\n'))[0]!, /^parcel\.yaml:14:44 /)
  const wide = changed('array<Item>', 'array<Itme>').replaceAll(/^ {4}/gm, '          ')
  t.regex(problemsOf(wide)[0]!, /^parcel\.yaml:11:50 /)
})

test('in a text that is no literal block the place is its beginning', (t) => {
  const text = changed('contract: |', 'contract: >').replace('array<Item>', 'array<Itme>')
  t.regex(problemsOf(text)[0]!, /^parcel\.yaml:7:13 spec\.contract: unknown type 'Itme'/)
})
