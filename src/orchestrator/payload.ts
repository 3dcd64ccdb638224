import type { Codec, Message } from '../contract/index.ts'
import type { Payload } from '../saga/index.ts'

type Value = Message['value']

/**
 * Messages as the bytes that they came in: most are never looked into, and an instance is small that way.
 * What has come is a view into all that has come with it; only what is kept owns its bytes, and is remembered here.
 * A value is whole, as the revision that looks into it may be older than the contract of now.
 */
export class Payloads {
  readonly #codec: Codec
  /** What was decoded of late, by the bytes that are kept: a running saga looks into the same few again and again. */
  readonly #recent = new Map<Uint8Array, Value>()
  #latest: { readonly bytes: Uint8Array; readonly value: Value } | undefined

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /** The message that is decided on now. */
  arrived(type: string, bytes: Uint8Array, value: Value): Payload {
    const whole = this.#codec.whole(bytes) ?? value
    this.#latest = { bytes, value: whole }
    return { type, bytes, value: whole }
  }

  /** A message that an instance keeps. */
  kept(type: string, bytes: Uint8Array): Payload {
    const own = bytes.buffer.byteLength === bytes.byteLength ? bytes : new Uint8Array(bytes)
    if (this.#latest?.bytes === bytes) this.#remember(own, this.#latest.value)
    return new KeptPayload(type, own, this)
  }

  /** A message of which only the type is of use later. */
  passing(type: string, bytes: Uint8Array): Payload {
    return new PassingPayload(type, bytes, this.#codec)
  }

  /** `bytes`: those of a message that is kept. */
  value(bytes: Uint8Array): Value {
    const known = this.#recent.get(bytes)
    if (known !== undefined) return known
    const value = wholeValue(this.#codec, bytes)
    this.#remember(bytes, value)
    return value
  }

  #remember(bytes: Uint8Array, value: Value): void {
    if (this.#recent.size >= recentMax) this.#recent.delete(this.#recent.keys().next().value!)
    this.#recent.set(bytes, value)
  }
}

const wholeValue = (codec: Codec, bytes: Uint8Array): Value => codec.whole(bytes) ?? codec.decode(bytes).value

const recentMax = 1000

class PassingPayload implements Payload {
  readonly type: string
  readonly bytes: Uint8Array
  readonly #codec: Codec

  constructor(type: string, bytes: Uint8Array, codec: Codec) {
    this.type = type
    this.bytes = bytes
    this.#codec = codec
  }

  get value(): Payload['value'] {
    return wholeValue(this.#codec, this.bytes)
  }
}

class KeptPayload implements Payload {
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
