import type { Account } from '../../base/index.ts'
import type { Arrived } from './position.ts'

/**
 * An answer that gives more than this has one batch that is larger. Brokers cut it off anywhere, and what is left of a
 * batch comes again: the less is asked for at once, the more of what stands in large batches is read twice.
 */
const answerBytesMax = 1024 * 1024
/** Less is not worth a request; a batch comes whole however little is asked for. */
const answerBytesMin = 16 * 1024

/**
 * How much a reader asks for at once, so that what comes of it has room in its account: by what each byte of the last
 * answer has become in memory. While a request is under way its room is held.
 */
export class ReadRoom {
  readonly #account: Account
  readonly #answerBytesMax: number
  /** Of records with half a kilobyte and some headers. */
  #heldPerByte = 2

  /** `answerBytes`: not more at once, where many are to have room beside one another. */
  constructor(account: Account, answerBytes = answerBytesMax) {
    this.#account = account
    this.#answerBytesMax = answerBytes
  }

  /** Whether there is room for one more answer beside what is held. */
  get hasMore(): boolean {
    return this.#account.bytesMax - this.#account.heldBytes >= answerBytesMin * this.#heldPerByte
  }

  async read<T>(fetch: (bytesMax: number) => Promise<Arrived<T>>): Promise<Arrived<T>> {
    const free = (this.#account.bytesMax - this.#account.heldBytes) / this.#heldPerByte
    const bytesMax = Math.floor(Math.min(this.#answerBytesMax, Math.max(answerBytesMin, free)))
    const reserved = Math.ceil(bytesMax * this.#heldPerByte)
    this.#account.hold(reserved)
    try {
      const what = await fetch(bytesMax)
      if (what.heldBytes > 0) this.#heldPerByte = what.heldBytes / what.fetchedBytes
      return what
    } finally {
      this.#account.release(reserved)
    }
  }
}
