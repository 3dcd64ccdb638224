import type { Clock } from '../base/index.ts'

export type TimerEntry = { readonly key: string; readonly dueAt: number }

/** The timers of one task: a binary heap by time, and one alarm of the clock for its top. */
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

  add(key: string, dueAt: number): void {
    const heap = this.#heap
    let i = heap.push({ key, dueAt }) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (heap[parent]!.dueAt <= dueAt) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = { key, dueAt }
    this.arm()
  }

  /** Takes out what is due, the earliest first; undefined when nothing is. */
  take(now: number): TimerEntry | undefined {
    const top = this.#heap[0]
    if (top === undefined || top.dueAt > now) {
      this.arm()
      return undefined
    }
    const last = this.#heap.pop()!
    if (this.#heap.length > 0) this.#sink(last)
    return top
  }

  /** Sets the alarm for the earliest; needed by whoever takes some of what is due and leaves the rest. */
  arm(): void {
    const dueAt = this.#heap[0]?.dueAt ?? Infinity
    if (dueAt >= this.#alarmAt) return
    this.#cancelAlarm?.()
    this.#alarmAt = dueAt
    this.#cancelAlarm = this.#clock.at(dueAt, () => {
      this.#alarmAt = Infinity
      this.#onDue()
    })
  }

  stop(): void {
    this.#heap.length = 0
    this.#cancelAlarm?.()
  }

  #sink(entry: TimerEntry): void {
    const heap = this.#heap
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.dueAt < heap[child]!.dueAt) child++
      if (heap[child]!.dueAt >= entry.dueAt) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = entry
  }
}
