import type { Codec } from '../contract/index.ts'
import type { Payload, SagaEvent } from '../saga/index.ts'
import type { Payloads } from './payload.ts'

type Value = Readonly<Record<string, unknown>>

/** The members of an event that hold payloads. */
const payloadMembers = ['start', 'reply', 'rejection'] as const

/** The instance that an event is of. */
type Whose = {
  readonly saga: string
  readonly key: string
  /** The key that its commands go under which have this one; empty: that of its events. */
  readonly keyOf: (recordKey: string | null) => string
}

/** A record's value from an engine's event: payloads become type and bytes, a command's arguments its encoded bytes. */
export const toRecord = (event: SagaEvent, { saga, key, keyOf }: Whose, codec: Codec): Value => {
  const value: Record<string, unknown> = { saga, key, ...event.value }
  if (event.type === 'CommandIssued') {
    value['arguments'] = codec.encode(event.value.commandFullName, event.value.arguments)
    value['recordKey'] = keyOf(event.value.recordKey)
    return value
  }
  for (const member of payloadMembers) {
    const payload = value[member] as Payload | undefined
    if (payload === undefined) continue
    value[`${member}Type`] = payload.type
    value[member] = payload.bytes
  }
  return value
}

/** The engine's event from a record. The arguments of a command stay encoded: no fold needs them. */
export const fromRecord = (type: string, record: Value, payloads: Payloads): SagaEvent => {
  const value: Record<string, unknown> = { ...record }
  // Empty, or absent in what earlier releases have journaled.
  if (type === 'CommandIssued') value['recordKey'] ||= null
  for (const member of payloadMembers) {
    const bytes = value[member]
    if (!(bytes instanceof Uint8Array)) continue
    const type = String(value[`${member}Type`])
    const isKept = member === 'start' || value['kept'] === true
    value[member] = isKept ? payloads.kept(type, bytes) : payloads.passing(type, bytes)
  }
  return { type, value } as unknown as SagaEvent
}
