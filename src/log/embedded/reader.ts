import type { Account } from '../../base/index.ts'
import { ByteShare } from '../byte-share.ts'
import type { Chunk, Isolation, Reader, StoredRecord, TopicPartition } from '../log.ts'
import type { Wakeups } from './wakeups.ts'

/** One partition of a reader. */
export type Source = {
  readonly place: TopicPartition
  /**
   * How many records can be handed over now; at most `countMax` are counted. Where it is 0 for now, the source wakes
   * its reader later.
   */
  available(countMax: number): number
  /** Hands over this many, which `available` has named, or those of them that have room in `bytes`. */
  take(count: number, bytes: ByteShare): readonly StoredRecord[]
  close(): void
}

/** Where a source begins and accounts for what it holds; it tells its reader of more, or that it cannot go on. */
export type Start = {
  readonly offset: number
  readonly isolation: Isolation
  readonly account: Account
  readonly wake: () => void
  readonly fail: (error: Error) => void
}

/** A reader over sources of any kind. */
export class EmbeddedReader implements Reader {
  readonly #sources: Source[] = []
  readonly #wakeups: Wakeups
  readonly #onClose: () => void
  #first = 0
  #closed = false
  #failed: Error | undefined
  #waiting: { readonly promise: Promise<void>; resolve(): void; reject(error: Error): void } | undefined

  constructor(wakeups: Wakeups, onClose: () => void) {
    this.#wakeups = wakeups
    this.#onClose = onClose
  }

  add(source: Source): void {
    this.#sources.push(source)
  }

  take(recordsMax: number, bytesMax = Infinity): Chunk[] {
    if (this.#closed || this.#failed !== undefined) return []
    const sources = this.#inTurn()
    const available = sources.map((source) => source.available(recordsMax))
    const bytes = new ByteShare(bytesMax)
    const chunks: Chunk[] = []
    for (const [i, count] of fairShares(available, recordsMax).entries()) {
      if (count === 0) continue
      const source = sources[i]!
      bytes.begin(sources.length - i)
      const records = source.take(count, bytes)
      if (records.length > 0) chunks.push({ ...source.place, records })
    }
    return chunks
  }

  ready(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (this.#hasSome()) return Promise.resolve()
    this.#waiting ??= Promise.withResolvers<void>()
    return this.#waiting.promise
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const source of this.#sources) source.close()
    this.#onClose()
    this.#settle()
  }

  /** Nothing more is handed over: the log is broken. */
  readonly fail = (error: Error): void => {
    if (this.#closed || this.#failed !== undefined) return
    this.#failed = error
    for (const source of this.#sources) source.close()
    this.#settle(error)
  }

  /** There may be more: looked at, once for all that comes, at the end of the turn. */
  readonly wake = (): void => {
    if (this.#waiting !== undefined) this.#wakeups.add(this)
  }

  /** The turn has ended. */
  look(): void {
    if (this.#waiting !== undefined && this.#hasSome()) this.#settle()
  }

  #settle(error?: Error): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (error === undefined) waiting?.resolve()
    else waiting?.reject(error)
  }

  #hasSome(): boolean {
    return this.#sources.some((source) => source.available(1) > 0)
  }

  /** Each `take` begins with the next source, so that a rest does not always go to the same. */
  #inTurn(): Source[] {
    if (this.#sources.length < 2) return this.#sources
    this.#first = (this.#first + 1) % this.#sources.length
    return [...this.#sources.slice(this.#first), ...this.#sources.slice(0, this.#first)]
  }
}

/** Gives everyone the same share of `total`; what one does not need goes to the others. */
export const fairShares = (wanted: readonly number[], total: number): number[] => {
  const shares = wanted.map(() => 0)
  let left = total
  let hungry = wanted.flatMap((count, i) => (count > 0 ? [i] : []))
  while (left > 0 && hungry.length > 0) {
    const share = Math.max(1, Math.floor(left / hungry.length))
    for (const i of hungry) {
      const more = Math.min(share, wanted[i]! - shares[i]!, left)
      shares[i]! += more
      left -= more
    }
    hungry = hungry.filter((i) => shares[i]! < wanted[i]!)
  }
  return shares
}
