import { setImmediate as turn } from 'node:timers/promises'
import { type Account, type Budget, type Clock, ParcomoloError } from '../../base/index.ts'
import type { LogRecord, StoredRecord, TopicPartition } from '../log.ts'
import type { CompactedStore } from './compacted-store.ts'
import { CompactedWriter } from './compacted-worker.ts'
import { usable } from './data-folder.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Partition } from './partition.ts'

export type CompactedTopicsDeps = {
  readonly store: CompactedStore
  readonly dir: string
  readonly commit: GroupCommit
  readonly clock: Clock
  readonly budget: Budget
  /** The disk does not take what is written, for this reason; once, and again with undefined when it does. */
  readonly onStalled: (error: ParcomoloError | undefined) => void
}

/**
 * Appends to and reads the compacted topics, in step with the log (E2). Batches are written one after the other: the
 * first ones, while they are small, on this thread, then on one of their own, whose start costs some 0.1 s.
 */
export class CompactedTopics {
  readonly store: CompactedStore
  /** Set while the disk does not take what is appended. */
  stalled: ParcomoloError | undefined
  readonly #dir: string
  readonly #commit: GroupCommit
  readonly #clock: Clock
  readonly #reading: Account
  readonly #cacheBytes: number
  readonly #onStalled: (error: ParcomoloError | undefined) => void
  #writer: CompactedWriter | undefined
  #recordsHere = 0
  #last: Promise<unknown> = Promise.resolve()
  #goOn: (() => void) | undefined

  constructor({ store, dir, commit, clock, budget, onStalled }: CompactedTopicsDeps) {
    this.#onStalled = onStalled
    this.#cacheBytes = compactedCacheBytes(budget)
    this.store = store
    this.#dir = dir
    this.#commit = commit
    this.#clock = clock
    this.#reading = budget.account('ranges')
  }

  end(place: TopicPartition): number {
    return usable(this.#dir, () => {
      this.store.forget(place, this.#clock.now() - deletionKeptMs)
      return this.store.end(place)
    })
  }

  /** `check` throws where the append may no longer be done. */
  append(partition: Partition, records: readonly LogRecord[], check: () => void): Promise<number> {
    const appended = this.#last.then(async () => {
      for (;;) {
        await this.#commit.drained()
        check()
        const base = partition.end
        if (await this.#write(partition, base, records)) return base
        check()
        await this.#pause()
      }
    })
    this.#last = appended.catch(() => undefined)
    return appended
  }

  async *read(partition: Partition, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    let next = from
    while (next < to) {
      const { records, heldBytes } = this.store.page(partition, next, to)
      if (records.length === 0) return
      next = records.at(-1)!.offset + 1
      const live = records.filter(({ value }) => value !== null)
      this.#reading.hold(heldBytes)
      try {
        if (live.length > 0) yield live
        await turn()
      } finally {
        this.#reading.release(heldBytes)
      }
    }
  }

  /** What is under way is finished; what waits for a full disk is given up. The checks of all others throw by now. */
  async close(): Promise<void> {
    this.#goOn?.()
    await this.#last
    await this.#writer?.close()
    this.store.close()
  }

  /** False where the disk does not take it now. */
  async #write(partition: Partition, base: number, records: readonly LogRecord[]): Promise<boolean> {
    try {
      await this.#store(partition, base, records)
    } catch (error) {
      if (!isTransient(error)) throw this.#broken(error)
      this.#stall(notWritable(error as Error))
      return false
    }
    this.#stall(undefined)
    partition.end = base + records.length
    partition.becameDurable(partition.end)
    partition.wake('visible')
    partition.wake('durable')
    return true
  }

  #stall(error: ParcomoloError | undefined): void {
    if ((error === undefined) !== (this.stalled === undefined)) this.#onStalled(error)
    this.stalled = error
  }

  #store(partition: Partition, base: number, records: readonly LogRecord[]): Promise<void> | void {
    this.#recordsHere += records.length
    const { durablePosition } = this.#commit
    if (this.#writer === undefined && this.#recordsHere <= recordsHereMax) {
      return this.store.append(partition, base, records, durablePosition)
    }
    const writer = (this.#writer ??= new CompactedWriter(this.#dir, this.#cacheBytes))
    return writer.append(partition, base, records, durablePosition).catch((error: unknown) => {
      // It has written nothing, and takes nothing more: the next attempt begins another.
      if (isNotBegun(error)) this.#writer = undefined
      throw error
    })
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.at(this.#clock.now() + retryEveryMs, resolve)
      this.#goOn = () => {
        cancel()
        resolve()
      }
    })
  }

  /** Whether the batch is there can no longer be told, so the log may not go on (G3). */
  #broken(cause: unknown): unknown {
    if (cause instanceof ParcomoloError) return cause
    const error = new ParcomoloError(
      'PARCOMOLO_LOG_FAILED',
      `the compacted topics cannot be stored (${(cause as Error).message}); mend the disk and start again`,
      { cause }
    )
    this.#commit.fail(error)
    return error
  }
}

/** Of SQLite's pages, on each of the two threads. */
export const compactedCacheBytes = (budget: Budget): number => Math.min(cacheBytesMax, budget.bytesMax / 8)

const cacheBytesMax = 32 * 1024 * 1024
const deletionKeptMs = 24 * 60 * 60 * 1000
const retryEveryMs = 1000

/** Definitions stay below it; snapshots do not. */
const recordsHereMax = 200

/** Its thread could not be started, for want of descriptors or memory. */
const isNotBegun = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ERR_WORKER_INIT_FAILED'

/**
 * SQLITE_FULL, SQLITE_CANTOPEN and SQLITE_IOERR, but no failed sync (SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC).
 * https://sqlite.org/rescode.html
 */
const isTransient = (error: unknown): boolean => {
  if (isNotBegun(error)) return true
  const code = (error as { errcode?: number }).errcode ?? 0
  return [10, 13, 14].includes(code & 0xff) && ![1034, 1290].includes(code)
}

const notWritable = (cause: Error): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_STALLED',
    `the compacted topics cannot be written (${cause.message}); it is tried again every second and nothing is lost; free space or mend the disk`,
    { retryable: true, cause }
  )
