import { type Log, type Reader, recordBytes } from '../log/index.ts'
import type { Arrived, Place } from './record.ts'

/**
 * One durable reader a partition, so that those whose records are held back can be left unread: the log is the queue.
 *
 * R1. Fair: each round begins with the partition after the one that the round before began with.
 */
export class PlaceReaders {
  readonly #readers: readonly PlaceReader[]
  #first = 0
  #wake: (() => void) | undefined
  #isWoken = false
  #failure: { readonly error: unknown } | undefined

  constructor(log: Log, places: readonly Place[], next: ReadonlyMap<string, number>) {
    this.#readers = places.map((place) => {
      const { topic, partition, name } = place
      return {
        place,
        reader: log.reader([{ topic, partition, offset: next.get(name) ?? 0 }], 'durable'),
        isAsked: false
      }
    })
  }

  /**
   * Resolves when something may have arrived in a partition that is not held, on `wake` and on close; rejects when the
   * log has failed.
   */
  async ready(isHeld: (place: Place) => boolean): Promise<void> {
    for (const reader of this.#readers) if (!isHeld(reader.place)) this.#ask(reader)
    if (!this.#isWoken) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#isWoken = false
    if (this.#failure !== undefined) throw this.#failure.error
  }

  wake(): void {
    this.#isWoken = true
    this.#wake?.()
    this.#wake = undefined
  }

  /** At most so many records and bytes, but one record of any length, of partitions that are not held. */
  take({ recordsMax, bytesMax }: TakeLimits, isHeld: (place: Place) => boolean): Arrived[] {
    const arrived: Arrived[] = []
    const count = this.#readers.length
    let bytesLeft = bytesMax
    for (let i = 0; i < count && arrived.length < recordsMax && bytesLeft > 0; i++) {
      const { place, reader } = this.#readers[(this.#first + i) % count]!
      if (isHeld(place)) continue
      for (const { records } of reader.take(recordsMax - arrived.length, bytesLeft))
        for (const record of records) {
          const bytes = recordBytes(record)
          bytesLeft -= bytes
          arrived.push({ place, record, bytes })
        }
    }
    this.#first = (this.#first + 1) % count
    return arrived
  }

  close(): void {
    for (const { reader } of this.#readers) reader.close()
    this.wake()
  }

  #ask(one: PlaceReader): void {
    if (one.isAsked) return
    one.isAsked = true
    one.reader.ready().then(
      () => {
        one.isAsked = false
        this.wake()
      },
      (error: unknown) => {
        this.#failure = { error }
        this.wake()
      }
    )
  }
}

export type TakeLimits = { readonly recordsMax: number; readonly bytesMax: number }

type PlaceReader = { readonly place: Place; readonly reader: Reader; isAsked: boolean }
