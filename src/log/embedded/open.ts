import { type Clock, systemClock } from '../../base/index.ts'
import type { Log } from '../log.ts'
import { CompactedTopics } from './compacted-topics.ts'
import { makeFolder, usable } from './data-folder.ts'
import { type Disk, systemDisk } from './disk.ts'
import { FolderLog } from './embedded-log.ts'
import { GroupCommit } from './group-commit.ts'
import { lockFolder } from './lock.ts'
import { recover } from './recovery.ts'
import { SegmentList } from './segment-list.ts'
import { TailMemory } from './tail-memory.ts'
import { Topics } from './topics.ts'

export type EmbeddedLogOptions = {
  /** The data folder; made where it is missing. */
  readonly dir: string
  readonly clock?: Clock
  readonly disk?: Disk
  /** A segment that has reached this length gets no more groups. */
  readonly segmentBytes?: number
  /** What the newest records may take in memory. */
  readonly tailBytesMax?: number
  /** Beyond this, appends wait for the disk, or are refused while it cannot be written. */
  readonly waitingBytesMax?: number
  /** How long a group may be held back while each turn of the event loop appends more. */
  readonly patienceMs?: number
  /** Groups up to this length may be synced on the calling thread. */
  readonly syncBytesMax?: number
}

/** Opens the log in a data folder, which one process may do at a time. */
export const openEmbeddedLog = async (given: EmbeddedLogOptions): Promise<Log> => {
  const options = { ...defaults, ...given }
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
  tailBytesMax: 64 * 1024 * 1024,
  waitingBytesMax: 32 * 1024 * 1024,
  patienceMs: 1,
  syncBytesMax: 64 * 1024
}

const open = (options: Required<EmbeddedLogOptions>, unlock: () => void): Log => {
  const { dir, clock, disk, segmentBytes, patienceMs, syncBytesMax } = options
  const topics = new Topics(dir, disk)
  const { segments, position, ends } = recover(dir)
  const list = new SegmentList(segments)
  const tail = new TailMemory(options.tailBytesMax)
  const commit = new GroupCommit({
    dir,
    disk,
    clock,
    segmentBytes,
    patienceMs,
    syncBytesMax,
    position,
    onSegment: (segment) => list.add(segment),
    onDurable: () => tail.evict(),
    onFailed: (error) => log.failed(error)
  })
  const compacted = new CompactedTopics(dir, commit, clock)
  const { waitingBytesMax } = options
  const log: FolderLog = new FolderLog({
    topics,
    ends,
    segments: list,
    tail,
    commit,
    compacted,
    waitingBytesMax,
    unlock
  })
  disk.syncFolder(dir)
  return log
}
