import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { learnSchemas, makeCodec, readProtocolText, type SchemaRegistry } from '../../src/contract/index.ts'

const schemaOf = (record: string, name: string): Readonly<Record<string, unknown>> =>
  readProtocolText(`@namespace("shop") protocol Shop { ${record} }`).records.get(name)!.schema

const current = schemaOf('record Item { string sku; int quantity; }', 'Item')
const foreign = schemaOf('record Foreign { int n; }', 'Foreign')
const refused = schemaOf('record Item { string sku; }', 'Item')

/** A value of `Foreign { n: 5 }` under this id. */
const valueOf = (id: number): Uint8Array => Buffer.of(0, 0, 0, 0, id, 10)

const asked = (answer: (id: number) => Readonly<Record<string, unknown>>): Pick<SchemaRegistry, 'schema'> => ({
  schema: async (id) => answer(id)
})

const learn = async (answer: (id: number) => Readonly<Record<string, unknown>>, ...ids: number[]) => {
  const codec = makeCodec([{ fullName: 'shop.Item', schema: current, id: 1 }])
  const learning = learnSchemas(codec, asked(answer), ids.map(valueOf))
  const error: unknown = await learning!.then(
    () => undefined,
    (rejected: unknown) => rejected
  )
  return { codec, error }
}

const failing = (code: ConstructorParameters<typeof ParcomoloError>[0], retryable = false): never => {
  throw new ParcomoloError(code, 'no', { retryable })
}

test('a schema that there is not, and one that is none, hide no other and are left to decode', async (t) => {
  const answer = (id: number): Readonly<Record<string, unknown>> => {
    if (id === 7) return failing('PARCOMOLO_REGISTRY_UNKNOWN_ID')
    return id === 8 ? failing('PARCOMOLO_REGISTRY_INVALID_SCHEMA') : foreign
  }
  const { codec, error } = await learn(answer, 7, 8, 9)
  t.is(error, undefined)
  t.deepEqual(codec.decode(valueOf(9)).value, { n: 5 })
  t.throws(() => codec.decode(valueOf(7)), { code: 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA', message: 'no' })
  t.throws(() => codec.decode(valueOf(8)), { code: 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED', message: 'no' })
})

test('the reasons of as many ids as a stranger likes are not kept for ever', async (t) => {
  const { codec } = await learn(() => failing('PARCOMOLO_REGISTRY_UNKNOWN_ID'), 7)
  for (let id = 1_000; id < 2_000; id++) codec.refuse(id, new ParcomoloError('PARCOMOLO_REGISTRY_UNKNOWN_ID', 'no'))
  t.throws(() => codec.decode(valueOf(7)), { message: /^unknown schema id '7'; expected/ })
})

test('a schema that today cannot read is refused when a value turns up, with the reason', async (t) => {
  const { codec, error } = await learn((id) => (id === 7 ? refused : foreign), 7, 9)
  t.is(error, undefined)
  t.throws(() => codec.decode(valueOf(7)), { code: 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED', message: /quantity/ })
  t.is(codec.decode(valueOf(9)).type, 'Foreign')
})

test('a registry that cannot be reached for one schema is told when the others are learnt', async (t) => {
  const answer = (id: number) => (id === 7 ? failing('PARCOMOLO_REGISTRY_UNAVAILABLE', true) : foreign)
  const { codec, error } = await learn(answer, 7, 9)
  t.like(error, { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE', retryable: true })
  t.is(codec.decode(valueOf(9)).type, 'Foreign')
})
