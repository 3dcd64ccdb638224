import { placeName, type TopicPartition } from '../log.ts'
import type { FetchFrom } from './fetch.ts'

/** What a Fetch says of its session: all that it wants, or only how that differs from the request before. */
export type SessionPart = {
  readonly id: number
  readonly epoch: number
  readonly from: readonly FetchFrom[]
  readonly forgotten: readonly TopicPartition[]
}

/** A request outside of any session. */
export const withoutSession = (from: readonly FetchFrom[]): SessionPart => ({ id: 0, epoch: -1, from, forgotten: [] })

const epochMax = 2 ** 31 - 1

/**
 * A Fetch session (KIP-227): the broker keeps what is followed, so a request names only what has moved, and an answer
 * only what has something. One request of a session is under way at a time.
 */
export class FetchSession {
  #id = 0
  #epoch = 0
  #known: ReadonlyMap<string, FetchFrom> = new Map()

  /** The request for these. */
  next(wanted: readonly FetchFrom[]): SessionPart {
    const before = this.#known
    this.#known = new Map(wanted.map((from) => [placeName(from.place), from]))
    if (this.#id === 0) return { id: 0, epoch: 0, from: wanted, forgotten: [] }
    const forgotten = [...before].filter(([name]) => !this.#known.has(name)).map(([, { place }]) => place)
    const from = wanted.filter(({ place, offset }) => before.get(placeName(place))?.offset !== offset)
    return { id: this.#id, epoch: this.#epoch, from, forgotten }
  }

  /** The answer has come; 0 where the broker has no room for a session, which is asked for again then. */
  answered(id: number): void {
    this.#epoch = id === this.#id && this.#epoch < epochMax ? this.#epoch + 1 : 1
    this.#id = id
  }

  /** Begins anew: nobody knows what the broker has of it. */
  reset(): void {
    this.#id = 0
    this.#epoch = 0
  }
}
