import type { Chunk, Reader } from '../log/index.ts'

/**
 * Two readers as one, of which the inbox is read only as far as there is room for what it begins. What is not taken
 * stays in the log, and whoever has sent it can tell that nobody has read it.
 *
 * Each is asked once until it answers: one of them may have nothing for days while the other always has something, and
 * would keep whatever each round attaches to it.
 */
export class GatedReader implements Reader {
  readonly #inbox: Asked
  readonly #others: Asked
  readonly #room: () => number
  #waiting: PromiseWithResolvers<void> | undefined

  constructor(inbox: Reader, others: Reader, room: () => number) {
    this.#inbox = { reader: inbox, isAsked: false }
    this.#others = { reader: others, isAsked: false }
    this.#room = room
  }

  take(recordsMax: number, bytesMax = Infinity): Chunk[] {
    const others = this.#others.reader.take(recordsMax, bytesMax)
    const room = Math.min(recordsMax, this.#room())
    return room > 0 ? [...others, ...this.#inbox.reader.take(room, bytesMax)] : others
  }

  ready(): Promise<void> {
    this.#waiting ??= Promise.withResolvers()
    const { promise } = this.#waiting
    this.#ask(this.#others)
    this.look()
    return promise
  }

  /** There may be room again. */
  look(): void {
    if (this.#waiting !== undefined && this.#room() > 0) this.#ask(this.#inbox)
  }

  close(): void {
    this.#inbox.reader.close()
    this.#others.reader.close()
    this.#settle(({ resolve }) => resolve())
  }

  #ask(one: Asked): void {
    if (one.isAsked) return
    one.isAsked = true
    one.reader.ready().then(
      () => {
        one.isAsked = false
        this.#settle(({ resolve }) => resolve())
      },
      (error: unknown) => {
        one.isAsked = false
        this.#settle(({ reject }) => reject(error))
      }
    )
  }

  #settle(how: (waiting: PromiseWithResolvers<void>) => void): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) how(waiting)
  }
}

type Asked = { readonly reader: Reader; isAsked: boolean }
