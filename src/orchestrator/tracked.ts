import { deserialize, serialize } from 'node:v8'
import { decodeInstance, encodeInstance, type Instance, type Payload } from '../saga/index.ts'

/**
 * An instance, and the key that its start event had on the log: its commands carry it, so that all answers come to the
 * task that it lives in. Where its start is put off and its cancel has come before: only that.
 */
export type Tracked = { readonly recordKey: string } & (
  { readonly instance: Instance } | { readonly instance?: undefined; readonly cancelledBy: string }
)

/** For snapshots. */
export const encodeTracked = (tracked: Tracked): Uint8Array => {
  const { recordKey, instance } = tracked
  return serialize(instance === undefined ? tracked : { recordKey, instance: encodeInstance(instance) })
}

/** `payload` makes a message that is kept. */
export const decodeTracked = (bytes: Uint8Array, payload: (type: string, bytes: Uint8Array) => Payload): Tracked => {
  const stored = deserialize(bytes) as Stored
  const { recordKey, instance } = stored
  if (instance === undefined) return { recordKey, cancelledBy: stored.cancelledBy }
  return { recordKey, instance: decodeInstance(instance, payload) }
}

/** The values in the wire format that it keeps. */
export const payloadsOf = ({ instance }: Tracked): readonly Uint8Array[] =>
  instance === undefined
    ? []
    : [instance.start.bytes, ...instance.replies.flatMap((reply) => (reply === null ? [] : [reply.bytes]))]

type Stored =
  | { readonly recordKey: string; readonly instance: Parameters<typeof decodeInstance>[0] }
  | { readonly recordKey: string; readonly instance?: undefined; readonly cancelledBy: string }
