import { textOf } from './cell.ts'

/** A value in the wire format begins with its schema's id. */
const headBytes = 5

/** Of many values in the wire format, the first bytes of one for each schema. */
export class KeptHeads {
  readonly #heads = new Map<string, Uint8Array>()

  note(bytes: Uint8Array): void {
    const head = textOf(bytes.subarray(0, headBytes))
    if (!this.#heads.has(head)) this.#heads.set(head, bytes.slice(0, headBytes))
  }

  all(): Iterable<Uint8Array> {
    return this.#heads.values()
  }
}
