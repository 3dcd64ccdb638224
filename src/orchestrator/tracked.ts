import { deserialize } from 'node:v8'
import { decodeInstance, encodeInstance, type Instance, type InstanceSnapshot, type Payload } from '../saga/index.ts'

/**
 * An instance, and the key that its start event had on the log: its commands carry it, so that all answers come to the
 * task that it lives in. Where its start is put off and its cancel has come before: only that.
 */
export type Tracked = { readonly recordKey: string } & (
  { readonly instance: Instance } | { readonly instance?: undefined; readonly cancelledBy: string }
)

/** The values in the wire format that it keeps. */
export const payloadsOf = ({ instance }: Tracked): readonly Uint8Array[] =>
  instance === undefined
    ? []
    : [instance.start.bytes, ...instance.replies.flatMap((reply) => (reply === null ? [] : [reply.bytes]))]

type Row = InstanceSnapshot & { readonly recordKey: string }

/** In this order for good: a new member comes last, and what was written before it was known ends before. */
const members: Readonly<Record<keyof Required<Row>, true>> = {
  key: true,
  recordKey: true,
  saga: true,
  revision: true,
  startedAt: true,
  deadlineAt: true,
  phase: true,
  slots: true,
  timers: true,
  failure: true,
  cancel: true,
  cancelRefused: true,
  start: true,
  replies: true,
  standsStill: true
}
const names = Object.keys(members) as (keyof Row)[]
/** Few have the last. */
const usualNames = names.slice(0, -1)

type Place = readonly [type: string, length: number]

type Head = Omit<Row, 'recordKey' | 'start' | 'replies'> & {
  readonly recordKey: string | null
  readonly start: Place
  readonly replies: readonly (Place | null)[]
}

const version = 1
/** An early cancel: so many bytes of JSON follow. */
const earlyCancelMark = 2
/** How what `v8.serialize` wrote begins: earlier snapshots, and an archive keeps them for ever. */
const v8Mark = 0xff
const headAt = 5

/**
 * An instance as bytes, for snapshots, and as it lies in memory while nothing happens to it:
 *
 *   tracked  = instance | 2:u8 JSON of an early cancel
 *   instance = version:u8 (= 1) length:u32 head payload*     little endian
 *   head     = so many bytes of JSON: the members' values in their order; a payload is [type, length], and a record key
 *              that is the saga's key is null
 *   payload  = the bytes of the start, then of the replies
 */
export const encodeTracked = (tracked: Tracked): Uint8Array => {
  const { instance, recordKey } = tracked
  if (instance === undefined) return Buffer.from(`${String.fromCharCode(earlyCancelMark)}${JSON.stringify(tracked)}`)
  const payloads: Uint8Array[] = []
  const place = ({ type, bytes }: Pick<Payload, 'type' | 'bytes'>): Place => {
    payloads.push(bytes)
    return [type, bytes.length]
  }
  const snapshot = encodeInstance(instance)
  const start = place(snapshot.start)
  const replies = snapshot.replies.map((reply) => reply && place(reply))
  const row: Head = { ...snapshot, recordKey: recordKey === instance.key ? null : recordKey, start, replies }
  const head = JSON.stringify((instance.standsStill === true ? names : usualNames).map((name) => row[name]))
  const headBytes = Buffer.byteLength(head)
  const bytes = Buffer.allocUnsafeSlow(payloads.reduce((sum, { length }) => sum + length, headAt + headBytes))
  bytes.writeUInt8(version, 0)
  bytes.writeUInt32LE(headBytes, 1)
  bytes.write(head, headAt)
  let at = headAt + headBytes
  for (const payload of payloads) {
    bytes.set(payload, at)
    at += payload.length
  }
  return bytes
}

type MakePayload = (type: string, bytes: Uint8Array) => Payload

export const decodeTracked = (bytes: Uint8Array, payload: MakePayload): Tracked => {
  if (bytes[0] === v8Mark) {
    const { recordKey, instance } = deserialize(bytes) as { recordKey: string; instance: InstanceSnapshot }
    return { recordKey, instance: decodeInstance(instance, payload) }
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes[0] === earlyCancelMark) return JSON.parse(buffer.toString('utf8', 1)) as Tracked
  let at = headAt + buffer.readUInt32LE(1)
  const values = JSON.parse(buffer.toString('utf8', headAt, at)) as unknown[]
  const head = Object.fromEntries(names.map((name, i) => [name, values[i]])) as Head
  const taken = ([type, length]: Place): Pick<Payload, 'type' | 'bytes'> => {
    at += length
    return { type, bytes: buffer.subarray(at - length, at) }
  }
  const { recordKey, start, replies, standsStill, ...usual } = head
  const rest = standsStill === true ? { ...usual, standsStill } : usual
  const instance = { ...rest, start: taken(start), replies: replies.map((reply) => reply && taken(reply)) }
  return { recordKey: recordKey ?? rest.key, instance: decodeInstance(instance, payload) }
}
