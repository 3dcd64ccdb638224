import avro, { type Type } from 'avsc'

type Schema = Readonly<Record<string, unknown>>

/** Avro's types of a schema that is written here: unions are plain values, so `union { null, string }` is `string | null`. */
export const typeOfSchema = (schema: Schema): Type =>
  avro.Type.forSchema(schema as unknown as Parameters<typeof avro.Type.forSchema>[0], {
    wrapUnions: 'never',
    omitRecordMethods: true
  })
