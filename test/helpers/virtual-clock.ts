import type { Clock } from '../../src/base/index.ts'

/** A clock that stands still until it is moved. */
export class VirtualClock implements Clock {
  #now: number
  #alarms: { at: number; call: () => void }[] = []

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  at(at: number, call: () => void): () => void {
    const alarm = { at, call }
    this.#alarms.push(alarm)
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm)
    }
  }

  /** How many alarms there are. */
  get waiting(): number {
    return this.#alarms.length
  }

  /** Moves the time on and calls what has come due, the earliest first. */
  advance(ms: number): void {
    this.#now += ms
    const due = this.#alarms.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at)
    this.#alarms = this.#alarms.filter(({ at }) => at > this.#now)
    for (const { call } of due) call()
  }
}
