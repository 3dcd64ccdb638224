import { type Clock, ParcomoloError } from '../base/index.ts'
import { header } from '../task/index.ts'
import type { Arrived, Place } from './record.ts'

/**
 * Puts the records of all journals into an order in which no effect comes before its cause: a batch is held until
 * everything that its task had read, by the positions which the batch carries, has been handed on; and so have the
 * events behind the commands that it had read. So whoever sees that a saga has been compensated sees every undo as
 * well.
 *
 * A1. Within a partition the order stays.
 * A2. A partition of which something is held is not read on; and who reads asks for less the more is held. So what
 *     waits is bounded, and every partition can have one batch here, which is all that another one may wait for.
 * A3. When nothing has moved for `patienceMs` (a partition cannot be read, or was lost), what is held is handed on as
 *     it came: the folds take any order, and only the promise above is then off.
 */
export class CausalOrder {
  /** Called when patience is over: `offer` then hands on what was held. */
  onPatienceOver: () => void = () => undefined
  readonly #next: Map<string, number>
  readonly #held = new Map<string, Queue>()
  readonly #clock: Clock
  readonly #patienceMs: number
  #stopTimer: (() => void) | undefined
  #isPatienceOver = false
  #heldBytes = 0

  /** `next`: the offset of each followed partition that comes next, by its name. */
  constructor(next: ReadonlyMap<string, number>, clock: Clock, patienceMs: number) {
    this.#next = new Map(next)
    this.#clock = clock
    this.#patienceMs = patienceMs
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  holds(place: Place): boolean {
    return this.#held.has(place.name)
  }

  /** Takes what has arrived, and gives what may be folded now. */
  offer(arrived: readonly Arrived[]): readonly Arrived[] {
    for (const one of arrived) this.#enqueue(one)
    const ready: Arrived[] = []
    while (this.#release(ready)) continue
    if (this.#isPatienceOver)
      for (const [name, queue] of this.#held) this.#handOn(ready, name, queue, queue.records.length)
    this.#isPatienceOver = false
    this.#watch(ready.length > 0)
    return ready
  }

  close(): void {
    this.#stopTimer?.()
  }

  #enqueue(one: Arrived): void {
    this.#heldBytes += one.bytes
    const queue = this.#held.get(one.place.name)
    if (queue === undefined) this.#held.set(one.place.name, { records: [one], awaited: undefined })
    else queue.records.push(one)
  }

  /** One pass over the partitions; true when another one may find more. */
  #release(ready: Arrived[]): boolean {
    let hasMoved = false
    for (const [name, queue] of this.#held) {
      const count = this.#countReady(queue)
      if (count === 0) continue
      hasMoved = true
      this.#handOn(ready, name, queue, count)
    }
    return hasMoved && this.#held.size > 0
  }

  /** Records before the first that has to wait; what that waits for is read once, however often it is looked at. */
  #countReady(queue: Queue): number {
    const { records, awaited } = queue
    if (awaited !== undefined && !this.#hasCome(awaited)) return 0
    for (let i = awaited === undefined ? 0 : 1; i < records.length; i++) {
      queue.awaited = this.#awaitedBy(records[i]!)
      if (queue.awaited !== undefined) return i
    }
    queue.awaited = undefined
    return records.length
  }

  #handOn(ready: Arrived[], name: string, { records }: Queue, count: number): void {
    const [{ record }] = records as [Arrived]
    if (record.offset < (this.#next.get(name) ?? 0)) throw wentBack(name, record.offset)
    for (let i = 0; i < count; i++) {
      ready.push(records[i]!)
      this.#heldBytes -= records[i]!.bytes
    }
    this.#next.set(name, records[count - 1]!.record.offset + 1)
    if (count === records.length) this.#held.delete(name)
    else records.splice(0, count)
  }

  /** What its task had read and has not been handed on; undefined where nothing is missing. */
  #awaitedBy({ record }: Arrived): Awaited | undefined {
    const text = record.headers[header.positions]
    if (text === undefined) return undefined
    const awaited: [string, number][] = []
    for (const [name, next] of Object.entries(JSON.parse(text) as Record<string, number>)) {
      const place = placeOf(name)
      if ((this.#next.get(place) ?? next) < next) awaited.push([place, next])
    }
    return awaited.length === 0 ? undefined : awaited
  }

  #hasCome(awaited: Awaited): boolean {
    return awaited.every(([place, next]) => this.#next.get(place)! >= next)
  }

  /** Patience begins anew with whatever moves. */
  #watch(hasMoved: boolean): void {
    if (this.#stopTimer !== undefined && !hasMoved) return
    this.#stopTimer?.()
    this.#stopTimer = undefined
    if (this.#held.size === 0) return
    this.#stopTimer = this.#clock.at(this.#clock.now() + this.#patienceMs, () => {
      this.#stopTimer = undefined
      this.#isPatienceOver = true
      this.onPatienceOver()
    })
  }
}

/** Of a partition in which something is held. */
type Queue = { readonly records: Arrived[]; awaited: Awaited | undefined }

/** What the first record waits for: the next offsets of other partitions. */
type Awaited = readonly (readonly [place: string, next: number])[]

const wentBack = (place: string, offset: number): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_DEFECT',
    `the log handed over ${place}@${offset} once more; expected each record once, in the order of offsets`
  )

/**
 * The journal that a position is of: of `from:saga-events/0@payment-commands/0`, which counts forwarded commands by the
 * events that sent them, `saga-events/0`. One of `start:` tells what has been put off, which is no cause of anything;
 * it names no place here, and so holds nothing.
 */
const placeOf = (position: string): string =>
  position.startsWith('from:') ? position.slice(5, position.indexOf('@')) : position
