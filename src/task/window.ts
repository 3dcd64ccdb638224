/** Bounds on what may lie unread in one inbox partition; see `Window`. */
export type WindowLimits = {
  readonly initial: number
  readonly min: number
  readonly max: number
}

/** A window holds as many commands as its participant reads in this time: enough to keep it busy, and no more. */
const aimMs = 1_000
/** It is adapted at most so often. */
const everyMs = 200
/** It shrinks so much at a time at most, so that a pause of the participant is not taken for its pace. */
const shrinkMost = 0.75

/**
 * How many commands may lie unread in an inbox partition before what begins anew is put off. It follows the pace at
 * which the participant reads: a fast one is never short of work, and what waits for a slow one waits in the log, where
 * it costs nothing. While nothing is read it stays as it is.
 */
export class Window {
  limit: number
  readonly #limits: WindowLimits
  #since: number
  #read = 0
  #wasFull = false

  constructor(limits: WindowLimits, now: number) {
    this.#limits = limits
    this.limit = limits.initial
    this.#since = now
  }

  /** Something was put off for it. */
  full(): void {
    this.#wasFull = true
  }

  /** So many commands were read until now. */
  read(count: number, now: number): void {
    this.#read += count
    const elapsedMs = now - this.#since
    if (elapsedMs < everyMs) return
    const wanted = (this.#read / elapsedMs) * aimMs
    // It shows what the participant can do only where there was enough to be read.
    if (wanted > this.limit || this.#wasFull) this.#moveTo(Math.max(wanted, this.limit * shrinkMost))
    this.#since = now
    this.#read = 0
    this.#wasFull = false
  }

  #moveTo(limit: number): void {
    const { min, max } = this.#limits
    this.limit = Math.round(Math.min(max, Math.max(min, limit)))
  }
}
