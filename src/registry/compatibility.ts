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

type RecordType = Type & { readonly fields: readonly avro.types.Field[] }

/** The first thing that the reader cannot read of the writer, as far down as records have fields of the same name. */
const misfitOf = (reader: Type, writer: Type, path: string): string | undefined => {
  const problem = refusalOf(reader, writer)
  if (problem === undefined) return undefined
  const deeper = isRecord(reader) && isRecord(writer) ? misfitIn(reader, writer, path) : undefined
  return deeper ?? (path === '' ? problem : `field '${path}' changed: ${problem}`)
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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
