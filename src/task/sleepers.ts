import type { CensusGroup } from './component.ts'
import type { TimerEntry, Timers } from './timers.ts'

/** What is kept of one that sleeps: its entry among the timers, and how the census counts it. */
type Sleeper = { timer: TimerEntry | undefined; readonly group: CensusGroup | undefined }

/** The entities of one task that only the snapshots have (E4). */
export class Sleepers {
  readonly #timers: Timers
  readonly #asleep = new Map<string, Sleeper>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  get size(): number {
    return this.#asleep.size
  }

  has(key: string): boolean {
    return this.#asleep.has(key)
  }

  add(key: string, sleeper: Sleeper): void {
    this.#asleep.set(key, sleeper)
  }

  /** How the census counts it; undefined also where it does not sleep. */
  groupOf(key: string): CensusGroup | undefined {
    return this.#asleep.get(key)?.group
  }

  /** It is in memory again, or gone, and its timer with it. */
  leave(key: string): void {
    const timer = this.#asleep.get(key)?.timer
    if (timer !== undefined) this.#timers.remove(timer)
    this.#asleep.delete(key)
  }

  /** Its timer was taken out. */
  fired(key: string): void {
    const sleeper = this.#asleep.get(key)
    if (sleeper !== undefined) sleeper.timer = undefined
  }

  /** It is called at this time, if not before: when its state is there, it tells its time itself. */
  callAt(key: string, at: number): void {
    const sleeper = this.#asleep.get(key)
    if (sleeper === undefined) return
    if (sleeper.timer === undefined) sleeper.timer = this.#timers.add(key, at)
    else if (at < sleeper.timer.dueAt) this.#timers.advance(sleeper.timer, at)
  }
}
