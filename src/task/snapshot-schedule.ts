import type { Clock } from '../base/index.ts'
import type { Entities } from './entities.ts'
import type { AtBoundary, Marker, Snapshots } from './snapshots.ts'
import type { TaskLimits, TaskStats } from './task-deps.ts'

export type SnapshotScheduleDeps<S> = {
  readonly clock: Clock
  readonly limits: TaskLimits
  readonly stats: TaskStats
  readonly entities: Entities<S>
  readonly snapshots: Snapshots<S>
  readonly atBoundary: AtBoundary
  readonly marker: () => Marker
  /** Wakes the task: it may be time for a snapshot, or for the next. */
  readonly resume: () => void
  readonly fail: (error: unknown) => void
}

/** When a task takes a snapshot; one at a time. */
export class SnapshotSchedule<S> {
  readonly #deps: SnapshotScheduleDeps<S>
  #inputsAtLast = 0
  #at: number
  #running: Promise<void> | undefined
  #cancelAlarm: (() => void) | undefined

  constructor(deps: SnapshotScheduleDeps<S>) {
    this.#deps = deps
    this.#at = deps.clock.now() + deps.limits.snapshotEveryMs
  }

  /** Begins one if it is due. */
  maybeBegin(): void {
    const { clock, limits, stats, entities } = this.#deps
    const now = clock.now()
    if (this.#running !== undefined || entities.dirty.size === 0) return
    if (stats.inputs - this.#inputsAtLast < limits.inputsPerSnapshot && now < this.#at) return this.#wakeInTime()
    this.#inputsAtLast = stats.inputs
    this.#at = now + limits.snapshotEveryMs
    this.#running = this.#write()
  }

  /** Resolves when nothing of a snapshot runs any more. */
  async stop(): Promise<void> {
    this.#cancelAlarm?.()
    await this.#running
  }

  #write(): Promise<void> {
    const { snapshots, atBoundary, marker, stats, fail, resume } = this.#deps
    return snapshots
      .write(atBoundary, marker)
      .then((isWhole) => void (stats.snapshots += isWhole ? 1 : 0), fail)
      .finally(() => {
        this.#running = undefined
        resume()
      })
  }

  /** A task that has nothing to do, any more or yet, snapshots too, or the next start would have all of it to read. */
  #wakeInTime(): void {
    this.#cancelAlarm ??= this.#deps.clock.at(this.#at, () => {
      this.#cancelAlarm = undefined
      this.#deps.resume()
    })
  }
}
