import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import test from 'ava'
import { parse } from 'yaml'
import { plainManifests, resourcesIn } from './plain-manifests.ts'
import { schemaOf, type Value } from './values-schema.ts'
import { tablesOf } from './values-table.ts'
import { remarksIn } from './values-text.ts'
import { variants } from './variants.ts'

const folder = join(import.meta.dirname, '../../charts/parcomolo')
const text = await readFile(join(folder, 'values.yaml'), 'utf8')
const values = parse(text) as { readonly [key: string]: Value }
const schema = JSON.parse(await readFile(join(folder, 'values.schema.json'), 'utf8')) as object
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

test('the chart accepts its own values', (t) => {
  t.true(validate(values), JSON.stringify(validate.errors))
})

for (const [name, own] of Object.entries(variants))
  test(`the schema accepts what is special in: ${name}`, (t) => {
    t.true(validate(own), JSON.stringify(validate.errors))
  })

test('a name that is mistyped is refused wherever a value has names of its own', (t) => {
  const accepted = closedObjects(values).filter((path) => validate(nested([...path, 'mistyped'], true)))
  t.deepEqual(accepted, [])
  t.true(closedObjects(values).length > 20)
})

const wrongValues: readonly Value[] = [
  { flow: 'orchestra' },
  { partitions: 0 },
  { partitions: '12' },
  { logLevel: 'trace' },
  { image: { digest: 'sha256:12' } },
  { order: { replicas: -1 } },
  { kafka: { brokers: ['kafka'] } },
  { kafka: { sasl: { mechanism: 'gssapi' } } },
  { kafka: { sessionTimeout: '6' } },
  { registry: { url: 'https://user:password@registry' } },
  { view: { service: { port: 70_000 } } },
  { view: { ingress: { pathType: 'Regex' } } },
  { view: { service: { nodePort: 0 } } },
  { global: { imageRegistry: 'https://mirror' } },
  { payment: { extraVolumes: ['scratch'] } },
  { keda: { roles: ['orchestrator'] } }
]

for (const wrong of wrongValues)
  test(`the schema refuses ${JSON.stringify(wrong)}`, (t) => {
    t.false(validate(wrong))
  })

test('each value says what it means', (t) => {
  const rows = tablesOf(values, remarksIn(text)).split('\n')
  const silent = rows.filter((row) => /\| *\|$/.test(row))
  t.deepEqual(silent, [])
})

test('a comment belongs to the key under it, and its lines with @ to the schema', (t) => {
  const yaml = [
    '# Of nothing.',
    '',
    'a:',
    '  # How many.',
    '  # At least one.',
    '  # @minimum 1',
    '  b: 2',
    '  c: 3'
  ].join('\n')
  const remarks = remarksIn(yaml)
  t.is(remarks.of('a').text, '')
  t.is(remarks.of('a.b').text, 'How many. At least one.')
  t.deepEqual(schemaOf(parse(yaml) as Value, remarks)['properties'], {
    a: {
      type: 'object',
      additionalProperties: false,
      properties: {
        b: { description: 'How many. At least one.', type: 'integer', minimum: 1 },
        c: { type: 'integer' }
      }
    }
  })
})

test('the plain manifests say nothing of Helm, and name their namespace', (t) => {
  const metadata =
    "{ name: a, labels: { helm.sh/chart: parcomolo-0.1.0, app.kubernetes.io/managed-by: Helm, b: 'on' } }"
  const [own, role, clusterRole] = resourcesIn(
    plainManifests(`kind: Role\nmetadata: ${metadata}\n---\nkind: ClusterRole\nmetadata: ${metadata}\n`)
  )
  t.is(own!.kind, 'Namespace')
  t.deepEqual(role!.metadata, { name: 'a', namespace: 'parcomolo', labels: { b: 'on' } })
  t.deepEqual(clusterRole!.metadata, { name: 'a', labels: { b: 'on' } })
})

test('the example of a participant has the contract and the saga that the one in Python is tested with', async (t) => {
  const root = join(import.meta.dirname, '../..')
  for (const name of ['participant.yaml', 'saga.yaml']) {
    const [example, tested] = ['manifests/loyalty', 'test/foreign/loyalty'].map((place) => join(root, place, name))
    t.is(await readFile(example!, 'utf8'), await readFile(tested!, 'utf8'))
  }
})

/** Paths of the objects whose names are the chart's own. */
const closedObjects = (value: Value, path: readonly string[] = []): (readonly string[])[] => {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  const { asks } = remarksIn(text).of(path.join('.'))
  if (!isMap || asks.has('open') || asks.has('more') || path.at(-1) === 'resources') return []
  return [path, ...Object.entries(value).flatMap(([key, inner]) => closedObjects(inner as Value, [...path, key]))]
}

const nested = (path: readonly string[], leaf: Value): Value =>
  path.reduceRight<Value>((inner, key) => ({ [key]: inner }), leaf)
