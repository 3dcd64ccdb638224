import type { Clock } from '../base/index.ts'
import type { Entities } from './entities.ts'
import type { OwnJournal } from './own-journal.ts'
import type { AtBoundary, Marker, Snapshots } from './snapshots.ts'
import type { TaskLimits, TaskStats } from './task-deps.ts'

export type SnapshotScheduleDeps<S> = {
  readonly clock: Clock
  readonly limits: TaskLimits
  readonly stats: TaskStats
  readonly journal: Pick<OwnJournal, 'bytes'>
  readonly entities: Entities<S>
  readonly snapshots: Snapshots<S>
  readonly atBoundary: AtBoundary
  readonly marker: () => Marker
  /** Wakes the task: it may be time for a snapshot, or for the next. */
  readonly resume: () => void
  readonly fail: (error: unknown) => void
}

/** A stop goes on without its snapshot when the log has not taken it by then; Kubernetes kills after 30 s. */
const stopMsMax = 10_000
/** To make room in memory, one is taken at most so often, and what has ended is archived. */
const forRoomEveryMs = 5_000
const archiveEveryMs = 1_000

/**
 * When a task takes a snapshot; one at a time.
 *
 * S1. What a start would have to read is bounded, whoever has written it: what this owner has found to read counts.
 * S2. Where memory is short, what has ended leaves at once, and a snapshot is taken early, as what is idle may sleep
 *     (E4) only by one: what is busy is not written more often than it has to be.
 * S3. A stop waits for a snapshot, but not for ever: a snapshot is a cache.
 */
export class SnapshotSchedule<S> {
  readonly #deps: SnapshotScheduleDeps<S>
  #inputsAtLast = 0
  /** How much of the journal came before the last one that has begun, and before the last that is whole. */
  #bytesAtLast = 0
  #bytesAtWhole = 0
  #at: number
  #running: Promise<void> | undefined
  /** When what has ended may leave, and when one may begin, to make room in memory. */
  #archiveAt = 0
  #forRoomAt = 0
  #alarmAt = Infinity
  #cancelAlarm: (() => void) | undefined

  constructor(deps: SnapshotScheduleDeps<S>) {
    this.#deps = deps
    this.#at = deps.clock.now() + deps.limits.snapshotEveryMs
  }

  /** Begins one if it is due. */
  maybeBegin(): void {
    const { clock, limits, entities, journal } = this.#deps
    if (this.#running !== undefined) return
    if (journal.bytes - this.#bytesAtLast >= limits.bytesPerSnapshot) return this.#begin()
    const isCrowded = this.#isCrowded()
    if (isCrowded && clock.now() >= this.#archiveAt) return this.#archive()
    if (entities.dirty.size === 0 && !isCrowded) return
    const at = this.#dueAt(isCrowded)
    if (clock.now() >= at) this.#begin()
    else this.#wakeAt(isCrowded ? Math.min(at, this.#archiveAt) : at)
  }

  #dueAt(isCrowded: boolean): number {
    const { stats, limits } = this.#deps
    if (stats.inputs - this.#inputsAtLast >= limits.inputsPerSnapshot) return 0
    return isCrowded ? Math.min(this.#at, this.#forRoomAt) : this.#at
  }

  /** Packing may make room enough, and costs nothing that has to be read again. */
  #isCrowded(): boolean {
    const { entities, clock } = this.#deps
    if (entities.isCrowded && clock.now() >= this.#archiveAt) entities.packAll()
    return entities.isCrowded
  }

  /** Whether an orderly stop has to take one, or to wait for the one that is being written. */
  get isDueAtStop(): boolean {
    return this.#deps.journal.bytes - this.#bytesAtWhole > this.#deps.limits.bytesLeftAtStop
  }

  /** Resolves when nothing of a snapshot runs any more, or the log is too slow with it. */
  async stop(): Promise<void> {
    const { clock } = this.#deps
    this.#cancelAlarm?.()
    const late = Promise.withResolvers<void>()
    const cancel = clock.at(clock.now() + stopMsMax, late.resolve)
    await Promise.race([this.#finish(), late.promise])
    cancel()
  }

  async #finish(): Promise<void> {
    await this.#running
    if (this.isDueAtStop) this.#begin()
    await this.#running
  }

  #begin(): void {
    const { clock, limits, stats, journal, snapshots, atBoundary, marker } = this.#deps
    const { bytes } = journal
    this.#inputsAtLast = stats.inputs
    this.#bytesAtLast = bytes
    this.#at = clock.now() + limits.snapshotEveryMs
    this.#forRoomAt = clock.now() + forRoomEveryMs
    const whole = (): void => {
      stats.snapshots++
      this.#bytesAtWhole = bytes
    }
    this.#run(snapshots.write(atBoundary, marker).then((isWhole) => (isWhole ? whole() : undefined)))
  }

  #archive(): void {
    const { clock, snapshots, atBoundary } = this.#deps
    this.#archiveAt = clock.now() + archiveEveryMs
    this.#run(snapshots.archive(atBoundary))
  }

  #run(work: Promise<void>): void {
    const { fail, resume } = this.#deps
    this.#running = work.catch(fail).finally(() => {
      this.#running = undefined
      resume()
    })
  }

  /** A task that has nothing to do, any more or yet, snapshots too, or the next start would have all of it to read. */
  #wakeAt(at: number): void {
    if (at >= this.#alarmAt) return
    this.#cancelAlarm?.()
    this.#alarmAt = at
    this.#cancelAlarm = this.#deps.clock.at(at, () => {
      this.#alarmAt = Infinity
      this.#deps.resume()
    })
  }
}
