import { readFileSync } from 'node:fs'
import avro from 'avsc'
import test from 'ava'
import fc from 'fast-check'
import { readContract, readProtocolText } from '../../src/contract/index.ts'
import { serviceNames } from '../helpers/shop-parts.ts'

/**
 * The judge is avsc, which reads IDL by itself: every record has to be the same to it, defaults, docs and annotations
 * included.
 * Errors are written as records here, so that difference is levelled.
 */
const sameToAvsc = (idl: string): [ours: unknown, theirs: unknown] => {
  const { records } = readProtocolText(idl)
  // To Avro an annotation has a value, and stands in front of the field's name.
  const service = avro.Service.forProtocol(avro.readProtocol(idl.replaceAll(/@key (\w+)/g, '$1 @key(true)')))
  const text = (type: avro.Type): unknown =>
    JSON.parse(JSON.stringify(type.schema({ exportAttrs: true })).replaceAll('"type":"error"', '"type":"record"'))
  const ours = [...records.values()].map(({ schema }) => text(avro.Type.forSchema(schema as never)))
  const theirs = [...records.values()].map(({ fullName }) => text(service.type(fullName)!))
  return [ours, theirs]
}

for (const name of serviceNames) {
  test(`the records of ${name} are to Avro what they are here`, (t) => {
    const path = new URL(`../../sagas/participants/${name}.yaml`, import.meta.url)
    const yaml = readFileSync(path, 'utf8')
    const idl = yaml.slice(yaml.indexOf('@namespace'))
    const [ours, theirs] = sameToAvsc(idl)
    t.deepEqual(ours, theirs)
    t.is(readContract({ path: name, text: yaml }).records.size, (ours as unknown[]).length)
  })
}

test('a key is to Avro an attribute of its field, and is found again in the schema', (t) => {
  const idl = `@namespace("a.b") protocol Keyed {
    record One { int a; /** Its id. */ @key uuid id; }
    error Two { string @key id; }
    record Three { string id; }
  }`
  const [ours, theirs] = sameToAvsc(idl.replace('string @key id', '@key string id').replace('uuid', 'string'))
  t.deepEqual(ours, theirs)
  const { records } = readProtocolText(idl)
  t.deepEqual(
    [...records.values()].map(({ key }) => key),
    ['id', 'id', undefined]
  )
  t.like(records.get('One')!.schema, { fields: [{ name: 'a' }, { name: 'id', doc: 'Its id.', key: true }] })
})

test('docs, annotations, enums, maps, logical types and defaults are to Avro what they are here', (t) => {
  const [ours, theirs] = sameToAvsc(`
    /** All of it. */
    @namespace("a.b") @version("1")
    protocol All {
      /** A size.
       * In two lines. */
      enum Size { SMALL, LARGE } = SMALL;
      @aliases(["Old"])
      record Moved { int a; };
      // A comment, then one more. /* not open */
      record Full {
        /** Its id. */ string id;
        Size size = "LARGE"; map<array<Moved>> moved = {}; union { null, Moved, string } pick = null;
        union { string, null } label = "a;}b"; double rate = -1.5e3; array<int> list = [1, 2];
        boolean on = true; bytes raw = "\\u00ff"; date day; timestamp_ms at; float f = 0;
        @order("ignore") long \`order\`;
        string @aliases(["former"]) renamed = "";
      }
      error Bad { string why; map<union { null, long }> counts; }
    }`)
  t.deepEqual(ours, theirs)
})

const nameOf = fc
  .stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
  .filter((name) => !/^(array|map|union|throws|oneway)$/.test(name))
const simpleType = fc.constantFrom('int', 'long', 'string', 'boolean', 'double', 'float', 'bytes', 'T0', 'T1')
const typeText = fc.oneof(
  simpleType,
  simpleType.map((type) => `array<${type}>`),
  simpleType.map((type) => `map<array<${type}>>`),
  simpleType.map((type) => `union { null, ${type} }`)
)
const blank = fc.constantFrom(' ', '\n', '\t ', ' /* c */ ', ' // c\n', '\r\n')
const fieldText = fc.tuple(typeText, nameOf, blank, blank)

test('random records are to Avro what they are here', (t) => {
  const fieldsOf = fc.uniqueArray(fieldText, { maxLength: 6, selector: ([, name]) => name })
  fc.assert(
    fc.property(fc.array(fieldsOf, { minLength: 1, maxLength: 4 }), (records) => {
      const texts = records.map((fields, i) => {
        const lines = fields.map(([type, name, a, b]) => `${a}${type}${b}${name}${a};`)
        return `${i % 2 === 0 ? 'record' : 'error'} R${i} {${lines.join('')}}`
      })
      const idl = `@namespace("x.y") protocol P { record T0 { int a; } record T1 { T0 t; } ${texts.join('\n')} }`
      const [ours, theirs] = sameToAvsc(idl)
      t.deepEqual(ours, theirs)
    }),
    { numRuns: 60 }
  )
})

test('whatever text is given, reading ends with a protocol or with problems that have a place', (t) => {
  const sound = '@namespace("x") protocol P { record A { int a = 1; } enum E { X } A m(A a) throws B; /** d */ }'
  const damage = fc.tuple(
    fc.nat(sound.length),
    fc.nat(6),
    fc.constantFrom('', '{', '"', '/*', '@', '<', ';', '=', '`', 'é')
  )
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
      let text = sound
      for (const [at, length, put] of damages) text = text.slice(0, at) + put + text.slice(at + length)
      try {
        readProtocolText(text, 'p.avdl')
      } catch (error) {
        for (const line of (error as Error).message.split('\n')) t.regex(line, /^p\.avdl:\d+:\d+ \S/)
        t.like(error, { code: 'PARCOMOLO_CONTRACT_INVALID' })
      }
    }),
    { numRuns: 300 }
  )
})

test('a protocol in code names the place within its text', (t) => {
  const error = t.throws(() =>
    readProtocolText('@namespace("x")\nprotocol P {\n  record A { strnig a; }\n}', 'saga-events')
  )
  t.is(error?.message, "saga-events:3:14 unknown type 'strnig'; did you mean 'string'?")
})
