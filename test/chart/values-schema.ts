/** The chart's values.schema.json, made from its values and the remarks on them: closed, so that a typo is refused. */
import type { Remark, Remarks } from './values-text.ts'

export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value }

export type Schema = { readonly [key: string]: unknown }

const isMap = (value: Value): value is { readonly [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const schemaOf = (values: Value, remarks: Remarks): Schema => {
  const definitions: Record<string, Schema> = {}
  const root = objectSchema('', values, { remarks, definitions })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Values of the chart parcomolo',
    ...root,
    $defs: definitions
  }
}

type Context = { readonly remarks: Remarks; readonly definitions: Record<string, Schema> }

const objectSchema = (path: string, value: Value, context: Context): Schema => {
  if (!isMap(value)) throw new TypeError(`'${path}' is no object`)
  const keys = Object.keys(value)
  const under = (key: string): string => (path === '' ? key : `${path}.${key}`)
  const properties = Object.fromEntries(keys.map((key) => [key, valueSchema(under(key), value[key]!, context)]))
  // Others than this chart may have something to say in it, too.
  const isOpen = context.remarks.of(path).asks.has('more')
  return { type: 'object', ...(isOpen ? {} : { additionalProperties: false }), properties }
}

const valueSchema = (path: string, value: Value, context: Context): Schema => {
  const { text, asks } = context.remarks.of(path)
  const described = text === '' ? {} : { description: text }
  const [define, ref, extend] = [asks.get('define'), asks.get('ref'), asks.get('extend')]
  if (define !== undefined) context.definitions[define] = objectSchema(path, value, context)
  const named = define ?? ref
  if (named !== undefined) return { ...described, $ref: `#/$defs/${named}` }
  if (!isMap(value) || asks.has('open')) return { ...described, ...leafSchema(path, value, asks) }
  const own = objectSchema(path, value, context)
  if (extend === undefined) return { ...described, ...own }
  return { ...described, ...own, properties: extended(context.definitions[extend]!, own) }
}

/** What both have is as the inherited definition says, with the own words where there are some. */
const extended = (inherited: Schema, own: Schema): Schema => {
  const [base, more] = [inherited['properties'] as Record<string, Schema>, own['properties'] as Record<string, Schema>]
  const merge = ([key, schema]: [string, Schema]): [string, Schema] => {
    const description = more[key]?.['description']
    return [key, description === undefined ? schema : { ...schema, description }]
  }
  return { ...more, ...Object.fromEntries(Object.entries(base).map(merge)) }
}

/** Words after an @ that go into the schema as they are. */
const words: Readonly<Record<string, (text: string) => unknown>> = {
  minimum: Number,
  maximum: Number,
  minLength: Number,
  maxLength: Number,
  pattern: String,
  enum: (text) => text.split(' ').map((word) => (word === "''" ? '' : word))
}

const leafSchema = (path: string, value: Value, asks: Remark['asks']): Schema => {
  const bounds = [...asks].flatMap(([word, text]) => (words[word] ? [[word, words[word](text)]] : []))
  const types = asks.get('type')?.replaceAll(' ', '|')
  return {
    type: types === undefined ? typeOf(path, value) : typesOf(types),
    ...(Object.fromEntries(bounds) as Schema),
    ...(Array.isArray(value) ? { items: itemSchema(path, asks) } : {})
  }
}

const itemSchema = (path: string, asks: Remark['asks']): Schema => {
  const [type, pattern] = asks.get('items')?.split(' ') ?? []
  if (type === undefined) throw new TypeError(`'${path}' is a list; expected a line '# @items TYPE' over it`)
  return { type: typesOf(type), ...(pattern === undefined ? {} : { pattern }) }
}

const typesOf = (types: string): string | readonly string[] => (types.includes('|') ? types.split('|') : types)

const typeOf = (path: string, value: Value): string => {
  if (value === null) throw new TypeError(`'${path}' is null; expected a line '# @type TYPE null' over it`)
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' ? 'integer' : typeof value
}
