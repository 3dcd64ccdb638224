import avro, { type Type } from 'avsc'
import { ParcomoloError } from '../base/index.ts'
import { type AvroSchema } from './registry.ts'

/**
 * Throws where the schema is no Avro, or breaks BACKWARD: it has to read what was written with the latest version of
 * its subject.
 */
export const checkCompatible = (subject: string, schema: AvroSchema, latest: AvroSchema | undefined): void => {
  const reader = compile(subject, schema)
  const reason = latest === undefined ? undefined : misfitOf(reader, compile(subject, latest), '')
  if (reason !== undefined) throw incompatible(subject, reason)
}

export const incompatible = (subject: string, reason: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_REGISTRY_INCOMPATIBLE',
    `subject '${subject}' refuses the schema: ${reason}; expected one that reads what the latest version wrote`,
    { details: { subject, reason } }
  )

export const invalidSchema = (subject: string, reason: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_REGISTRY_INVALID_SCHEMA',
    `subject '${subject}' refuses the schema: ${reason}; expected Avro that is complete in itself`,
    { details: { subject }, cause }
  )

const compile = (subject: string, schema: AvroSchema): Type => {
  try {
    return avro.Type.forSchema(schema as unknown as Parameters<typeof avro.Type.forSchema>[0])
  } catch (error) {
    throw invalidSchema(subject, messageOf(error), error)
  }
}

type EnumType = Type & { readonly symbols: readonly string[] }
type RecordType = Type & { readonly fields: readonly avro.types.Field[] }

/** The first thing that the reader cannot read of the writer, as deep as both have the same parts. */
const misfitOf = (reader: Type, writer: Type, path: string): string | undefined => {
  const problem = refusalOf(reader, writer)
  if (problem === undefined) return undefined
  return deeperMisfit(reader, writer, path) ?? (path === '' ? problem : `field '${path}' changed: ${problem}`)
}

const deeperMisfit = (reader: Type, writer: Type, path: string): string | undefined => {
  if (isRecord(reader) && isRecord(writer)) return misfitIn(reader, writer, path)
  if (isEnum(reader) && isEnum(writer)) return symbolGone(reader, writer, path)
  const parts = partsOf(reader)
  for (const [kind, part] of partsOf(writer)) {
    const same = parts.get(kind)
    const misfit = same === undefined ? undefined : misfitOf(same, part, path)
    if (misfit !== undefined) return misfit
  }
  return undefined
}

/** What a type is made of, under a name that the same part of another version has, too. */
const partsOf = (type: Type): ReadonlyMap<string, Type> => {
  if (type instanceof avro.types.ArrayType) return new Map([['items', type.itemsType]])
  if (type instanceof avro.types.MapType) return new Map([['values', type.valuesType]])
  const branches: readonly Type[] = 'types' in type ? (type.types as Type[]) : []
  return new Map(branches.map((branch) => [branch.name ?? branch.typeName, branch]))
}

const symbolGone = (reader: EnumType, writer: EnumType, path: string): string | undefined => {
  const gone = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
  if (gone.length === 0) return undefined
  const symbols = `symbol${gone.length === 1 ? '' : 's'} ${gone.map((symbol) => `'${symbol}'`).join(', ')}`
  const where = path === '' ? '' : `field '${path}' changed: `
  return `${where}enum '${writer.name}' has lost ${symbols}, which may have been written`
}

const misfitIn = (reader: RecordType, writer: RecordType, path: string): string | undefined => {
  for (const field of reader.fields) {
    const name = path === '' ? field.name : `${path}.${field.name}`
    const written = writer.fields.find((other) => other.name === field.name || field.aliases.includes(other.name))
    if (written === undefined && field.defaultValue() === undefined)
      return `field '${name}' was added without a default`
    const deeper = written === undefined ? undefined : misfitOf(field.type, written.type, name)
    if (deeper !== undefined) return deeper
  }
  return undefined
}

const refusalOf = (reader: Type, writer: Type): string | undefined => {
  try {
    reader.createResolver(writer)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

const isRecord = (type: Type): type is RecordType => 'fields' in type

const isEnum = (type: Type): type is EnumType => 'symbols' in type

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
