import { type FieldType, type RecordType } from './contract.ts'
import { type Declared, logicalTypes, type Primitive } from './idl-check.ts'
import { type IdlEnum, type IdlField, type IdlProtocol, type IdlRecord, type IdlType } from './idl.ts'

type Json = Record<string, unknown>

/**
 * Makes records of declared types that have been checked: each schema complete in itself, every named type defined
 * where it is first used.
 */
export const recordTypes = (protocol: IdlProtocol, declared: Declared, namespace: string): Map<string, RecordType> => {
  const types = fieldTypes(declared)
  const records = new Map<string, RecordType>()
  for (const declaration of protocol.types) {
    if (declaration.kind === 'enum') continue
    const { name, fields } = declaration
    const key = fields.find(({ keyAt }) => keyAt !== undefined)
    records.set(name.text, {
      name: name.text,
      fullName: fullNameOf(declaration, namespace),
      schema: recordSchema(declaration, declared, namespace),
      fields: types.fieldsOf(declaration),
      ...(key && { key: key.name.text })
    })
  }
  return records
}

/** Complete in itself. */
export const recordSchema = (record: IdlRecord, declared: Declared, namespace: string): Json =>
  definition(record, { declared, namespace, defined: new Set() })

export const fullNameOf = (type: IdlRecord | IdlEnum, namespace: string): string => `${namespace}.${type.name.text}`

/** What is defined above the place where a schema is being written. */
type Context = { readonly declared: Declared; readonly namespace: string; readonly defined: Set<string> }

/** Errors are written as records: only protocols know errors, and registries hold schemas. */
const definition = (type: IdlRecord | IdlEnum, context: Context): Json => {
  context.defined.add(fullNameOf(type, context.namespace))
  const head: Json = {
    type: type.kind === 'enum' ? 'enum' : 'record',
    name: type.name.text,
    namespace: context.namespace,
    ...(type.doc === undefined ? {} : { doc: type.doc }),
    ...type.attributes
  }
  if (type.kind !== 'enum') return { ...head, fields: type.fields.map((field) => fieldSchema(field, context)) }
  const symbols = type.symbols.map((symbol) => symbol.text)
  return { ...head, symbols, ...(type.default === undefined ? {} : { default: type.default.text }) }
}

const fieldSchema = (field: IdlField, context: Context): Json => ({
  name: field.name.text,
  type: schemaOf(field.type, context),
  ...(field.default === undefined ? {} : { default: field.default.value }),
  ...(field.doc === undefined ? {} : { doc: field.doc }),
  ...field.attributes,
  ...(field.keyAt === undefined ? {} : { key: true })
})

const schemaOf = (type: IdlType, context: Context): unknown => {
  if (type.kind === 'union') return type.of.map((branch) => schemaOf(branch, context))
  if (type.kind === 'array') return { type: 'array', items: schemaOf(type.of, context), ...type.attributes }
  if (type.kind === 'map') return { type: 'map', values: schemaOf(type.of, context), ...type.attributes }
  const named = context.declared.get(type.name)
  if (named !== undefined) {
    const fullName = fullNameOf(named, context.namespace)
    return context.defined.has(fullName) ? fullName : definition(named, context)
  }
  const attributes = { ...logicalTypes[type.name], ...type.attributes }
  return Object.keys(attributes).length === 0 ? type.name : { type: type.name, ...attributes }
}

/** Types as the checker of expressions sees them, each declared one made once. */
const fieldTypes = (declared: Declared): { fieldsOf(record: IdlRecord): RecordType['fields'] } => {
  const made = new Map<IdlRecord, RecordType['fields']>()
  const fieldsOf = (record: IdlRecord): RecordType['fields'] => {
    const known = made.get(record)
    if (known !== undefined) return known
    const fields = record.fields.map((field) => ({
      name: field.name.text,
      type: typeOf(field.type),
      hasDefault: field.default !== undefined
    }))
    made.set(record, fields)
    return fields
  }
  const typeOf = (type: IdlType): FieldType => {
    if (type.kind === 'union') return { kind: 'union', of: type.of.map(typeOf) }
    if (type.kind === 'array') return { kind: 'array', items: typeOf(type.of) }
    if (type.kind === 'map') return { kind: 'map', values: typeOf(type.of) }
    const named = declared.get(type.name)
    if (named === undefined) return { kind: logicalTypes[type.name]?.type ?? (type.name as Primitive) }
    const name = named.name.text
    if (named.kind === 'enum') return { kind: 'enum', name, symbols: named.symbols.map((symbol) => symbol.text) }
    return { kind: 'record', name, fields: fieldsOf(named) }
  }
  return { fieldsOf }
}
