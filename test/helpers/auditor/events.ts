/**
 * What the auditor reads: records as any Kafka client sees them, decoded by avsc alone. Nothing here comes from `src`.
 */
import avro from 'avsc'

export type AuditRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: Uint8Array | null
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
}

export type Flow = 'orchestration' | 'choreography'

/** Schemas by their id in the wire format. */
export type Schemas = ReadonlyMap<number, object>

export type Value = Readonly<Record<string, unknown>>

export type AuditEvent = Omit<AuditRecord, 'value'> & {
  /** Short record name. */
  readonly type: string
  readonly value: Value
  /** `ce_causationid`. */
  readonly cause: string | undefined
}

/** All records of some topics, decoded, by topic: in the order of partition and offset. */
export class Journals {
  readonly records: readonly AuditRecord[]
  readonly #types = new Map<number, avro.Type>()
  readonly #schemas: Schemas
  readonly #byTopic = new Map<string, AuditEvent[]>()

  constructor(records: readonly AuditRecord[], schemas: Schemas) {
    this.#schemas = schemas
    this.records = [...records].sort(byPlace)
    for (const record of this.records) {
      if (record.value === null || !topics.has(record.topic)) continue
      const event = this.decode(record, record.value)
      if (event.type === marker && record.topic.endsWith('-events')) continue
      const events = this.#byTopic.get(record.topic) ?? []
      this.#byTopic.set(record.topic, events)
      events.push(event)
    }
  }

  events(topic: string): readonly AuditEvent[] {
    return this.#byTopic.get(topic) ?? []
  }

  /** A topic's events by a member of their value that names an entity; what has none is left out. */
  by(topic: string, member: string): ReadonlyMap<string, readonly AuditEvent[]> {
    const groups = new Map<string, AuditEvent[]>()
    for (const event of this.events(topic)) {
      const id = event.value[member]
      if (typeof id !== 'string') continue
      const group = groups.get(id)
      if (group === undefined) groups.set(id, [event])
      else group.push(event)
    }
    return groups
  }

  /** Bytes in the wire format, as the event of this record: its value, or one that it holds. */
  decode(record: Omit<AuditRecord, 'value'>, bytes: Uint8Array): AuditEvent {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (buffer[0] !== 0 || buffer.length < 5) throw new Error(`${at(record)} is not in the wire format`)
    const type = this.#type(buffer.readInt32BE(1), record)
    const value = type.fromBuffer(buffer.subarray(5)) as Value
    const name = type.name?.slice(type.name.lastIndexOf('.') + 1) ?? ''
    return { ...record, type: name, value, cause: record.headers['ce_causationid'] }
  }

  #type(id: number, record: Omit<AuditRecord, 'value'>): avro.Type {
    const known = this.#types.get(id)
    if (known !== undefined) return known
    const schema = this.#schemas.get(id)
    if (schema === undefined) throw new Error(`${at(record)} has schema ${id}, which the registry does not know`)
    const type = avro.Type.forSchema(structuredClone(schema) as avro.Schema)
    this.#types.set(id, type)
    return type
  }
}

/** What stands in a journal and is no event; journals from before it have records without a value instead. */
const marker = 'JournalMarker'

/** The topics that the auditor understands. */
const topics = new Set([
  'order-events',
  'stock-events',
  'payment-events',
  'shipping-events',
  'saga-events',
  'saga-definitions',
  'loyalty-events',
  'order-commands',
  'inventory-commands',
  'payment-commands',
  'shipping-commands',
  'loyalty-commands',
  'orchestrator-commands'
])

const byPlace = (a: AuditRecord, b: AuditRecord): number =>
  a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition || a.offset - b.offset

/** How a place is named in evidence. */
export const at = ({ topic, partition, offset }: Pick<AuditRecord, 'topic' | 'partition' | 'offset'>): string =>
  `${topic}/${partition}/${offset}`

/** What was found wrong: the rule of DESIGN §9, a sentence, and where to look. */
export type Violation = { readonly rule: string; readonly message: string; readonly evidence: readonly string[] }

export const violation = (
  rule: string,
  message: string,
  ...evidence: readonly (Pick<AuditRecord, 'topic' | 'partition' | 'offset'> & { type?: string; key?: string })[]
): Violation => ({
  rule,
  message,
  evidence: evidence.map((event) => `${event.type ?? 'record'} at ${at(event)}`)
})

export type Line = { readonly sku: string; readonly quantity: number }

export const linesOf = (event: AuditEvent): readonly Line[] => (event.value['lines'] as Line[] | undefined) ?? []

/** Lines as one number a SKU, to be compared. */
export const total = (lines: readonly Line[]): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>()
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity)
  return sums
}

export const isEqual = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean =>
  a.size === b.size && [...a].every(([key, number]) => b.get(key) === number)
