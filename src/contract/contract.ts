import { type ParcomoloError } from '../base/index.ts'

/**
 * A participant's contract, read from its YAML and its Avro protocol. All names of records are short names unless said
 * otherwise.
 */
export type Contract = {
  /** The participant's name: `billing`. */
  readonly participant: string
  /** Where its commands go. */
  readonly inbox: string
  /** Where its replies and events appear. */
  readonly events: string
  /** The consumer group by which it reads its inbox, where it has said so: what that commits is read. */
  readonly group?: string
  /** Where the courier sends its commands, if it speaks HTTP and not Kafka. */
  readonly http?: HttpEndpoint
  /** Avro namespace: `acme.billing`. */
  readonly namespace: string
  /** By command. */
  readonly operations: ReadonlyMap<string, Operation>
  /** Every record and error of the protocol, by short name. */
  readonly records: ReadonlyMap<string, RecordType>
  /** Records that may appear on the events topic: replies, rejections, one-way events. */
  readonly emits: ReadonlySet<string>
}

export type HttpEndpoint = {
  readonly url: string
  /** Of one call. */
  readonly timeoutMs: number
  /** Calls at a time, of one process. */
  readonly concurrency: number
  /** Calls of one process. */
  readonly perSecond?: number
  readonly headers: readonly HttpHeader[]
}

/** A header that the courier adds; `text`: its value, or the name of the variable or file that holds it. */
export type HttpHeader = {
  readonly name: string
  readonly source: 'value' | 'env' | 'secret'
  readonly text: string
}

export type Operation = {
  /** The message's name in the protocol: `reserveStock`. */
  readonly name: string
  /** The request's record: `ReserveStock`. */
  readonly command: string
  /** The response's records: one, or several where the response is a union. */
  readonly replies: readonly string[]
  /** The declared errors. */
  readonly rejections: readonly string[]
}

export type RecordType = {
  readonly name: string
  readonly fullName: string
  /** Complete in itself. */
  readonly schema: Readonly<Record<string, unknown>>
  readonly fields: readonly { readonly name: string; readonly type: FieldType; readonly hasDefault: boolean }[]
  /** The field that names the entity that it is about (`@key`): what it holds is the record's key on the log. */
  readonly key?: string
}

/** An Avro type as the checker of expressions needs it. */
export type FieldType =
  | { readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string' }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'record'; readonly name: string; readonly fields: RecordType['fields'] }
  | { readonly kind: 'array'; readonly items: FieldType }
  | { readonly kind: 'map'; readonly values: FieldType }
  | { readonly kind: 'union'; readonly of: readonly FieldType[] }

/** A decoded value with the name of its record. */
export type Message = {
  /** Short name: `StockReserved`. */
  readonly type: string
  /** `acme.billing.Charged`. */
  readonly fullName: string
  readonly value: Readonly<Record<string, unknown>>
}

export type RegisteredSchema = {
  readonly fullName: string
  readonly schema: Readonly<Record<string, unknown>>
  readonly id: number
}

/**
 * Values in the Confluent wire format (zero byte, schema id as 4 bytes big endian, Avro binary). Synchronous: made once
 * every id is known.
 */
export type Codec = {
  /** Throws PARCOMOLO_CONTRACT_VALUE_MISMATCH, naming the field, when the value does not fit. */
  encode(fullName: string, value: object): Uint8Array
  /**
   * Throws PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA for an id it has not been told of, PARCOMOLO_CONTRACT_SCHEMA_REFUSED for
   * one that `learn` has refused, PARCOMOLO_CONTRACT_MALFORMED for bytes that are not of the format. `withoutBytes`:
   * for who looks at no member of bytes, all of which come empty, at a fraction of the cost.
   */
  decode(bytes: Uint8Array, withoutBytes?: boolean): Message
  /**
   * The value as this record of a contract, where it was written with a schema of another name that resolves into it
   * all the same (a namespace that has changed, classes of one's own); undefined where it does not.
   */
  decodeAs(bytes: Uint8Array, fullName: string): Message | undefined
  /**
   * The value with the fields that it was written with and today's record lacks; undefined where it lacks none. For who
   * was made for an older record.
   */
  whole(bytes: Uint8Array): Message['value'] | undefined
  /** True when `decode` will find the schema of this value. */
  knows(bytes: Uint8Array): boolean
  /**
   * Tells of a schema that records may have been written with. Throws PARCOMOLO_CONTRACT_SCHEMA_REFUSED when today's
   * cannot read it.
   */
  learn(id: number, schema: Readonly<Record<string, unknown>>): void
  /** Tells why there is no schema to learn for this id, so that `decode` says it. Another `learn` may come. */
  refuse(id: number, reason: ParcomoloError): void
  /**
   * Writes and reads these records from now on. The older schemas of theirs that it knew are to be told again: what was
   * written with them is read as these.
   */
  adopt(schemas: readonly RegisteredSchema[]): void
}
