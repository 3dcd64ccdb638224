/**
 * The schema registry's port: subjects with versions of Avro schemas, each schema with one id, as the Confluent
 * registry has them.
 */
export type Registry = {
  /**
   * Rejects as `register` would, with PARCOMOLO_REGISTRY_INCOMPATIBLE or _INVALID_SCHEMA, and writes nothing: whoever
   * registers several checks them all before the first is written.
   */
  check(subject: string, schema: AvroSchema): Promise<void>
  /**
   * Registers a schema under a subject (TopicRecordName: `<topic>-<full record name>`), compatibility BACKWARD, and
   * gives its id; the same schema gives the same id.
   * Rejects with PARCOMOLO_REGISTRY_INCOMPATIBLE, naming subject and reason, before anything is written.
   */
  register(subject: string, schema: AvroSchema): Promise<number>
  /** All versions of a subject, oldest first; none where nothing was registered under it. */
  versions(subject: string): Promise<readonly { readonly id: number; readonly schema: AvroSchema }[]>
  /** The schema with this id; rejects with PARCOMOLO_REGISTRY_UNKNOWN_ID. */
  schema(id: number): Promise<AvroSchema>
  close(): Promise<void>
}

/** An Avro schema as parsed JSON, complete in itself (every named type is defined where it is first used). */
export type AvroSchema = Readonly<Record<string, unknown>>
