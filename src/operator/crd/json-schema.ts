import { describe } from './describe.ts'
import type {
  ConditionType,
  EitherType,
  Exclusion,
  Field,
  FlagType,
  ListType,
  NumberType,
  OrWordType,
  RecordType,
  TextType,
  Type,
  ValuesType
} from './field-types.ts'
import { metadataFields } from './metadata-fields.ts'
import type { ResourceKind } from './resource-kinds.ts'
import { apiVersion } from './resources.ts'

/** A schema as editors take it: JSON Schema 2020-12. */
export type JsonSchema = { readonly [key: string]: unknown }

/** The parts that have a name, as they are met. */
type Definitions = Map<string, JsonSchema>

/**
 * The schema of a kind's files. It refuses nothing that the loader takes, and much of what the loader refuses; of
 * names, types and expressions the loader alone knows.
 */
export const jsonSchema = (kind: ResourceKind): JsonSchema => {
  const definitions: Definitions = new Map()
  const properties = {
    apiVersion: { const: apiVersion, description: `Always ${apiVersion}.` },
    kind: { const: kind.names.kind, description: `Always ${kind.names.kind}.` },
    metadata: metadataSchema(kind, definitions),
    spec: { description: kind.specDescription, ...schemaOf(kind.spec, definitions) },
    status: { description: `Written by Kubernetes. ${kind.statusDescription}` }
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: kind.names.kind,
    description: kind.description,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties,
    additionalProperties: false,
    $defs: Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

const metadataSchema = ({ name }: ResourceKind, definitions: Definitions): JsonSchema => ({
  description: 'How it is called.',
  type: 'object',
  required: ['name'],
  properties: {
    name: fieldSchema(name, definitions),
    ...Object.fromEntries(Object.entries(metadataFields).map(([key, description]) => [key, { description }]))
  },
  additionalProperties: false
})

const fieldSchema = (field: Field, definitions: Definitions): JsonSchema => ({
  description: describe(field),
  ...schemaOf(field.type, definitions),
  ...(field.default !== undefined && { default: field.default })
})

const schemaOf = (type: Type, definitions: Definitions): JsonSchema =>
  (makers[type.kind] as (type: Type, definitions: Definitions) => JsonSchema)(type, definitions)

/** Written once, and referred to from then on: also from within itself. */
const named = (name: string | undefined, definitions: Definitions, make: () => JsonSchema): JsonSchema => {
  if (name === undefined) return make()
  if (!definitions.has(name)) {
    definitions.set(name, {})
    definitions.set(name, make())
  }
  return { $ref: `#/$defs/${name}` }
}

const textSchema = ({ pattern, charsMax, exact, except }: TextType): JsonSchema => ({
  type: 'string',
  ...(exact || pattern === undefined || !isWhole(pattern)
    ? { ...(pattern && { pattern: pattern.source }), maxLength: charsMax }
    : { pattern: withBlanks(pattern) }),
  ...(except && { not: { pattern: String.raw`^\s*${except.text}\s*$` } })
})

/** Says what all of a text is, not only some of it. */
const isWhole = ({ source }: RegExp): boolean => source.startsWith('^')

/** The loader takes blanks around a name, as a block in YAML has them. */
const withBlanks = ({ source }: RegExp): string => String.raw`^\s*${source.slice(1, -1)}\s*$`

const numberSchema = ({ whole, min, max }: NumberType): JsonSchema => ({
  type: whole ? 'integer' : 'number',
  minimum: min,
  ...(max !== undefined && { maximum: max })
})

const flagSchema = ({ refusal }: FlagType): JsonSchema =>
  refusal === undefined ? { type: 'boolean' } : { const: false }

const conditionSchema = ({ charsMax }: ConditionType): JsonSchema => ({
  anyOf: [textOfExpression(charsMax), { type: 'boolean' }]
})

const textOfExpression = (charsMax: number): JsonSchema => ({
  type: 'string',
  pattern: String.raw`\S`,
  maxLength: charsMax
})

const valuesSchema = ({ fieldsMax, charsMax }: ValuesType, definitions: Definitions): JsonSchema => {
  const value = named('value', definitions, () => ({
    description: 'An expression in CEL, a number, true, false or null, or a record or list of such.',
    anyOf: [
      textOfExpression(charsMax),
      { type: ['number', 'boolean', 'null'] },
      { type: 'array', items: { $ref: '#/$defs/value' } },
      { $ref: '#/$defs/values' }
    ]
  }))
  return named('values', definitions, () => ({
    type: 'object',
    maxProperties: fieldsMax,
    additionalProperties: value
  }))
}

const listSchema = ({ items, itemsMin, itemsMax }: ListType, definitions: Definitions): JsonSchema => ({
  type: 'array',
  minItems: itemsMin,
  maxItems: itemsMax,
  items: schemaOf(items, definitions)
})

const recordSchema = ({ fields, exclusions = [] }: RecordType, definitions: Definitions): JsonSchema => {
  const required = Object.keys(fields).filter((name) => fields[name]!.required)
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, fieldSchema(field, definitions)])
    ),
    additionalProperties: false,
    ...(exclusions.length > 0 && { allOf: exclusions.map(exclusionSchema) })
  }
}

/** `if not … else`, since an object with a `then` could be taken for a promise. */
const exclusionSchema = ({ flag, field, unless }: Exclusion): JsonSchema => ({
  if: { not: { properties: { [flag]: { const: true } }, required: [flag] } },
  else: { properties: { [field]: unless === undefined ? false : { enum: unless } } }
})

const orWordSchema = ({ record, word }: OrWordType, definitions: Definitions): JsonSchema => ({
  anyOf: [schemaOf(record, definitions), { const: word }]
})

const eitherSchema = ({ of }: EitherType, definitions: Definitions): JsonSchema => ({
  anyOf: of.map(({ record }) => schemaOf(record, definitions))
})

const makers: {
  readonly [K in Type['kind']]: (type: Extract<Type, { kind: K }>, definitions: Definitions) => JsonSchema
} = {
  text: textSchema,
  word: ({ of }) => ({ enum: of }),
  number: numberSchema,
  flag: flagSchema,
  condition: conditionSchema,
  values: valuesSchema,
  list: listSchema,
  record: (type, definitions) => named(type.name, definitions, () => recordSchema(type, definitions)),
  'or word': orWordSchema,
  either: (type, definitions) => named(type.name, definitions, () => eitherSchema(type, definitions))
}
