/** Smaller differences are no jump: clocks are set right by fractions, and two of them are read one after the other. */
const jumpMsMin = 500

/** By so much time goes slower until the wall clock has caught up; chrony slews by no more either. */
const slowdown = 1 / 12

/**
 * The time of a process, told by a wall clock that may jump and a monotonic one that may not. It never goes back: where
 * the wall clock does, time goes on ahead of it, a twelfth slower, until that has caught up. Where the wall clock goes
 * forward, by hand or while the machine slept, time goes with it, since that much has passed.
 */
export class SteadyTime {
  /** Whole milliseconds since 1970, as of the last reading. */
  now: number
  #wall: number
  #monotonic: number
  #aheadMs = 0

  constructor(wall: number, monotonic: number) {
    this.now = wall
    this.#wall = wall
    this.#monotonic = monotonic
  }

  /** Takes both clocks in; gives by how many ms the wall clock has jumped since the last reading, mostly 0. */
  read(wall: number, monotonic: number): number {
    const passedMs = monotonic - this.#monotonic
    const driftMs = wall - this.#wall - passedMs
    this.#wall = wall
    this.#monotonic = monotonic
    const hasJumped = Math.abs(driftMs) >= jumpMsMin
    if (this.#aheadMs > 0) this.#aheadMs = Math.max(0, this.#aheadMs - passedMs * slowdown)
    if (hasJumped) this.#aheadMs = Math.max(0, this.#aheadMs - driftMs)
    const now = Math.floor(wall + this.#aheadMs)
    if (now > this.now) this.now = now
    return hasJumped ? Math.round(driftMs) : 0
  }

  /** Moves time forward to this, ahead of the wall clock. */
  lead(ms: number): void {
    this.#aheadMs = ms - this.#wall
    this.now = ms
  }
}
