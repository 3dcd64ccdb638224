import { didYouMean, isParcomoloError, ParcomoloError } from '../base/index.ts'
import { type AvroType, type Readable, type Schema, typeOfForeignSchema, typeOfSchema } from './avro-type.ts'
import { type Codec, type Message, type RegisteredSchema } from './contract.ts'
import { Tap } from './tap.ts'
import { valueMismatch } from './value-mismatch.ts'
import { wholeReader } from './whole.ts'

/** What a value begins with: a zero byte and the schema's id as four bytes, big endian. */
const headerBytes = 5
/** The buffer that values are written in before they are copied out; a longer value gets one of its own. */
const scratchBytes = 65_536

/** Reasons that are kept: any four bytes may stand for an id. */
const refusedMax = 1_000

type Writer = { readonly id: number; readonly type: AvroType }
type Reader = {
  readonly type: string
  readonly fullName: string
  readonly from: Readable
  /** Where today's record lacks fields that it was written with: reads these as well. */
  readonly whole?: Readable
  /** Of a record of no contract: the type that it was written with. */
  readonly foreign?: AvroType
}

/**
 * The codec of these schemas: each is the one to write with, and the one to read with whatever older schema a record
 * was written in.
 */
export const makeCodec = (schemas: readonly RegisteredSchema[]): Codec => {
  const writers = new Map<string, Writer>()
  const readers = new Map<number, Reader>()
  /** Why a schema cannot be read: better told than that it is unknown. */
  const refused = new Map<number, ParcomoloError>()
  const byFormerName = new Map<string, AvroType>()
  /** Of foreign schemas as records of contracts, by both; null where one does not resolve into the other. */
  const resolved = new Map<string, Reader | null>()
  const refuse = (id: number, reason: ParcomoloError): void => {
    refused.delete(id)
    refused.set(id, reason)
    for (const first of refused.keys()) {
      if (refused.size <= refusedMax) break
      refused.delete(first)
    }
  }
  const adopt = (adopted: readonly RegisteredSchema[]): void => {
    resolved.clear()
    for (const { fullName, schema, id } of adopted) {
      if (writers.get(fullName)?.id === id) continue
      for (const [other, reader] of readers) if (reader.fullName === fullName) readers.delete(other)
      const type = typeOfSchema(schema)
      writers.set(fullName, { id, type })
      readers.set(id, readerOf(type, type))
      for (const name of type.aliases ?? []) byFormerName.set(name, type)
    }
  }
  adopt(schemas)
  const currentOf = (fullName: string): AvroType | undefined =>
    writers.get(fullName)?.type ?? byFormerName.get(fullName)
  return {
    encode: encoder(writers),
    ...decoder(readers, refused, (reader, id, fullName) => {
      const name = `${id} ${fullName}`
      let found = resolved.get(name)
      if (found === undefined) resolved.set(name, (found = resolvedReader(reader.foreign, writers.get(fullName)?.type)))
      return found
    }),
    adopt,
    knows: (bytes) => bytes.length >= headerBytes && readers.has(idOf(bytes)),
    learn: (id, schema) => {
      if (readers.has(id)) return
      const reader = learnt(id, schema, currentOf)
      if (reader instanceof ParcomoloError) {
        refuse(id, reader)
        throw reader
      }
      readers.set(id, reader)
    },
    refuse: (id, reason) => refuse(id, reasonToTell(id, reason))
  }
}

/** The schema id of a value in the wire format. */
export const idOf = (bytes: Uint8Array): number =>
  ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0

const encoder = (writers: ReadonlyMap<string, Writer>): Codec['encode'] => {
  const scratch = Buffer.alloc(scratchBytes)
  const tap = new Tap(scratch, 0)
  const write = ({ id, type }: Writer, value: object, buffer: Buffer): void => {
    tap.buf = buffer
    tap.pos = headerBytes
    buffer.writeUInt32BE(id, 1)
    type._write(tap, value)
  }
  return (fullName, value) => {
    const writer = writers.get(fullName)
    if (writer === undefined) throw unknownRecord(fullName, [...writers.keys()])
    try {
      write(writer, value, scratch)
      if (tap.pos > scratchBytes) write(writer, value, Buffer.alloc(tap.pos))
    } catch (error) {
      throw valueMismatch(fullName, writer.type, value, error)
    }
    const bytes = Buffer.allocUnsafe(tap.pos)
    tap.buf.copy(bytes, 0, 0, tap.pos)
    return bytes
  }
}

const decoder = (
  readers: ReadonlyMap<number, Reader>,
  refused: ReadonlyMap<number, ParcomoloError>,
  resolverOf: (reader: Reader, id: number, fullName: string) => Reader | null
): Pick<Codec, 'decode' | 'decodeAs' | 'whole'> => {
  const tap = new Tap(Buffer.alloc(0), 0)
  const readerOfId = (id: number): Reader => {
    const reader = readers.get(id)
    if (reader === undefined) throw refused.get(id) ?? unknownSchema(id)
    return reader
  }
  const read = (reader: Reader, bytes: Uint8Array, withoutBytes: boolean): Message => {
    tap.buf = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    tap.pos = headerBytes
    tap.leavesOutBytes = withoutBytes
    return { type: reader.type, fullName: reader.fullName, value: readValue(reader, tap, bytes) }
  }
  return {
    decode: (bytes, withoutBytes = false) => {
      if (bytes.length < headerBytes || bytes[0] !== 0)
        throw malformed(`it does not begin with a zero byte and a schema id`, bytes)
      return read(readerOfId(idOf(bytes)), bytes, withoutBytes)
    },
    whole: (bytes) => {
      const reader = readers.get(idOf(bytes))
      return reader?.whole && read({ ...reader, from: reader.whole }, bytes, false).value
    },
    decodeAs: (bytes, fullName) => {
      const id = idOf(bytes)
      const reader = resolverOf(readerOfId(id), id, fullName)
      return reader === null ? undefined : read(reader, bytes, false)
    }
  }
}

const readValue = (reader: Reader, tap: Tap, bytes: Uint8Array): Message['value'] => {
  try {
    const value = reader.from._read(tap)
    if (tap.pos === bytes.length) return value as Message['value']
  } catch (error) {
    if (isOverflow(error)) {
      const problem = `a value of '${reader.fullName}' holds a long that is too large`
      throw new ParcomoloError(
        'PARCOMOLO_CONTRACT_LONG_OVERFLOW',
        `${problem}; expected one within ±9007199254740990`,
        { cause: error }
      )
    }
    throw malformed(
      `it is no value of '${reader.fullName}' (${error instanceof Error ? error.message : String(error)})`,
      bytes,
      error
    )
  }
  throw malformed(`${bytes.length - tap.pos} bytes follow a value of '${reader.fullName}'`, bytes)
}

/** These are avsc's words. */
const isOverflow = (error: unknown): boolean => error instanceof Error && error.message === 'potential precision loss'

const readerOf = (current: AvroType, from: Readable): Reader => {
  const fullName = current.name ?? ''
  return { type: fullName.slice(fullName.lastIndexOf('.') + 1), fullName, from }
}

/** Whatever namespaces the two have. */
const resolvedReader = (written: AvroType | undefined, current: AvroType | undefined): Reader | null => {
  if (written === undefined || current === undefined) return null
  try {
    const options = { ignoreNamespaces: true } as Parameters<AvroType['createResolver']>[1]
    return readerOf(current, current.createResolver(written, options) as unknown as Readable)
  } catch {
    return null
  }
}

/** A reader of what was written with this schema, as today's record where there is one; or why there can be none. */
const learnt = (
  id: number,
  schema: Schema,
  currentOf: (fullName: string) => AvroType | undefined
): Reader | ParcomoloError => {
  try {
    const written = typeOfForeignSchema(schema)
    const current = currentOf(written.name ?? '')
    if (current === undefined) return { ...readerOf(written, written), foreign: written }
    const reader = readerOf(current, current.createResolver(written) as unknown as Readable)
    const whole = wholeReader(written, current, reader.from)
    return whole === undefined ? reader : { ...reader, whole }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return new ParcomoloError(
      'PARCOMOLO_CONTRACT_SCHEMA_REFUSED',
      `schema ${id} of '${String(schema['name'])}' is unreadable (${reason}); expected one that today's contract reads`,
      { details: { id }, cause: error }
    )
  }
}

const unknownRecord = (fullName: string, known: readonly string[]): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_CONTRACT_UNKNOWN_RECORD',
    `unknown record '${fullName}'${didYouMean(fullName, known) || '; expected a record of a contract'}`
  )

/** What the registry has under the id is no record; or it has nothing. */
const reasonToTell = (id: number, reason: ParcomoloError): ParcomoloError => {
  const isUnknown = isParcomoloError(reason, 'PARCOMOLO_REGISTRY_UNKNOWN_ID')
  const code = isUnknown ? 'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA' : 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED'
  return new ParcomoloError(code, reason.message, { details: { id }, cause: reason })
}

const unknownSchema = (id: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA',
    `unknown schema id '${id}'; expected one that was learnt from the registry`,
    { details: { id } }
  )

const malformed = (problem: string, bytes: Uint8Array, cause?: unknown): ParcomoloError => {
  const shown = `${Buffer.from(bytes.subarray(0, 16)).toString('hex')}${bytes.length > 16 ? '…' : ''}`
  const value = `value of ${bytes.length} bytes '${shown}'`
  return new ParcomoloError(
    'PARCOMOLO_CONTRACT_MALFORMED',
    `${value} is malformed: ${problem}; expected Avro in the Confluent wire format`,
    { cause }
  )
}
