import test from 'ava'
import { generateResources } from '../../../src/operator/crd/index.ts'
import { resourceDefinition } from '../../../src/operator/crd/resource-definition.ts'
import { resourceKinds } from '../../../src/operator/crd/resource-kinds.ts'
import type { Map } from './corpus.ts'

type Place = { readonly path: string; readonly schema: Map }

const schemas: readonly Place[] = resourceKinds.flatMap((kind) => {
  const { spec } = resourceDefinition(kind) as { spec: { versions: { schema: { openAPIV3Schema: Map } }[] } }
  return placesIn({ path: kind.names.kind, schema: spec.versions[0]!.schema.openAPIV3Schema })
})

/** A schema and all that it is made of. */
function placesIn(place: Place): Place[] {
  const { path, schema } = place
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Map>)
  const items = schema['items'] as Map | undefined
  const values = schema['additionalProperties'] as Map | undefined
  return [
    place,
    ...properties.flatMap(([name, field]) => placesIn({ path: `${path}.${name}`, schema: field })),
    ...(items === undefined ? [] : placesIn({ path: `${path}[]`, schema: items })),
    ...(values === undefined ? [] : placesIn({ path: `${path}{}`, schema: values }))
  ]
}

const pathsWhere = (test: (schema: Map) => boolean): string[] =>
  schemas.filter(({ schema }) => test(schema)).map(({ path }) => path)

test('every text, list and map of a resource has a bound', (t) => {
  t.true(schemas.length > 200)
  const isOpen = ({ type, maxLength, format, ...schema }: Map): boolean =>
    type === 'string' && maxLength === undefined && schema['enum'] === undefined && format === undefined
  t.deepEqual(pathsWhere(isOpen), ['Saga.apiVersion', 'Saga.kind', 'Participant.apiVersion', 'Participant.kind'])
  t.deepEqual(
    pathsWhere(({ type, maxItems }) => type === 'array' && maxItems === undefined),
    []
  )
  t.deepEqual(
    pathsWhere(
      ({ additionalProperties, maxProperties }) => additionalProperties !== undefined && maxProperties === undefined
    ),
    []
  )
})

test('every rule of a resource says what is wrong, and why in a word', (t) => {
  const rules = schemas.flatMap(({ schema }) => (schema['x-kubernetes-validations'] ?? []) as Map[])
  t.true(rules.length > 20)
  for (const { rule, message, reason } of rules) {
    t.true(typeof message === 'string' && message.length < 250 && !message.includes('\n'), String(rule))
    t.regex(String(reason), /^FieldValue(Invalid|Forbidden|Required)$/)
  }
})

test('a definition is small enough for an ordinary kubectl apply, which keeps a copy in an annotation', (t) => {
  for (const kind of resourceKinds) t.true(JSON.stringify(resourceDefinition(kind)).length < 128_000, kind.names.kind)
})

test('no word stands in a definition that kubectl would take for true or false', (t) => {
  const bare = /^\s*(- )?(y|n|yes|no|on|off|true|false):|: (y|n|yes|no|on|off)$/im
  for (const { path, text } of generateResources()) if (path.endsWith('.yaml')) t.notRegex(text, bare, path)
})
