import type { Clock } from '../base/index.ts'

/** `place`: where it stands in the heap. */
export type TimerEntry = { readonly key: string; dueAt: number; place: number }

/**
 * The timers of one task: a binary heap by time, and one alarm of the clock for its top. An entry knows its place, so
 * that what nobody waits for any more can be taken out: deadlines lie hours ahead, and few are ever reached.
 */
export class Timers {
  readonly #heap: TimerEntry[] = []
  readonly #clock: Clock
  readonly #onDue: () => void
  #cancelAlarm: (() => void) | undefined
  #alarmAt = Infinity

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  get size(): number {
    return this.#heap.length
  }

  add(key: string, dueAt: number): TimerEntry {
    const entry = { key, dueAt, place: this.#heap.length }
    this.#heap.push(entry)
    this.#rise(entry)
    this.arm()
    return entry
  }

  /** Moves an entry to an earlier time; nothing happens where it is out already. */
  advance(entry: TimerEntry, dueAt: number): void {
    if (this.#heap[entry.place] !== entry) return
    entry.dueAt = dueAt
    this.#rise(entry)
    this.arm()
  }

  /** Nothing happens where it is out already. */
  remove(entry: TimerEntry): void {
    if (this.#heap[entry.place] !== entry) return
    const last = this.#heap.pop()!
    if (last === entry) return
    this.#put(last, entry.place)
    this.#rise(last)
    this.#sink(last)
  }

  /** Takes out what is due, the earliest first; undefined when nothing is. */
  take(now: number): TimerEntry | undefined {
    const top = this.#heap[0]
    if (top === undefined || top.dueAt > now) {
      this.arm()
      return undefined
    }
    this.remove(top)
    if (top.dueAt >= this.#alarmAt) this.#forgetAlarm()
    return top
  }

  /** Sets the alarm for the earliest; needed by whoever takes some of what is due and leaves the rest. */
  arm(): void {
    const dueAt = this.#heap[0]?.dueAt ?? Infinity
    if (dueAt >= this.#alarmAt) return
    this.#forgetAlarm()
    this.#alarmAt = dueAt
    this.#cancelAlarm = this.#clock.at(dueAt, () => {
      this.#alarmAt = Infinity
      this.#onDue()
    })
  }

  /** The clock has been moved. */
  rearm(): void {
    this.#forgetAlarm()
    this.arm()
  }

  stop(): void {
    this.#heap.length = 0
    this.#forgetAlarm()
  }

  /** What it stood for may have been taken by somebody who came earlier; nothing may count on it then. */
  #forgetAlarm(): void {
    this.#cancelAlarm?.()
    this.#alarmAt = Infinity
  }

  #put(entry: TimerEntry, place: number): void {
    entry.place = place
    this.#heap[place] = entry
  }

  #rise(entry: TimerEntry): void {
    let { place } = entry
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1]!
      if (parent.dueAt <= entry.dueAt) break
      const free = parent.place
      this.#put(parent, place)
      place = free
    }
    this.#put(entry, place)
  }

  #sink(entry: TimerEntry): void {
    const heap = this.#heap
    let { place } = entry
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.dueAt < heap[child]!.dueAt) child++
      const other = heap[child]!
      if (other.dueAt >= entry.dueAt) break
      this.#put(other, place)
      place = child
    }
    this.#put(entry, place)
  }
}
