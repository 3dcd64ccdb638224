import { didYouMean } from '../base/index.ts'
import { tooDeep } from './idl-tokens.ts'
import { type IdlEnum, type IdlField, type IdlName, type IdlProtocol, type IdlRecord, type IdlType } from './idl.ts'
import { limits } from './limits.ts'

/** Reports a problem at an offset of the IDL text. */
export type Report = (at: number, text: string) => void

export const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const
export type Primitive = (typeof primitives)[number]

/** Short forms that Avro IDL has for logical types. */
export const logicalTypes: Readonly<Record<string, { readonly type: Primitive; readonly logicalType: string }>> = {
  date: { type: 'int', logicalType: 'date' },
  time_ms: { type: 'int', logicalType: 'time-millis' },
  timestamp_ms: { type: 'long', logicalType: 'timestamp-millis' },
  local_timestamp_ms: { type: 'long', logicalType: 'local-timestamp-millis' },
  uuid: { type: 'string', logicalType: 'uuid' }
}

/** Words of the language, which cannot name a type. */
const keywords: ReadonlySet<string> = new Set([
  ...primitives,
  ...Object.keys(logicalTypes),
  ...['array', 'map', 'union', 'record', 'error', 'enum', 'fixed', 'decimal', 'import', 'protocol', 'void', 'throws'],
  'oneway'
])

/** The declared types, by short and by full name. */
export type Declared = ReadonlyMap<string, IdlRecord | IdlEnum>

/**
 * Reports all that is wrong with the types of a protocol, except the defaults of fields, which need the finished
 * schemas.
 */
export const checkTypes = (protocol: IdlProtocol, declared: Declared, report: Report): void => {
  reportDuplicates(
    protocol.types.map((type) => type.name),
    'type',
    report
  )
  for (const type of protocol.types) {
    checkTypeName(type.name, report)
    if ('namespace' in type.attributes) {
      report(type.name.at, `type '${type.name.text}' has a namespace; expected it to be in that of its protocol`)
    }
    if (type.kind === 'enum') checkEnum(type, report)
    else checkRecord(type, declared, report)
  }
  for (const type of protocol.types) if (type.kind !== 'enum') checkRecursion(type, declared, report)
}

export const reportDuplicates = (names: readonly IdlName[], what: string, report: Report): void => {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name.text)) report(name.at, `${what} '${name.text}' is declared twice; expected each name once`)
    seen.add(name.text)
  }
}

export const isPrimitive = (name: string): name is Primitive => (primitives as readonly string[]).includes(name)

/** All names that may stand for a type. */
export const knownTypes = (declared: Declared): string[] => [
  ...primitives,
  ...Object.keys(logicalTypes),
  'array',
  'map',
  'union',
  ...declared.keys()
]

const checkTypeName = (name: IdlName, report: Report): void => {
  if (keywords.has(name.text)) report(name.at, `type name '${name.text}' is a word of Avro IDL; expected another`)
  // `__proto__` would be no member of what is kept by name.
  else if (name.text.includes('.') || name.text === '__proto__')
    report(name.at, `type name '${name.text}' is refused; expected letters, digits or '_'`)
}

const checkEnum = (type: IdlEnum, report: Report): void => {
  reportTooMany(type.name, type.symbols.length, 'symbols', report)
  reportDuplicates(type.symbols, 'symbol', report)
  const symbols = type.symbols.map((symbol) => symbol.text)
  const standard = type.default
  if (standard !== undefined && !symbols.includes(standard.text)) {
    report(
      standard.at,
      `default '${standard.text}' is no symbol of '${type.name.text}'${didYouMean(standard.text, symbols)}`
    )
  }
}

const reportTooMany = (name: IdlName, count: number, what: 'symbols' | 'fields', report: Report): void => {
  const [max, limit] = what === 'fields' ? [limits.fieldsMax, 'fieldsMax'] : [limits.symbolsMax, 'symbolsMax']
  if (count > max) report(name.at, `'${name.text}' has ${count} ${what}; expected at most ${max} (${limit})`)
}

const checkRecord = (record: IdlRecord, declared: Declared, report: Report): void => {
  reportTooMany(record.name, record.fields.length, 'fields', report)
  reportDuplicates(
    record.fields.map((field) => field.name),
    'field',
    report
  )
  for (const field of record.fields) {
    checkFieldName(field, report)
    checkType(field.type, declared, report)
  }
  checkKeys(record, report)
}

/** The key of a record on the log is a text that is always there. */
const checkKeys = ({ name, fields }: IdlRecord, report: Report): void => {
  const [first, ...more] = fields.filter(({ keyAt }) => keyAt !== undefined)
  for (const { keyAt, name: second } of more) {
    const problem = `'${name.text}' has a second key '${second.text}'; its key is '${first!.name.text}'`
    report(keyAt!, `${problem}; expected '@key' in front of one field`)
  }
  if (first === undefined || isText(first.type)) return
  const { type, keyAt, name: field } = first
  const shown = type.kind === 'name' ? type.name : type.kind
  report(keyAt!, `the key '${field.text}' of '${name.text}' is '${shown}'; expected 'string', which is always there`)
}

const isText = (type: IdlType): boolean => type.kind === 'name' && (type.name === 'string' || type.name === 'uuid')

/** `__proto__` would change the value's prototype instead of being set. */
const checkFieldName = ({ name }: IdlField, report: Report): void => {
  if (name.text.includes('.') || name.text === '__proto__') {
    report(name.at, `field name '${name.text}' is refused; expected letters, digits and '_'`)
  }
}

const checkType = (type: IdlType, declared: Declared, report: Report): void => {
  if (type.kind === 'name') return checkReference(type, declared, report)
  if (type.kind === 'union') return checkUnion(type.of, declared, report)
  if (type.of.kind === 'name' && type.of.name === 'null')
    report(type.of.at, `${type.kind} of null holds nothing; expected another type`)
  checkType(type.of, declared, report)
}

const checkReference = (type: IdlType & { kind: 'name' }, declared: Declared, report: Report): void => {
  const { name, at } = type
  if (declared.has(name)) {
    if (Object.keys(type.attributes).length > 0) {
      report(at, `an annotation cannot stand in front of '${name}'; expected it in front of the field's name`)
    }
  } else if (!isPrimitive(name) && !(name in logicalTypes)) {
    report(at, `unknown type '${name}'${didYouMean(name, knownTypes(declared))}`)
  }
}

/**
 * In JavaScript a union's value is plain, so its kind must tell its branch: at most one of the numbers, one of string
 * and enum, one of record and map.
 */
const checkUnion = (branches: readonly IdlType[], declared: Declared, report: Report): void => {
  const seen = new Map<string, string>()
  for (const branch of branches) {
    checkType(branch, declared, report)
    const shown = branch.kind === 'name' ? branch.name : branch.kind
    const group = groupOf(branch, declared)
    const other = seen.get(group)
    if (group === 'union') report(branch.at, 'a union cannot hold a union; expected its branches here')
    else if (other !== undefined) {
      report(
        branch.at,
        `a union cannot hold both '${other}' and '${shown}', since their values look alike; expected a field for each`
      )
    }
    seen.set(group, shown)
  }
}

const groupOf = (type: IdlType, declared: Declared): string => {
  if (type.kind !== 'name') return type.kind === 'map' ? 'object' : type.kind
  const named = declared.get(type.name)
  if (named !== undefined) return named.kind === 'enum' ? 'string' : 'object'
  const name = logicalTypes[type.name]?.type ?? type.name
  return ['int', 'long', 'float', 'double'].includes(name) ? 'number' : name
}

/** How much a type holds: its fields, each as often as it occurs, and how many types stand inside each other. */
type Held = { readonly fields: number; readonly depth: number }

/**
 * Reports records that hold too much: a few lines can name a thousand million fields, where each record is twice in the
 * next one. None of them may hold itself.
 */
export const checkSizes = (protocol: IdlProtocol, declared: Declared, report: Report): void => {
  const known = new Map<IdlRecord, Held>()
  const heldIn = (types: readonly IdlType[]): Held => {
    const held = types.map(heldBy)
    return {
      fields: held.reduce((sum, { fields }) => sum + fields, 0),
      depth: 1 + held.reduce((most, { depth }) => Math.max(most, depth), 0)
    }
  }
  const heldBy = (type: IdlType): Held => {
    if (type.kind === 'union') return heldIn(type.of)
    if (type.kind !== 'name') return heldIn([type.of])
    const named = declared.get(type.name)
    return named === undefined || named.kind === 'enum' ? { fields: 0, depth: 1 } : ofRecord(named)
  }
  const ofRecord = (record: IdlRecord): Held => {
    const found = known.get(record)
    if (found !== undefined) return found
    const { fields, depth } = heldIn(record.fields.map((field) => field.type))
    const held = { fields: record.fields.length + fields, depth }
    known.set(record, held)
    return held
  }
  let all = 0
  for (const record of protocol.types) {
    if (record.kind === 'enum') continue
    const { fields, depth } = ofRecord(record)
    if (depth - 1 > limits.nestingMax) report(record.name.at, `in '${record.name.text}' ${tooDeep('types')}`)
    all += fields
    if (all > limits.heldFieldsMax) return report(record.name.at, holdTooMuch(record.name.text, all))
  }
}

const holdTooMuch = (name: string, fields: number): string =>
  `the records up to '${name}' hold ${fields} fields, with those of the records in them; ` +
  `expected at most ${limits.heldFieldsMax} in a protocol (heldFieldsMax)`

/** A record that holds itself has no finite type to check expressions against. */
const checkRecursion = (record: IdlRecord, declared: Declared, report: Report): void => {
  const seen = new Set<string>()
  const reaches = (type: IdlType): boolean => {
    if (type.kind === 'union') return type.of.some(reaches)
    if (type.kind !== 'name') return reaches(type.of)
    const named = declared.get(type.name)
    if (named === record) return true
    if (named === undefined || named.kind === 'enum' || seen.has(named.name.text)) return false
    seen.add(named.name.text)
    return named.fields.some((field) => reaches(field.type))
  }
  for (const field of record.fields) {
    if (reaches(field.type)) {
      report(
        field.type.at,
        `'${record.name.text}' holds itself through field '${field.name.text}'; expected a type that ends`
      )
    }
  }
}
