/**
 * Makes the log of a damaged folder one that can be opened, by going on without what is lost. What no longer belongs to
 * it is set aside in `lost`, and caches are emptied, since they may stand for more than there is.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isParcomoloError } from '../../base/index.ts'
import type { TopicSpec } from '../log.ts'
import { checkCompacted, damageOf, logPositionOf } from './compacted-check.ts'
import { readDistrust } from './compacted-damage.ts'
import { usable } from './data-folder.ts'
import { lockFolder } from './lock.ts'
import { Mark, readMark } from './mark.ts'
import { basesIn } from './recovery.ts'
import { corruptionIn, indexPath, segmentPath } from './segment.ts'
import { readTopics } from './topics.ts'

/** What stands in the way of a start, a sentence each; empty where there is nothing. */
export type Faults = readonly string[]

/**
 * Tells what is wrong with a log, and with `acceptsLoss` makes it fit to be opened. Throws PARCOMOLO_LOG_IN_USE while a
 * process has it open.
 */
export const repairEmbeddedLog = (dir: string, acceptsLoss: boolean): Faults =>
  usable(dir, () => {
    const unlock = lockFolder(dir)
    try {
      return repair(dir, acceptsLoss)
    } finally {
      unlock()
    }
  })

const repair = (dir: string, acceptsLoss: boolean): Faults => {
  const topics = topicsOf(dir)
  const mark = readMark(dir)
  const log = lookOver(dir, Math.max(logPositionOf(dir), markedPosition(mark)))
  const compacted = compactedFault(dir)
  const faults = [topics, log, compacted].flatMap(({ fault }) => fault ?? [])
  if (!acceptsLoss || faults.length === 0) return faults
  if (topics.fault !== undefined) setAside(dir, join(dir, 'topics.json'))
  for (const path of log.aside) setAside(dir, path)
  if (log.cut !== undefined) cutOff(dir, log.cut)
  if (existsSync(join(dir, 'compacted.db')))
    checkCompacted({ dir, topics: topics.specs, distrusted: 'it was repaired', acceptsLoss: true })
  new Mark(dir, log.position).close(true)
  return faults
}

const markedPosition = (mark: ReturnType<typeof readMark>): number =>
  mark === undefined || mark === 'damaged' ? 0 : mark.position

type Found = { readonly fault?: string }

const topicsOf = (dir: string): Found & { readonly specs: readonly TopicSpec[] } => {
  try {
    return { specs: readTopics(dir) }
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_LOG_CORRUPT')) throw error
    return { specs: [], fault: `topics.json is damaged; it is made again, as PARTITIONS says` }
  }
}

const compactedFault = (dir: string): Found => {
  const reason = readDistrust(dir) ?? damageOf({ dir })
  if (reason === undefined) return {}
  return { fault: `compacted.db is damaged (${reason}); of what cannot be made anew only whole rows are kept` }
}

type Cut = { readonly path: string; readonly at: number }

type LookedOver = Found & {
  /** Where the log ends. */
  readonly position: number
  readonly cut?: Cut
  /** Segments that stand behind what is gone. */
  readonly aside: readonly string[]
}

/** `durable`: where the log had come to. */
const lookOver = (dir: string, durable: number): LookedOver => {
  const bases = basesIn(dir)
  let position = 0
  for (const [i, base] of bases.entries()) {
    const path = segmentPath(dir, base)
    const aside = (from: number): string[] => bases.slice(from).map((later) => segmentPath(dir, later))
    if (base !== position)
      return {
        position,
        aside: aside(i),
        fault: `the log has nothing from position ${position} to ${base}; ${rest(aside(i))}`
      }
    const { badAt, isTorn, bytes, kept } = corruptionIn(path, base, { isLast: i === bases.length - 1, durable })
    if (badAt !== undefined && !isTorn) {
      const later = aside(i + 1)
      const isShort = later.length === 0 && base + bytes < durable
      const fault = isShort
        ? ending(position + kept, durable)
        : `'${path}' is damaged at byte ${badAt}; its last ${bytes - badAt} bytes and ${rest(later)}`
      return { position: position + kept, cut: { path, at: kept }, aside: later, fault }
    }
    position += kept
  }
  return { position, aside: [], ...(position < durable && { fault: ending(position, durable) }) }
}

const ending = (position: number, durable: number): string =>
  `the log ends at position ${position}; ${durable - position} bytes behind it are gone`

const rest = (paths: readonly string[]): string => {
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0)
  return `${paths.length} later files with ${bytes} bytes are set aside in 'lost'`
}

const cutOff = (dir: string, { path, at }: Cut): void => {
  mkdirSync(join(dir, 'lost'), { recursive: true, mode: 0o700 })
  copyFileSync(path, freeName(dir, path))
  rmSync(indexPath(path), { force: true })
  if (at === 0) rmSync(path)
  else truncateSync(path, at)
}

const setAside = (dir: string, path: string): void => {
  mkdirSync(join(dir, 'lost'), { recursive: true, mode: 0o700 })
  if (path.endsWith('.log')) rmSync(indexPath(path), { force: true })
  renameSync(path, freeName(dir, path))
}

const freeName = (dir: string, path: string): string => {
  const taken = new Set(readdirSync(join(dir, 'lost')))
  let name = basename(path)
  for (let i = 2; taken.has(name); i++) name = `${basename(path)}.${i}`
  return join(dir, 'lost', name)
}
