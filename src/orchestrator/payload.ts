import type { Codec, Message } from '../contract/index.ts'
import type { Payload } from '../saga/index.ts'

/** Messages kept as the bytes that they came in: most are never looked into, and an instance is small that way. */
export class Payloads {
  readonly #codec: Codec
  /** What was decoded of late, by its bytes: a running saga looks into the same few messages again and again. */
  readonly #recent = new Map<Uint8Array, Message['value']>()

  constructor(codec: Codec) {
    this.#codec = codec
  }

  of(type: string, bytes: Uint8Array): Payload {
    return new LazyPayload(type, bytes, this)
  }

  value(bytes: Uint8Array): Message['value'] {
    const known = this.#recent.get(bytes)
    if (known !== undefined) return known
    const { value } = this.#codec.decode(bytes)
    if (this.#recent.size >= recentMax) this.#recent.delete(this.#recent.keys().next().value!)
    this.#recent.set(bytes, value)
    return value
  }
}

const recentMax = 1000

class LazyPayload implements Payload {
  readonly type: string
  readonly bytes: Uint8Array
  readonly #payloads: Payloads

  constructor(type: string, bytes: Uint8Array, payloads: Payloads) {
    this.type = type
    this.bytes = bytes
    this.#payloads = payloads
  }

  get value(): Payload['value'] {
    return this.#payloads.value(this.bytes)
  }
}
