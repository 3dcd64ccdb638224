import { setImmediate as turn } from 'node:timers/promises'
import { seededRandom } from '../../src/base/index.ts'

type Entry = { readonly at: number; readonly number: number; readonly call: () => void; cancelled: boolean }

/**
 * Time and chance of one simulation. Everything that happens is an event with a time; between two events all promises
 * settle.
 *
 * V1. Same seed, same run: events are ordered by time, then by the order in which they were planned, and all chance
 *     comes from `random`.
 * V2. Nothing happens by itself: time moves only in `run`.
 */
export class VirtualTime {
  readonly random: () => number
  /** What has happened, a line an event. */
  readonly trace: string[] = []
  eventCount = 0
  #nowMs = Date.UTC(2026, 0, 1)
  #number = 0
  readonly #heap: Entry[] = []
  /** How far the wall clock of a machine is off. */
  readonly #offsets = new Map<string, number>()
  readonly #onWallMoved: (() => void)[] = []

  constructor(seed: string) {
    this.random = seededRandom(seed)
  }

  /** Whole milliseconds since 1970, as a real clock gives them; events lie between them. */
  now(): number {
    return Math.floor(this.#nowMs)
  }

  /** What the wall clock of a machine shows. */
  wallOf(machine: string): number {
    return this.now() + (this.#offsets.get(machine) ?? 0)
  }

  /** The wall clock of a machine jumps to so far from the true time. */
  setWall(machine: string, offsetMs: number): void {
    this.note(`the clock of ${machine} is set to ${Math.round(offsetMs)} ms from the true time`)
    this.#offsets.set(machine, offsetMs)
    for (const call of this.#onWallMoved) call()
  }

  onWallMoved(call: () => void): void {
    this.#onWallMoved.push(call)
  }

  /** Plans an event; gives the function that cancels it. */
  after(delayMs: number, call: () => void): () => void {
    const entry: Entry = { at: this.#nowMs + Math.max(0, delayMs), number: this.#number++, call, cancelled: false }
    this.#push(entry)
    return () => {
      entry.cancelled = true
    }
  }

  /** A number from `from` to `to`, mostly near `from`. */
  between(from: number, to: number): number {
    return from + (to - from) * this.random() ** 3
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!
  }

  note(text: string): void {
    this.trace.push(`${(this.#nowMs - Date.UTC(2026, 0, 1)).toFixed(2).padStart(9)} ${text}`)
  }

  /**
   * Lets events happen until `done`, until nothing is planned before `untilMs`, or until there have been `eventsMax`.
   * True if it is done.
   */
  async run(done: () => boolean, untilMs = Infinity, eventsMax = 1_000_000): Promise<boolean> {
    await settle()
    for (let count = 0; count < eventsMax; count++) {
      if (done()) return true
      const entry = this.#pop(untilMs)
      if (entry === undefined) break
      this.#nowMs = Math.max(this.#nowMs, entry.at)
      this.eventCount++
      entry.call()
      await turn()
    }
    await settle()
    return done()
  }

  /** Lets everything happen that is planned within this time. */
  async pass(ms: number): Promise<void> {
    const until = this.#nowMs + ms
    await this.run(() => false, until)
    this.#nowMs = until
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let i = heap.push(entry) - 1
    for (let parent = (i - 1) >> 1; i > 0 && isBefore(entry, heap[parent]!); parent = (i - 1) >> 1) {
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  #pop(untilMs: number): Entry | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= untilMs) {
      const top = this.#heap[0]!
      const last = this.#heap.pop()!
      if (this.#heap.length > 0) this.#sink(last)
      if (!top.cancelled) return top
    }
    return undefined
  }

  #sink(entry: Entry): void {
    const heap = this.#heap
    let i = 0
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, entry)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = entry
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.number < b.number)

/** Turns of the event loop that even code which yields to it in between needs to come to rest. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn()
}
