/**
 * The types of expressions: Avro's, and two that fit everywhere. `unknown` stands for what an error has already been
 * reported about, `nothing` for the items of an empty list.
 */
export type Type =
  | {
      readonly kind: 'unknown' | 'nothing' | 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes'
    }
  | TextType
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | RecordShape
  | { readonly kind: 'array'; readonly items: Type }
  | { readonly kind: 'map'; readonly values: Type }
  | { readonly kind: 'union'; readonly of: readonly Type[] }

/** `only`: the texts that it may be, where all are written out; so it fits an enum that has them. */
export type TextType = { readonly kind: 'string'; readonly only?: readonly string[] }

export type RecordShape = {
  readonly kind: 'record'
  readonly name: string
  readonly fields: readonly Field[]
  /** Of a record that an expression writes out: its fields, with those of the records inside. */
  readonly weight?: number
}

export type Field = { readonly name: string; readonly type: Type; readonly hasDefault: boolean }

export const unknownType: Type = { kind: 'unknown' }
export const nothingType: Type = { kind: 'nothing' }
export const nullType: Type = { kind: 'null' }
export const booleanType: Type = { kind: 'boolean' }
export const intType: Type = { kind: 'int' }
export const longType: Type = { kind: 'long' }
export const doubleType: Type = { kind: 'double' }
export const stringType: Type = { kind: 'string' }

export const recordOf = (name: string, fields: Readonly<Record<string, Type>>): RecordShape => ({
  kind: 'record',
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type, hasDefault: false }))
})

/**
 * How many fields records that are written out have, inside each other. A few characters can double them, and types are
 * compared field by field.
 */
export const weightOfType = (type: Type): number => {
  if (type.kind === 'record') return type.weight ?? 1
  if (type.kind === 'array') return weightOfType(type.items)
  return type.kind === 'union' ? type.of.reduce((sum, member) => sum + weightOfType(member), 0) : 1
}

/** A type as messages name it. */
export const showType = (type: Type): string => {
  switch (type.kind) {
    case 'enum':
    case 'record':
      return type.name
    case 'array':
      return `list of ${showType(type.items)}`
    case 'map':
      return `map of ${showType(type.values)}`
    case 'union':
      return type.of.map(showType).join(' or ')
    default:
      return type.kind
  }
}

export const membersOf = (type: Type): readonly Type[] => (type.kind === 'union' ? type.of : [type])

export const isNullable = (type: Type): boolean => membersOf(type).some((member) => member.kind === 'null')

/** The type of a value that is known not to be null. */
export const withoutNull = (type: Type): Type =>
  isNullable(type) ? unionOf(membersOf(type).filter((member) => member.kind !== 'null')) : type

export const unionOf = (types: readonly Type[]): Type => {
  const members: Type[] = []
  for (const member of types.flatMap(membersOf)) {
    const same = members.findIndex((known) => sameType(known, member))
    if (same === -1) members.push(member)
    else members[same] = merged(members[same]!, member)
  }
  return members.length > 1 ? { kind: 'union', of: members } : (members[0] ?? nothingType)
}

/** The type of a value that is one or the other. */
export const joinTypes = (a: Type, b: Type): Type => {
  if (isAnything(a) || isSymbolOf(a, b)) return b
  if (isAnything(b) || isSymbolOf(b, a)) return a
  if (sameType(a, b)) return merged(a, b)
  const number = wider(a, b)
  if (number !== undefined) return number
  if (a.kind === 'array' && b.kind === 'array') return { kind: 'array', items: joinTypes(a.items, b.items) }
  return unionOf([a, b])
}

const wider = (a: Type, b: Type): Type | undefined => {
  if (isInteger(a) && isInteger(b)) return longType
  return isFraction(a) && isFraction(b) ? doubleType : undefined
}

export const isInteger = (type: Type): boolean => type.kind === 'int' || type.kind === 'long'

/**
 * Of two types that are the same but for lists that are empty, or fields with a default that are left out, in one of
 * them.
 */
const merged = (a: Type, b: Type): Type => {
  if (a === b) return a
  if (a.kind === 'array' && b.kind === 'array') return { kind: 'array', items: joinTypes(a.items, b.items) }
  if (a.kind === 'string' && b.kind === 'string') return textOf(a, b)
  if (a.kind !== 'record' || b.kind !== 'record') return a
  const typeInB = new Map(b.fields.map((field) => [field.name, field.type]))
  const fields = a.fields.flatMap((field) => {
    const other = typeInB.get(field.name)
    return other === undefined ? [] : { ...field, type: joinTypes(field.type, other) }
  })
  return { ...a, fields }
}

const textOf = ({ only: one }: TextType, { only: other }: TextType): TextType =>
  one === undefined || other === undefined ? stringType : { kind: 'string', only: [...new Set([...one, ...other])] }

const isAnything = (type: Type): boolean => type.kind === 'unknown' || type.kind === 'nothing'

export const isFraction = (type: Type): boolean => type.kind === 'float' || type.kind === 'double'

export const isText = (type: Type): boolean => type.kind === 'string' || type.kind === 'enum'

export const sameType = (a: Type, b: Type): boolean =>
  a.kind === 'string' || b.kind === 'string'
    ? a.kind === b.kind
    : fault(a, b) === undefined && fault(b, a) === undefined

export type Mismatch = { readonly path: string; readonly given: Type; readonly expected: Type }

/**
 * Why a value of one type cannot be written as another; undefined where it can. Records fit by structure: what the
 * target needs must be there, what it does not know is left behind. Numbers fit where nothing is lost.
 */
export const fault = (given: Type, expected: Type): Mismatch | undefined => {
  if (given === expected || isAnything(given) || isAnything(expected)) return undefined
  if (given.kind === 'union') {
    return firstOf(given.of, (member) => fault(member, expected) && mismatch(given, expected))
  }
  if (expected.kind !== 'union') return faultOfOne(given, expected)
  if (expected.of.some((member) => fault(given, member) === undefined)) return undefined
  const [like, ...others] = expected.of.filter((member) => member.kind === given.kind)
  return like === undefined || others.length > 0 ? mismatch(given, expected) : fault(given, like)
}

const faultOfOne = (given: Type, expected: Type): Mismatch | undefined => {
  if (given.kind === 'record') return faultOfRecord(given, expected)
  if (given.kind === 'array' && expected.kind === 'array') {
    return inside('[]', fault(given.items, expected.items))
  }
  if (given.kind === 'map' && expected.kind === 'map') {
    return inside('.*', fault(given.values, expected.values))
  }
  const fits =
    expected.kind === 'enum'
      ? symbolsOf(given)?.every((symbol) => expected.symbols.includes(symbol)) === true
      : widens(given, expected)
  return fits ? undefined : mismatch(given, expected)
}

/** The texts that a value may be; undefined where it may be any. */
const symbolsOf = (type: Type): readonly string[] | undefined => {
  if (type.kind === 'enum') return type.symbols
  return type.kind === 'string' ? type.only : undefined
}

/** A text that is written out beside a value of an enum is one of its symbols. */
const isSymbolOf = (text: Type, type: Type): boolean =>
  text.kind === 'string' && type.kind === 'enum' && fault(text, type) === undefined

const widenings: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  enum: ['string']
}

const widens = (given: Type, expected: Type): boolean =>
  given.kind === expected.kind || widenings[given.kind]?.includes(expected.kind) === true

const faultOfRecord = (given: RecordShape, expected: Type): Mismatch | undefined => {
  if (expected.kind === 'map') {
    return firstOf(given.fields, (field) => inside(`.${field.name}`, fault(field.type, expected.values)))
  }
  if (expected.kind !== 'record') return mismatch(given, expected)
  return firstOf(expected.fields, (field) => {
    const source = given.fields.find((each) => each.name === field.name)
    if (source !== undefined) return inside(`.${field.name}`, fault(source.type, field.type))
    return field.hasDefault ? undefined : inside(`.${field.name}`, mismatch(nothingType, field.type))
  })
}

const mismatch = (given: Type, expected: Type): Mismatch => ({ path: '', given, expected })

const inside = (path: string, found: Mismatch | undefined): Mismatch | undefined =>
  found && { ...found, path: `${path}${found.path}` }

const firstOf = <T>(list: readonly T[], find: (item: T) => Mismatch | undefined): Mismatch | undefined => {
  for (const item of list) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
