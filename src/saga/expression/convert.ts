import { charge, limitText, sagaLimits, type Scope } from '../definition/index.ts'
import { type CelMap } from './values.ts'
import { isFraction, isInteger, type RecordShape, type Type } from './types.ts'

/**
 * The border between Avro values, where whole numbers are JavaScript numbers and records are objects, and CEL, where
 * they are BigInt and Maps.
 */
export type Convert = (value: unknown) => unknown

type Tree = Readonly<Record<string, unknown>>

/** Walks from the scope along names; undefined where something is missing on the way. */
export const readerOf = (chain: readonly string[]): ((scope: Scope) => unknown) => {
  if (chain.some((name) => name in Object.prototype)) return carefulReaderOf(chain)
  const [first, second] = chain as readonly [string, string]
  if (chain.length === 2) return (scope) => ((scope as Tree)[first] as Tree | undefined)?.[second]
  return (scope) => {
    let value: unknown = scope
    for (const name of chain) {
      if (value === undefined || value === null) return undefined
      value = (value as Tree)[name]
    }
    return value
  }
}

/** Every object has something by such a name, which is not the message's. */
const carefulReaderOf =
  ([root, ...names]: readonly string[]) =>
  (scope: Scope): unknown => {
    let value: unknown = (scope as Tree)[root!]
    for (const name of names) value = isTree(value) && Object.hasOwn(value, name) ? value[name] : undefined
    return value
  }

export const hasValue = (chain: readonly string[]): ((scope: Scope) => boolean) => {
  const read = readerOf(chain)
  return (scope) => (read(scope) ?? null) !== null
}

const simpleNames: Readonly<Record<string, string>> = {
  boolean: 'bool',
  int: 'int',
  long: 'int',
  float: 'double',
  double: 'double',
  string: 'string',
  enum: 'string'
}

/** The type that the evaluator is told: exact for single values and lists of them, else decided at run time. */
export const celTypeOf = (type: Type): string => {
  if (type.kind !== 'array') return simpleNames[type.kind] ?? 'dyn'
  const items = simpleNames[type.items.kind]
  return items === undefined ? 'dyn' : `list<${items}>`
}

const asIs: Convert = (value) => value

export const toCel = (type: Type): Convert => {
  if (isInteger(type)) return (value) => (typeof value === 'number' ? BigInt(value) : value)
  if (type.kind === 'array') return eachItem(toCel(type.items))
  if (type.kind === 'map') return toCelMap(toCel(type.values))
  if (type.kind === 'record') return toCelRecord(type)
  if (type.kind === 'union') return byMember(type.of, (member) => toCel(member))
  return asIs
}

/** Back to a value that the codec takes for a field of this type. */
export const fromCel = (type: Type): Convert => {
  if (type.kind === 'int') return (value) => toNumber(value, [-2_147_483_648, 2_147_483_647])
  if (type.kind === 'array') return eachItem(fromCel(type.items))
  if (type.kind === 'map') return fromCelMap(fromCel(type.values))
  if (type.kind === 'record') return fromCelRecord(type)
  if (type.kind === 'union') return byMember(type.of, (member) => fromCel(member))
  return (value) => toNumber(value, [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])
}

const toNumber = (value: unknown, [min, max]: readonly [number, number]): unknown => {
  if (typeof value !== 'bigint') return value
  if (value >= min && value <= max) return Number(value)
  throw new RangeError(`${value} is out of range; the field takes ${min} to ${max}`)
}

const eachItem = (convert: Convert): Convert => {
  const { listItems } = sagaLimits
  return (value) => {
    if (!Array.isArray(value)) return value
    if (value.length > listItems.value)
      throw new RangeError(`a list has ${value.length} items; ${limitText(listItems)}`)
    charge(value.length)
    return value.map(convert)
  }
}

const toCelMap =
  (convert: Convert): Convert =>
  (value) => {
    if (!isTree(value)) return value
    const members = Object.entries(value)
    charge(members.length)
    return new Map(members.map(([key, member]) => [key, convert(member)]))
  }

const fromCelMap =
  (convert: Convert): Convert =>
  (value) => {
    if (!isCelMap(value)) return value
    charge(value.size)
    return Object.fromEntries(Array.from(value, ([key, member]) => [key, convert(member)]))
  }

const convertersOf = (
  type: RecordShape,
  converterOf: (type: Type) => Convert
): readonly (readonly [string, Convert])[] => type.fields.map((field) => [field.name, converterOf(field.type)])

const toCelRecord = (type: RecordShape): Convert => {
  const fields = convertersOf(type, toCel)
  return (value) => {
    if (!isTree(value)) return value
    charge(fields.length)
    const converted = new Map<string, unknown>()
    for (const [name, convert] of fields) {
      const member = Object.hasOwn(value, name) ? value[name] : undefined
      if (member !== undefined) converted.set(name, convert(member))
    }
    return converted
  }
}

const fromCelRecord = (type: RecordShape): Convert => {
  const fields = convertersOf(type, fromCel)
  return (value) => {
    if (!isCelMap(value)) return value
    charge(fields.length)
    const members = fields.filter(([name]) => value.get(name) !== undefined)
    return Object.fromEntries(members.map(([name, convert]) => [name, convert(value.get(name))]))
  }
}

const byMember = (members: readonly Type[], converterOf: (type: Type) => Convert): Convert => {
  const converters = members.map((member) => [member, converterOf(member)] as const)
  return (value) => (converters.find(([member]) => takes(member, value))?.[1] ?? asIs)(value)
}

const takes = (type: Type, value: unknown): boolean => {
  if (Array.isArray(value)) return type.kind === 'array'
  if (isTree(value) || isCelMap(value)) return type.kind === 'record' || type.kind === 'map'
  if (typeof value === 'bigint') return isInteger(type) || isFraction(type)
  if (typeof value === 'number') return Number.isInteger(value) ? isInteger(type) : isFraction(type)
  return false
}

const isCelMap = (value: unknown): value is CelMap => value instanceof Map

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !isCelMap(value)
