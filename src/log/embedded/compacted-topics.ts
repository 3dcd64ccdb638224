import { setImmediate as turn } from 'node:timers/promises'
import { type Clock, ParcomoloError } from '../../base/index.ts'
import type { LogRecord, StoredRecord } from '../log.ts'
import type { CompactedStore } from './compacted-store.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Partition } from './partition.ts'

/** Appends to and reads the compacted topics, in step with the log (E2). */
export class CompactedTopics {
  readonly store: CompactedStore
  /** Set while the disk does not take what is appended. */
  stalled: ParcomoloError | undefined
  readonly #commit: GroupCommit
  readonly #clock: Clock

  constructor(store: CompactedStore, commit: GroupCommit, clock: Clock) {
    this.store = store
    this.#commit = commit
    this.#clock = clock
  }

  /** `check` throws where the append may no longer be done. */
  async append(partition: Partition, records: readonly LogRecord[], check: () => void): Promise<number> {
    for (;;) {
      await this.#commit.drained()
      check()
      const base = partition.end
      if (this.#write(partition, base, records)) return base
      await this.#pause()
    }
  }

  async *read(partition: Partition, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    let next = from
    while (next < to) {
      const page = this.store.page(partition, next, to, pageRecordsMax)
      if (page.length === 0) return
      next = page.at(-1)!.offset + 1
      const live = page.filter(({ value }) => value !== null)
      if (live.length > 0) yield live
      await turn()
    }
  }

  close(): void {
    this.store.close()
  }

  /** False where the disk does not take it now. */
  #write(partition: Partition, base: number, records: readonly LogRecord[]): boolean {
    try {
      this.store.append(partition, base, records)
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      if (!isTransient(error)) throw this.#broken(error)
      this.stalled = notWritable(error as Error)
      return false
    }
    this.stalled = undefined
    partition.end = base + records.length
    partition.becameDurable(partition.end)
    partition.wake('visible')
    partition.wake('durable')
    return true
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.at(this.#clock.now() + retryEveryMs, resolve))
  }

  /** Whether the batch is there can no longer be told, so the log may not go on (G3). */
  #broken(cause: unknown): ParcomoloError {
    const error = new ParcomoloError(
      'PARCOMOLO_LOG_FAILED',
      `the compacted topics cannot be stored (${(cause as Error).message}); mend the disk and start again`,
      { cause }
    )
    this.#commit.fail(error)
    return error
  }
}

const pageRecordsMax = 500
const retryEveryMs = 1000

/** Undefined for an error that is not SQLite's. */
const codeOf = (error: unknown): number | undefined => (error as { errcode?: number }).errcode

/** SQLITE_FULL and SQLITE_IOERR, but no failed sync (SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC). https://sqlite.org/rescode.html */
const isTransient = (error: unknown): boolean => {
  const code = codeOf(error) ?? 0
  return [10, 13].includes(code & 0xff) && ![1034, 1290].includes(code)
}

const notWritable = (cause: Error): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_STALLED',
    `the compacted topics cannot be written (${cause.message}); it is tried again every second and nothing is lost; free space or mend the disk`,
    { retryable: true, cause }
  )
