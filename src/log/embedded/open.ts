import { Budget, type Clock, type ParcomoloError, systemClock } from '../../base/index.ts'
import type { Log } from '../log.ts'
import { checkCompacted } from './compacted-check.ts'
import { CompactedStore } from './compacted-store.ts'
import { compactedCacheBytes, CompactedTopics } from './compacted-topics.ts'
import { makeFolder, usable } from './data-folder.ts'
import { type Disk, systemDisk } from './disk.ts'
import { FolderLog } from './embedded-log.ts'
import { GroupCommit } from './group-commit.ts'
import { lockFolder } from './lock.ts'
import { Mark, type Marked, readMark } from './mark.ts'
import { type Recovered, recover } from './recovery.ts'
import { SegmentList } from './segment-list.ts'
import { TailMemory } from './tail-memory.ts'
import { Topics } from './topics.ts'

export type EmbeddedLogOptions = {
  /** The data folder; made where it is missing. */
  readonly dir: string
  readonly clock?: Clock
  readonly disk?: Disk
  /** For the newest records in memory, and for what is read and not yet taken. */
  readonly budget?: Budget
  /** A segment that has reached this length gets no more groups. */
  readonly segmentBytes?: number
  /** What the newest records may take in memory; if undefined a quarter of the budget, 64 MiB at most. */
  readonly tailBytesMax?: number
  /**
   * Beyond this, appends wait for the disk, or are refused while it cannot be written; if undefined an eighth of the
   * budget, 32 MiB at most.
   */
  readonly waitingBytesMax?: number
  /** How long a group may be held back while each turn of the event loop appends more. */
  readonly patienceMs?: number
  /** Groups up to this length may be synced on the calling thread. */
  readonly syncBytesMax?: number
  /** What whoever runs the process should know of the folder. */
  readonly onWarning?: (facts: object, message: string) => void
}

/** Opens the log in a data folder, which one process may do at a time. */
export const openEmbeddedLog = async (given: EmbeddedLogOptions): Promise<Log> => {
  const { budget = new Budget(budgetBytes) } = given
  const options = { ...defaults, budget, ...boundsIn(budget), ...given }
  const unlock = usable(options.dir, () => {
    makeFolder(options.dir, options.disk)
    return lockFolder(options.dir)
  })
  try {
    return usable(options.dir, () => open(options, unlock))
  } catch (error) {
    unlock()
    throw error
  }
}

const defaults = {
  clock: systemClock,
  disk: systemDisk,
  segmentBytes: 64 * 1024 * 1024,
  patienceMs: 1,
  syncBytesMax: 64 * 1024,
  onWarning: () => undefined
}

/** Where nobody says what the process may have. */
const budgetBytes = 256 * 1024 * 1024

const boundsIn = ({ bytesMax }: Budget) => ({
  tailBytesMax: Math.min(64 * 1024 * 1024, bytesMax / 4),
  waitingBytesMax: Math.min(32 * 1024 * 1024, bytesMax / 8)
})

const open = (options: Required<EmbeddedLogOptions>, unlock: () => void): Log => {
  const { dir, clock, disk, budget, segmentBytes, patienceMs, syncBytesMax } = options
  const onStalled = (error: ParcomoloError | undefined): void =>
    error === undefined
      ? options.onWarning({}, 'the disk takes what is written again')
      : options.onWarning({ code: error.code }, error.message)
  const topics = new Topics(dir, disk)
  const store = openCompacted(options, topics)
  const { segments, position, ends } = recoverStored(options, store)
  const mark = new Mark(dir, position)
  const list = new SegmentList(segments)
  const tail = new TailMemory(options.tailBytesMax, budget.account('tail'))
  const commit = new GroupCommit({
    dir,
    disk,
    clock,
    segmentBytes,
    patienceMs,
    syncBytesMax,
    account: budget.account('waiting'),
    position,
    onSegment: (segment) => list.add(segment),
    onDurable: (stored) => {
      mark.advance(stored)
      tail.evict()
    },
    onFailed: (error) => log.failed(error),
    onStalled
  })
  const compacted = new CompactedTopics({ store, dir, commit, clock, budget, onStalled })
  const { waitingBytesMax } = options
  const log: FolderLog = new FolderLog({
    topics,
    ends,
    segments: list,
    tail,
    commit,
    compacted,
    budget,
    waitingBytesMax,
    mark,
    unlock
  })
  disk.syncFolder(dir)
  return log
}

type Opening = Pick<Required<EmbeddedLogOptions>, 'dir' | 'budget' | 'onWarning'>

const openCompacted = ({ dir, budget, onWarning }: Opening, topics: Topics): CompactedStore => {
  const distrusted =
    wholeMark(dir)?.isLiveCopy === true ? 'the folder was copied while a process had it open' : undefined
  const reason = checkCompacted({ dir, topics: topics.all, distrusted })
  if (reason !== undefined)
    onWarning(
      { file: 'compacted.db', reason },
      `compacted.db is made anew, and journals are read from the start: ${reason}`
    )
  return new CompactedStore(dir, compactedCacheBytes(budget))
}

/** Not before the log's positions that the compacted topics remember. */
const recoverStored = ({ dir, onWarning }: Opening, store: CompactedStore): Recovered => {
  try {
    const mark = readMark(dir)
    if (mark === 'damaged')
      onWarning({ file: 'mark' }, 'the mark of how far the log was stored is damaged, and is made anew')
    const recovered = recover(dir, Math.max(store.logPosition(), wholeMark(dir)?.position ?? 0))
    const { cutBytes } = recovered
    if (cutBytes > 0)
      onWarning(
        { cutBytes },
        `${cutBytes} bytes at the end of the log were of a write that was cut off, and are removed`
      )
    return recovered
  } catch (error) {
    store.close()
    throw error
  }
}

const wholeMark = (dir: string): Marked | undefined => {
  const mark = readMark(dir)
  return mark === 'damaged' ? undefined : mark
}
