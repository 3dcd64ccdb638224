import { sagaLimits } from '../../saga/index.ts'
import { describe } from './describe.ts'
import type {
  ConditionType,
  EitherType,
  Exclusion,
  Field,
  Fields,
  FlagType,
  ListType,
  NumberType,
  OrWordType,
  RecordType,
  Rule,
  TextType,
  Type,
  ValuesType
} from './field-types.ts'

/** A schema as the API server takes it: structural, so it cannot name its own parts, and a value has one type. */
export type Schema = { readonly [key: string]: unknown }

/**
 * Where in a resource: how many values there can be of this schema, which the API server multiplies the cost of a rule
 * by, and how many lists stand around that may hold such a list again.
 */
type Place = { readonly valuesMax: number; readonly nesting: number }

/** Rules stand only where there are no more values than this; of all rules the API server bounds the estimated cost. */
const ruledValuesMax = 200_000

/** Lists that nest are written out to this depth; below it the operator alone looks. Each level doubles the schema. */
const nestingMax = Math.min(2, sagaLimits.nesting.value)

const unknown = { 'x-kubernetes-preserve-unknown-fields': true }

export const structuralSchema = (type: Type): Schema => schemaOf(type, { valuesMax: 1, nesting: 0 })

const schemaOf = (type: Type, place: Place): Schema =>
  (makers[type.kind] as (type: Type, place: Place) => Schema)(type, place)

/** The API server's own way to write a rule. */
const validations = (rules: readonly Rule[], { valuesMax }: Place): Schema => {
  if (rules.length === 0 || valuesMax > ruledValuesMax) return {}
  const written = rules.map(({ rule, message, reason, at }) => ({
    rule,
    message,
    reason,
    ...(at === undefined ? {} : { fieldPath: `.${at}` })
  }))
  return { 'x-kubernetes-validations': written }
}

const textSchema = ({ charsMax, pattern, format, except }: TextType, place: Place): Schema => ({
  type: 'string',
  maxLength: charsMax,
  ...(pattern && { pattern: pattern.source }),
  ...(format && { format }),
  ...(except &&
    validations([{ rule: `self != '${except.text}'`, message: except.message, reason: 'FieldValueInvalid' }], place))
})

const numberSchema = ({ whole, min, max }: NumberType): Schema => ({
  type: whole ? 'integer' : 'number',
  ...(max === undefined && { format: 'int64' }),
  minimum: min,
  ...(max !== undefined && { maximum: max })
})

const flagSchema = ({ refusal }: FlagType, place: Place): Schema => {
  if (refusal === undefined) return { type: 'boolean' }
  const rules = validations([{ rule: '!self', message: refusal, reason: 'FieldValueForbidden' }], place)
  return 'x-kubernetes-validations' in rules ? { type: 'boolean', ...rules } : { type: 'boolean', enum: [false] }
}

const valuesSchema = ({ fieldsMax, charsMax }: ValuesType): Schema => ({
  type: 'object',
  maxProperties: fieldsMax,
  additionalProperties: { ...unknown, nullable: true, maxLength: charsMax }
})

const listSchema = (type: ListType, place: Place): Schema => {
  const { itemsMin, itemsMax, mapKey, nests = false, rules = [] } = type
  const inside = { valuesMax: place.valuesMax * itemsMax, nesting: place.nesting + (nests ? 1 : 0) }
  return {
    type: 'array',
    ...(itemsMin > 0 && { minItems: itemsMin }),
    maxItems: itemsMax,
    'x-kubernetes-list-type': mapKey === undefined ? 'atomic' : 'map',
    ...(mapKey !== undefined && { 'x-kubernetes-list-map-keys': [mapKey] }),
    items: inside.nesting > nestingMax ? { type: 'object', ...unknown } : schemaOf(type.items, inside),
    // Such a rule compares each item with each other one.
    ...validations(rules, { ...place, valuesMax: inside.valuesMax * itemsMax })
  }
}

const recordSchema = ({ fields, rules = [], exclusions = [] }: RecordType, place: Place): Schema => {
  const required = requiredOf(fields)
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: propertiesOf(fields, place),
    ...validations([...aliasRules(fields), ...exclusions.map((each) => exclusionRule(each, fields)), ...rules], place)
  }
}

/** Without a type the API server lets both pass: a record, whose fields it checks, and the word. */
const orWordSchema = ({ record, word }: OrWordType, place: Place): Schema => ({
  ...unknown,
  pattern: `^${word}$`,
  maxProperties: Object.keys(record.fields).length,
  required: requiredOf(record.fields),
  properties: propertiesOf(record.fields, place)
})

/** One record with the fields of all, and rules that tell the records apart. */
const eitherSchema = ({ of, message }: EitherType, place: Place): Schema => {
  const fields = Object.assign({}, ...of.map(({ record }) => record.fields)) as Fields
  const keys = of.map(({ key }) => `has(self.${key})`)
  const one: Rule = {
    rule: `[${keys.join(', ')}].exists_one(x, x)`,
    message,
    reason: 'FieldValueInvalid'
  }
  const rules = of.flatMap(({ key, record }) => [
    ...missingRules(key, record),
    ...strangerRules(key, record, fields, message),
    ...(record.exclusions ?? []).map((each) => exclusionRule(each, fields))
  ])
  return { type: 'object', properties: propertiesOf(fields, place), ...validations([one, ...rules], place) }
}

const missingRules = (key: string, { what = 'a record', fields }: RecordType): Rule[] =>
  requiredOf(fields)
    .filter((field) => field !== key)
    .map((field) => ({
      rule: `!has(self.${key}) || has(self.${field})`,
      message: `'${field}' is missing; ${what} needs ${requiredOf(fields)
        .map((each) => `'${each}'`)
        .join(' and ')}`,
      reason: 'FieldValueRequired',
      at: field
    }))

/** A record that has nothing but its key cannot stand in one map with any other field. */
const strangerRules = (key: string, { fields }: RecordType, all: Fields, message: string): Rule[] => {
  if (Object.keys(fields).length > 1) return []
  const strangers = Object.entries(all)
    .filter(([name]) => !(name in fields))
    .map(([name, field]) => present(name, field))
  return [{ rule: `!has(self.${key}) || !(${strangers.join(' || ')})`, message, reason: 'FieldValueForbidden' }]
}

const exclusionRule = ({ flag, field, unless = [], message }: Exclusion, fields: Fields): Rule => {
  const type = fields[field]!.type
  const value = isTyped(type) ? `self.${field}` : `dyn(self).${field}`
  const allowed = unless.map((word) => ` || ${value} == '${word}'`).join('')
  return {
    rule: `!has(self.${flag}) || !self.${flag} || !has(${value})${allowed}`,
    message,
    reason: 'FieldValueForbidden',
    at: field
  }
}

/** Rules cannot name a field without a type unless they go round the types. */
const present = (name: string, { type }: Field): string =>
  isTyped(type) ? `has(self.${name})` : `has(dyn(self).${name})`

const isTyped = ({ kind }: Type): boolean => kind !== 'or word' && kind !== 'condition' && kind !== 'values'

const aliasRules = (fields: Fields): Rule[] =>
  Object.entries(fields).flatMap(([name, { alias }]) =>
    alias === undefined
      ? []
      : {
          rule: `has(self.${name}) != has(self.__${alias}__)`,
          message: `'${name}' is needed, and only once; kubectl reads '${name}' without quotes as '${alias}', which is taken for it`,
          reason: 'FieldValueRequired' as const,
          at: name
        }
  )

const requiredOf = (fields: Fields): string[] =>
  Object.entries(fields)
    .filter(([, { required = false, alias }]) => required && alias === undefined)
    .map(([name]) => name)

const propertiesOf = (fields: Fields, place: Place): Schema =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const schema = { description: describe(field), ...fieldSchema(name, field, place) }
      if (field.alias === undefined) return [[name, schema]]
      return [
        [name, schema],
        [field.alias, { ...schema, description: `What kubectl and Helm make of '${name}' without quotes: the same.` }]
      ]
    })
  )

const fieldSchema = (name: string, { type, fixed }: Field, place: Place): Schema => {
  const schema = schemaOf(type, place)
  if (fixed === undefined) return schema
  const rule: Rule = { rule: 'self == oldSelf', message: `'${name}' ${fixed}`, reason: 'FieldValueForbidden' }
  return { ...schema, ...validations([rule], place) }
}

const conditionSchema = ({ charsMax }: ConditionType): Schema => ({
  ...unknown,
  pattern: String.raw`\S`,
  maxLength: charsMax
})

const makers: { readonly [K in Type['kind']]: (type: Extract<Type, { kind: K }>, place: Place) => Schema } = {
  text: textSchema,
  word: ({ of }) => ({ type: 'string', enum: of }),
  number: numberSchema,
  flag: flagSchema,
  condition: conditionSchema,
  values: valuesSchema,
  list: listSchema,
  record: recordSchema,
  'or word': orWordSchema,
  either: eitherSchema
}
