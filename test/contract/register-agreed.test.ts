import test, { type ExecutionContext } from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { type Contract, readProtocolText, registerAgreed, registerContracts } from '../../src/contract/index.ts'
import { recordOfSchema } from '../../src/contract/record-of-schema.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { newFolder } from '../log/folder.ts'

const participant = (name: string, body: string): Contract => ({
  participant: name,
  inbox: `${name}-commands`,
  events: `${name}-events`,
  ...readProtocolText(`@namespace("shop.${name}") protocol P { ${body} }`)
})

const before = `enum Kind { A, B } record Line { string sku; Kind kind; map<int> sizes; }
  record Reserve { array<Line> lines; union { null, long } n = null; } record Reserved { string id; long left; }
  error Short { string id; } Reserved reserve(Reserve command) throws Short;`
const after = `enum Kind { A } record Line { string sku; Kind kind; map<int> sizes; }
  record Reserve { array<Line> lines; union { null, long } n = null; } record Reserved { string id; int left; }
  error Short { string id; string why; } error Closed { string id; }
  Reserved reserve(Reserve command) throws Short, Closed;
  record Other { string id; } record Done { string id; } Done other(Other command);`

const registered = async (t: ExecutionContext, ...contracts: Contract[]) => {
  const registry = await openEmbeddedRegistry(newFolder(t))
  t.teardown(() => registry.close())
  await registerContracts(registry, contracts)
  return registry
}

test('a contract that is refused concerns nobody else, and what was registered of it stays', async (t) => {
  const registry = await registered(t, participant('stock', before))
  const [stock, travel] = [participant('stock', after), participant('travel', before)]
  const { codec, contracts, refused } = await registerAgreed(registry, [stock, travel], [])
  t.deepEqual(
    contracts.map((contract) => contract.participant),
    ['stock', 'travel']
  )
  t.is(contracts[1], travel)
  const was = participant('stock', before)
  for (const name of ['Reserve', 'Reserved', 'Short'])
    t.deepEqual(contracts[0]!.records.get(name), was.records.get(name))
  t.deepEqual([...contracts[0]!.operations.keys()], ['Reserve'])
  t.deepEqual(contracts[0]!.operations.get('Reserve')!.rejections, ['Short'])
  t.deepEqual([...contracts[0]!.emits], ['Reserved', 'Short'])
  t.notThrows(() => codec.encode('shop.stock.Reserved', { id: 'a', left: 2 ** 40 }))
  t.deepEqual(await registry.versions('stock-events-shop.stock.Closed'), [], 'nothing of it is registered')
  t.deepEqual(
    refused.map(({ contract, error }) => [contract.participant, error.code, error.message.split('\n').length]),
    [['stock', 'PARCOMOLO_REGISTRY_INCOMPATIBLE', 3]],
    'every record that is refused is told at once'
  )
})

test('a contract that is refused and of which nothing is registered is left out', async (t) => {
  const registry = await registered(t)
  const check = (): Promise<never> => Promise.reject(new ParcomoloError('PARCOMOLO_REGISTRY_INVALID_SCHEMA', 'no'))
  const { contracts, refused } = await registerAgreed({ ...registry, check }, [participant('stock', before)], [])
  t.deepEqual([contracts.length, refused.length], [0, 1])
})

test('a registry that cannot be asked refuses nothing: the whole is tried again', async (t) => {
  const registry = await registered(t)
  const away = new Error('away')
  const asked = registerAgreed({ ...registry, check: () => Promise.reject(away) }, [participant('stock', before)], [])
  t.is(await t.throwsAsync(asked), away)
})

test('a record is read back from its schema as the contract has it', (t) => {
  const keyed = 'record Set { int a; @key string sku; } void set(Set event) oneway;'
  for (const body of [before, keyed])
    for (const record of participant('stock', body).records.values()) t.deepEqual(recordOfSchema(record.schema), record)
})

test('a schema that no contract could have is no record', (t) => {
  const record = (type: unknown): Record<string, unknown> => ({
    type: 'record',
    name: 'a.R',
    fields: [{ name: 'f', type }]
  })
  t.is(recordOfSchema({ type: 'string' }), undefined)
  for (const type of [
    'a.R',
    'R',
    'Other',
    { type: 'fixed', name: 'F', size: 2 },
    { type: 'array', items: 'R' },
    ['null', 'R'],
    7
  ])
    t.is(recordOfSchema(record(type)), undefined)
  t.like(recordOfSchema(record({ type: 'string', logicalType: 'uuid' })), { name: 'R', fullName: 'a.R' })
  t.like(recordOfSchema({ ...record('int'), name: 'R' }), { name: 'R', fullName: 'R' })
})
