import { type Instance, type Payload } from './instance.ts'

/** An instance as plain data: JSON's types, and bytes. Payloads are left undecoded. */
export type InstanceSnapshot = Omit<Instance, 'start' | 'replies'> & {
  readonly start: PayloadSnapshot
  readonly replies: readonly (PayloadSnapshot | null)[]
}

type PayloadSnapshot = Pick<Payload, 'type' | 'bytes'>

export const encodeInstance = (instance: Instance): InstanceSnapshot => ({
  ...instance,
  start: undecoded(instance.start),
  replies: instance.replies.map((reply) => reply && undecoded(reply))
})

/** `payload` makes a message from its type and its bytes, to be decoded when first asked for. */
export const decodeInstance = (
  snapshot: InstanceSnapshot,
  payload: (type: string, bytes: Uint8Array) => Payload
): Instance => ({
  ...snapshot,
  start: payload(snapshot.start.type, snapshot.start.bytes),
  replies: snapshot.replies.map((reply) => reply && payload(reply.type, reply.bytes))
})

const undecoded = ({ type, bytes }: Payload): PayloadSnapshot => ({ type, bytes })
