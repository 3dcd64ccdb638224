import { SteadyTime } from './steady-time.ts'

/** Time as everything that is not pure gets it: passed in, so that a test can move it. */
export type Clock = {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Calls once when `now()` has reached `atMs`; gives a function that cancels. */
  at(atMs: number, call: () => void): () => void
}

/** One that also tells how much time has passed, whatever the wall clock does meanwhile. */
export type ElapsedClock = Clock & {
  /** Milliseconds since whenever, perhaps without those in which the machine slept. */
  elapsed(): number
}

/** What a process has to tell the time by. */
export type TimeSource = {
  /** Milliseconds since 1970, UTC, as the machine believes; jumps. */
  wall(): number
  /** Milliseconds since whenever; only ever goes on, but may stand still while the machine sleeps. */
  monotonic(): number
  /** Calls once after this many monotonic milliseconds; gives a function that cancels. */
  after(ms: number, call: () => void): () => void
}

/** How often somebody has to look at a clock, so that no alarm sleeps through a jump. */
const lookEveryMs = 1_000

/** The longest delay that setTimeout takes; a later call is set again when this one is up. */
const delayMsMax = 2_147_483_647

type Alarm = { readonly atMs: number; readonly call: () => void; cancel: () => void }

/**
 * A clock that goes on whatever the wall clock does (`SteadyTime`). Alarms are waited for by monotonic time, so they
 * are set anew after a jump; `look` finds one that nobody else has met.
 */
export class SteadyClock implements ElapsedClock {
  readonly #source: TimeSource
  readonly #time: SteadyTime
  readonly #alarms = new Set<Alarm>()
  readonly #listeners = new Set<(ms: number) => void>()

  constructor(source: TimeSource) {
    this.#source = source
    this.#time = new SteadyTime(source.wall(), source.monotonic())
  }

  now(): number {
    const jumpMs = this.#time.read(this.#source.wall(), this.#source.monotonic())
    if (jumpMs !== 0) this.#jumped(jumpMs)
    return this.#time.now
  }

  elapsed(): number {
    return this.#source.monotonic()
  }

  at(atMs: number, call: () => void): () => void {
    const alarm: Alarm = { atMs, call, cancel: () => undefined }
    this.#alarms.add(alarm)
    this.#arm(alarm, this.now())
    return () => {
      this.#alarms.delete(alarm)
      alarm.cancel()
    }
  }

  /** Moves time forward to this; gives how far that was, in ms, 0 where it has been reached already. */
  notBefore(ms: number): number {
    const byMs = ms - this.now()
    if (byMs <= 0) return 0
    this.#time.lead(ms)
    this.#armAll()
    return byMs
  }

  /** To be called about every second. */
  look(): void {
    this.now()
  }

  /** Calls at each jump of the wall clock with its ms, below 0 where it went back; gives what ends that. */
  onJump(listener: (ms: number) => void): () => void {
    const own = (ms: number): void => listener(ms)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  #jumped(ms: number): void {
    this.#armAll()
    for (const listener of this.#listeners) listener(ms)
  }

  #armAll(): void {
    for (const alarm of this.#alarms) {
      alarm.cancel()
      this.#arm(alarm, this.#time.now)
    }
  }

  #arm(alarm: Alarm, now: number): void {
    const delayMs = Math.min(delayMsMax, Math.max(0, alarm.atMs - now))
    alarm.cancel = this.#source.after(delayMs, () => this.#ring(alarm))
  }

  /** What was waited for may be less than what was asked for: a timer may come early, and time may go slower. */
  #ring(alarm: Alarm): void {
    const now = this.now()
    if (now < alarm.atMs) return this.#arm(alarm, now)
    this.#alarms.delete(alarm)
    alarm.call()
  }
}

/** A clock of one's own: the same as another one until it is moved forward, which costs nothing where it never is. */
export class LedClock implements Clock {
  readonly #followed: Clock
  #own: SteadyClock | undefined

  constructor(followed: Clock) {
    this.#followed = followed
  }

  now(): number {
    return (this.#own ?? this.#followed).now()
  }

  at(atMs: number, call: () => void): () => void {
    return (this.#own ?? this.#followed).at(atMs, call)
  }

  /**
   * Moves time forward to this; gives how far that was, in ms, 0 where it has been reached already. Alarms that were
   * set before do not know of it.
   */
  notBefore(ms: number): number {
    if (this.now() >= ms) return 0
    const now = (): number => this.#followed.now()
    this.#own ??= new SteadyClock({
      ...{ wall: now, monotonic: now, after: (delayMs, call) => this.#followed.at(now() + delayMs, call) }
    })
    return this.#own.notBefore(ms)
  }
}

export const systemClock = new SteadyClock({
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  }
})

setInterval(() => systemClock.look(), lookEveryMs).unref()
