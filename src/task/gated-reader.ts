import type { Chunk, Reader } from '../log/index.ts'

/**
 * Two readers as one, of which the inbox is read only as far as there is room for what it begins. What is not taken
 * stays in the log, and whoever has sent it can tell that nobody has read it.
 */
export class GatedReader implements Reader {
  readonly #inbox: Reader
  readonly #others: Reader
  readonly #room: () => number
  #opened = Promise.withResolvers<void>()
  #isClosed = false

  constructor(inbox: Reader, others: Reader, room: () => number) {
    this.#inbox = inbox
    this.#others = others
    this.#room = room
  }

  take(recordsMax: number, bytesMax = Infinity): Chunk[] {
    const others = this.#others.take(recordsMax, bytesMax)
    const room = Math.min(recordsMax, this.#room())
    return room > 0 ? [...others, ...this.#inbox.take(room, bytesMax)] : others
  }

  ready(): Promise<void> {
    return Promise.race([this.#others.ready(), this.#inboxIsReady()])
  }

  /** There may be room again. */
  look(): void {
    if (this.#room() > 0) this.#opened.resolve()
  }

  close(): void {
    this.#isClosed = true
    this.#opened.resolve()
    this.#inbox.close()
    this.#others.close()
  }

  async #inboxIsReady(): Promise<void> {
    if (this.#room() <= 0 && !this.#isClosed) {
      this.#opened = Promise.withResolvers()
      await this.#opened.promise
    }
    await this.#inbox.ready()
  }
}
