import { ByteShare, type Chunk, type Isolation, type Reader } from '../../src/log/index.ts'
import type { SimulatedPartition } from './simulated-broker.ts'

type Source = {
  readonly partition: SimulatedPartition
  next: number
  /** Records below it have come over the network. */
  arrived: number
}

/** Follows partitions from afar: `deliver` decides when news of a partition arrives. */
export class SimulatedReader implements Reader {
  readonly #sources: Source[]
  readonly #isolation: Isolation
  readonly #unlisten: (() => void)[] = []
  #closed = false
  #failed: Error | undefined
  #first = 0
  #waiting: PromiseWithResolvers<void> | undefined

  constructor(
    starts: readonly { readonly partition: SimulatedPartition; readonly offset: number }[],
    isolation: Isolation,
    deliver: (arrival: () => void) => void
  ) {
    this.#isolation = isolation
    this.#sources = starts.map(({ partition, offset }) => ({ partition, next: offset, arrived: offset }))
    for (const source of this.#sources) {
      const listener = (): void => {
        const end = this.#endOf(source)
        if (end > source.arrived) deliver(() => this.#arrive(source, end))
      }
      source.partition.listeners.add(listener)
      this.#unlisten.push(() => source.partition.listeners.delete(listener))
    }
    // What is there already comes with the first answer.
    const ends = this.#sources.map((source) => this.#endOf(source))
    deliver(() => this.#sources.forEach((source, i) => this.#arrive(source, ends[i]!)))
  }

  take(recordsMax: number, bytesMax = Infinity): Chunk[] {
    if (this.#closed || this.#failed !== undefined) return []
    const chunks: Chunk[] = []
    let left = recordsMax
    const bytes = new ByteShare(bytesMax)
    this.#first++
    for (let i = 0; i < this.#sources.length && left > 0; i++) {
      const source = this.#sources[(this.#first + i) % this.#sources.length]!
      const share = Math.max(1, Math.ceil(left / (this.#sources.length - i)))
      const arrived = source.partition.between(source.next, source.arrived)
      bytes.begin(this.#sources.length - i)
      const records = arrived.slice(0, bytes.take(arrived, 0, share))
      source.next =
        records.length === arrived.length ? Math.max(source.next, source.arrived) : arrived[records.length]!.offset
      left -= records.length
      if (records.length > 0) chunks.push({ ...source.partition.place, records })
    }
    return chunks
  }

  ready(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (this.#closed || this.#hasSome()) return Promise.resolve()
    this.#waiting ??= Promise.withResolvers<void>()
    return this.#waiting.promise
  }

  close(): void {
    this.#closed = true
    this.abandon()
    this.#settle()
  }

  /** The log was closed: whoever follows it still hears of it. */
  fail(error: Error): void {
    this.#failed = error
    this.abandon()
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  /** Its process has crashed: nothing arrives any more, and nobody is told. */
  abandon(): void {
    for (const unlisten of this.#unlisten) unlisten()
  }

  #endOf({ partition }: Source): number {
    return this.#isolation === 'durable' ? partition.durableEnd : partition.end
  }

  #arrive(source: Source, end: number): void {
    source.arrived = Math.max(source.arrived, end)
    if (this.#hasSome()) this.#settle()
  }

  #hasSome(): boolean {
    return this.#sources.some(
      ({ partition, next, arrived }) => next < arrived && partition.between(next, arrived).length > 0
    )
  }

  #settle(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}
