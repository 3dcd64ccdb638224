import { parseDuration, showDuration } from '../../base/index.ts'
import { type Limit, limitText, type RetryPolicy, retryRanges, sagaLimits } from '../definition/index.ts'
import { type Item, keyList, type Located, quote, type Reading, readMap, report, scalarOf } from '../source/index.ts'

/** A duration of at least 1 ms and at most the limit. */
export const readDuration = (reading: Reading, item: Item | undefined, limit: Limit): Located<number> | undefined => {
  if (item === undefined) return undefined
  const ms = parseDuration(String(scalarOf(item)))
  if (ms === undefined) {
    const text = `${quote(item)} is no duration; write a number with its unit: 250ms, 5s, 2m, 1h or 7d`
    return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', text)
  }
  if (ms < 1) return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', `${quote(item)} is too short; at least 1ms`)
  if (ms > limit.value) return report(reading, item, limit.code, `${quote(item)} is too long; ${limitText(limit)}`)
  return { value: ms, offset: item.offset, path: item.path }
}

/** `{ attempts, backoff, factor, cap, jitter }`, each with a default. */
export const readRetry = (reading: Reading, item: Item | undefined, defaults: RetryPolicy): RetryPolicy => {
  const shape = { what: "'retry'", required: [], optional: ['attempts', 'backoff', 'factor', 'cap', 'jitter'] }
  const members = item && readMap(reading, item, shape)
  if (members === undefined) return defaults
  return {
    attempts: readAttempts(reading, members.get('attempts')) ?? defaults.attempts,
    ...readPauses(reading, members, defaults),
    factor: readNumber(reading, members.get('factor'), retryRanges.factor) ?? defaults.factor,
    jitter: readNumber(reading, members.get('jitter'), retryRanges.jitter) ?? defaults.jitter
  }
}

/** Where only the backoff is given, and is longer than the usual cap, it is the cap too. */
const readPauses = (
  reading: Reading,
  members: ReadonlyMap<string, Item>,
  defaults: RetryPolicy
): Pick<RetryPolicy, 'backoffMs' | 'capMs'> => {
  const { pauseMs } = sagaLimits
  const backoffMs = readDuration(reading, members.get('backoff'), pauseMs)?.value ?? defaults.backoffMs
  const cap = readDuration(reading, members.get('cap'), pauseMs)
  if (cap === undefined) return { backoffMs, capMs: Math.max(defaults.capMs, backoffMs) }
  if (cap.value < backoffMs) {
    report(
      reading,
      cap,
      'PARCOMOLO_SAGA_WRONG_VALUE',
      `the cap of ${showDuration(cap.value)} is below the first backoff of ${showDuration(backoffMs)}; raise 'cap' or lower 'backoff'`
    )
  }
  return { backoffMs, capMs: cap.value }
}

/** One of a few words. */
export const readChoice = <const T extends string>(
  reading: Reading,
  item: Item | undefined,
  choices: readonly T[]
): Located<T> | undefined => {
  if (item === undefined) return undefined
  const value = choices.find((choice) => choice === scalarOf(item))
  if (value !== undefined) return { value, offset: item.offset, path: item.path }
  const text = `${quote(item)} is not one of the choices; expected ${keyList(choices, 'or')}`
  return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', text)
}

export const readBoolean = (reading: Reading, item: Item | undefined): Located<boolean> | undefined => {
  if (item === undefined) return undefined
  const value = scalarOf(item)
  if (typeof value === 'boolean') return { value, offset: item.offset, path: item.path }
  return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', `${quote(item)} is neither true nor false`)
}

const readAttempts = (reading: Reading, item: Item | undefined): number | undefined => {
  if (item === undefined) return undefined
  const value = scalarOf(item)
  const { attempts } = sagaLimits
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    const text = `${quote(item)} is no number of attempts; expected a whole number from 1, the first attempt included`
    return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', text)
  }
  if (value <= attempts.value) return value
  return report(reading, item, attempts.code, `${quote(item)} is too many; ${limitText(attempts)}`)
}

const readNumber = (
  reading: Reading,
  item: Item | undefined,
  [min, max]: readonly [number, number]
): number | undefined => {
  if (item === undefined) return undefined
  const value = scalarOf(item)
  if (typeof value === 'number' && value >= min && value <= max) return value
  return report(
    reading,
    item,
    'PARCOMOLO_SAGA_WRONG_VALUE',
    `${quote(item)} is out of range; expected a number from ${min} to ${max}`
  )
}
