import type { Codec } from '../contract/index.ts'
import type { Payload } from '../saga/index.ts'

/** A message kept as the bytes that it came in: most are never looked into, and an instance is small that way. */
export const payloadOf = (type: string, bytes: Uint8Array, codec: Codec): Payload => new LazyPayload(type, bytes, codec)

class LazyPayload implements Payload {
  readonly type: string
  readonly bytes: Uint8Array
  readonly #codec: Codec

  constructor(type: string, bytes: Uint8Array, codec: Codec) {
    this.type = type
    this.bytes = bytes
    this.#codec = codec
  }

  get value(): Readonly<Record<string, unknown>> {
    return this.#codec.decode(this.bytes).value
  }
}
