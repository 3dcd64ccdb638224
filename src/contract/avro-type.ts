import avro, { type Type } from 'avsc'
import { type Tap } from './tap.ts'

export type Schema = Readonly<Record<string, unknown>>

/** A compiled schema: avsc's type, with the two methods that its own `encode` and `decode` stand on. */
export type AvroType = Type & Readable & { _write(tap: Tap, value: unknown): void }
export type Readable = { _read(tap: Tap): unknown }

/**
 * The type of a schema that values are written with here: unions are plain, so `union { null, string }` is `string |
 * null`.
 */
export const typeOfSchema = (schema: Schema): AvroType => compile(schema, 'never')

/** The type of a schema from elsewhere, with unions of any kind. */
export const typeOfForeignSchema = (schema: Schema): AvroType => compile(schema, 'auto')

type Options = NonNullable<Parameters<typeof avro.Type.forSchema>[1]>
type AvscSchema = Parameters<typeof avro.Type.forSchema>[0]

const compile = (schema: Schema, wrapUnions: 'never' | 'auto'): AvroType => {
  const registry: Record<string, Type> = {}
  const type = avro.Type.forSchema(
    schema as unknown as AvscSchema,
    {
      wrapUnions,
      omitRecordMethods: true,
      registry,
      typeHook: (part, options) => (part === 'bytes' ? new BinaryType(options) : undefined)
    } as Options
  )
  for (const named of Object.values(registry)) makePlain(named)
  return type as AvroType
}

/**
 * Decoded records become plain objects, which CEL and deep comparisons ask for; the generated constructor stays, and
 * with it the speed.
 */
const makePlain = (type: Type): void => {
  if ('recordConstructor' in type) (type.recordConstructor as { prototype: object }).prototype = Object.prototype
}

/** Bytes are any Uint8Array; avsc by itself takes Buffers only. */
class BinaryType extends avro.types.LogicalType {
  constructor(options: unknown) {
    super({ type: 'bytes', logicalType: 'binary' } as unknown as AvscSchema, options)
  }

  protected override _fromValue(bytes: Uint8Array): Uint8Array {
    return bytes
  }

  protected override _toValue(value: unknown): Buffer | undefined {
    if (!(value instanceof Uint8Array)) return undefined
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }

  protected override _resolve(writer: Type): ((bytes: Uint8Array) => Uint8Array) | undefined {
    return ['bytes', 'logical:binary'].includes(writer.typeName) ? (bytes) => bytes : undefined
  }
}
