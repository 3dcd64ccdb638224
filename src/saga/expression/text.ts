import { charge, fail, limitText, sagaLimits, scanCost, searchCost } from '../definition/index.ts'

/**
 * The functions over texts as CEL means them: characters are code points, where those of JavaScript are halves of them.
 * A text without surrogates, as nearly all are, is the same either way.
 */

export const textSize = (text: string): bigint => BigInt(sizeOf(scanned(text), text.length))

export const contains = (text: string, sought: string): boolean => searched(text, sought).includes(sought)

export const startsWith = (text: string, sought: string): boolean => compared(text, sought).startsWith(sought)

export const endsWith = (text: string, sought: string): boolean => compared(text, sought).endsWith(sought)

export const lowerAscii = (text: string): string =>
  isAscii(scanned(text)) ? text.toLowerCase() : replaced(text, /[A-Z]+/g, (letters) => letters.toLowerCase())

export const upperAscii = (text: string): string =>
  isAscii(scanned(text)) ? text.toUpperCase() : replaced(text, /[a-z]+/g, (letters) => letters.toUpperCase())

/** One by one, which takes its time. */
const replaced = (text: string, pattern: RegExp, change: (letters: string) => string): string => {
  charge(text.length)
  return text.replaceAll(pattern, change)
}

/** White space as Unicode has it, which is not quite that of JavaScript. */
const blank = /[\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/

export const trim = (text: string): string => {
  let [start, end] = [0, scanned(text).length]
  while (start < end && blank.test(text[start]!)) start++
  while (end > start && blank.test(text[end - 1]!)) end--
  return text.slice(start, end)
}

export const indexOf = (text: string, sought: string): bigint => indexFrom(text, sought, 0n)

export const indexFrom = (text: string, sought: string, from: bigint): bigint => {
  const size = sizeOf(searched(text, sought), text.length)
  if (sought === '') return from
  if (from < 0n) return outOfRange(from, size)
  if (from >= size) return -1n
  return placeOf(text, text.indexOf(sought, offsetOf(text, from)))
}

export const lastIndexOf = (text: string, sought: string): bigint =>
  sought === '' ? textSize(text) : placeOf(text, searched(text, sought).lastIndexOf(sought))

export const lastIndexFrom = (text: string, sought: string, from: bigint): bigint => {
  const size = sizeOf(searched(text, sought), text.length)
  if (sought === '') return from
  if (from < 0n) return outOfRange(from, size)
  if (from >= size) return -1n
  return placeOf(text, text.lastIndexOf(sought, offsetOf(text, from)))
}

export const substring = (text: string, start: bigint): string => {
  const size = sizeOf(scanned(text), text.length)
  if (start < 0n || start > size) return outOfRange(start, size)
  return text.slice(offsetOf(text, start))
}

export const substringTo = (text: string, start: bigint, end: bigint): string => {
  const size = sizeOf(scanned(text), text.length)
  if (start < 0n || start > size) return outOfRange(start, size)
  if (end < start || end > size) return outOfRange(end, size)
  return text.slice(offsetOf(text, start), offsetOf(text, end))
}

export const split = (text: string, separator: string): readonly string[] => boundedList(partsOf(text, separator))

export const splitTo = (text: string, separator: string, count: bigint): readonly string[] => {
  const parts = partsOf(text, separator)
  if (count < 0n || parts.length <= count) return boundedList(parts)
  if (count === 0n) return []
  const last = Number(count) - 1
  return boundedList([...parts.slice(0, last), parts.slice(last).join(separator)])
}

const partsOf = (text: string, separator: string): readonly string[] => {
  if (separator === '') return charactersOf(text)
  const parts = searched(text, separator).split(separator)
  charge(parts.length)
  return parts
}

const charactersOf = (text: string): readonly string[] => {
  checkCount(sizeOf(scanned(text), text.length))
  return Array.from(text)
}

export const join = (list: readonly string[], separator: string): string => {
  charge(list.length)
  boundedText(list.reduce((sum, text) => sum + text.length + separator.length, 0))
  return list.join(separator)
}

export const concat = (a: string, b: string): string => {
  boundedText(a.length + b.length)
  return a + b
}

export const textEquals = (a: string, b: string): boolean => {
  charge(scanCost(a.length === b.length ? a.length : 0))
  return a === b
}

/** By code points: the order of UTF-16 has what lies beyond 16 bits before the last of what does not. */
export const isBefore = (a: string, b: string): boolean => {
  const common = Math.min(a.length, b.length)
  charge(scanCost(common))
  for (let i = 0; i < common; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return rankOf(left) < rankOf(right)
  }
  return a.length < b.length
}

/** Surrogates stand for what comes after all else. */
const rankOf = (unit: number): number => (unit >= 0xd8_00 && unit <= 0xdf_ff ? unit + 0x1_00_00 : unit)

export const textToInt = (text: string): bigint => {
  const value = /^[+-]?[0-9]{1,40}$/.test(text) ? BigInt(text) : undefined
  if (value === undefined || !isInt64(value))
    return fail(`int() cannot convert '${shown(text)}'; expected a whole number of 64 bits`)
  return value
}

export const doubleToInt = (value: number): bigint => {
  const whole = Math.trunc(value)
  if (Math.abs(whole) < 2 ** 63) return BigInt(whole)
  return fail(`int() cannot convert ${value}; expected a number within 64 bits`)
}

const infinities: ReadonlyMap<string, number> = new Map([
  ['inf', Infinity],
  ['+inf', Infinity],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-inf', -Infinity],
  ['-infinity', -Infinity],
  ['nan', Number.NaN]
])

export const textToDouble = (text: string): number => {
  const word = text.length > 9 ? undefined : infinities.get(text.toLowerCase())
  if (word !== undefined) return word
  charge(scanCost(text.length))
  const value = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text) ? Number(text) : Infinity
  if (Number.isFinite(value)) return value
  return fail(`double() cannot convert '${shown(text)}'; expected a number such as 1.5`)
}

export const boundedList = <T>(list: readonly T[]): readonly T[] => {
  checkCount(list.length)
  return list
}

const checkCount = (count: number): void => {
  const { listItems } = sagaLimits
  if (count > listItems.value) fail(`a list has ${count} items; ${limitText(listItems)}`)
  charge(count)
}

const boundedText = (chars: number): void => {
  const { textChars } = sagaLimits
  if (chars > textChars.value) fail(`a text has ${chars} characters; ${limitText(textChars)}`)
  charge(scanCost(chars))
}

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text)

const scanned = (text: string): string => {
  charge(scanCost(text.length))
  return text
}

const searched = (text: string, sought: string): string => {
  charge(searchCost(text.length, sought.length))
  return text
}

const compared = (text: string, sought: string): string => {
  charge(scanCost(Math.min(text.length, sought.length)))
  return text
}

const isAscii = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

/** How many code points there are before an offset: each but the second half of a pair. */
const sizeOf = (text: string, end: number): number => {
  let size = end
  for (let at = 0; at < end; at++) if (isSecondHalf(text.charCodeAt(at))) size--
  return size
}

/** Where the code point of this place begins in JavaScript's text. */
const offsetOf = (text: string, place: bigint): number => {
  let at = 0
  for (let left = Number(place); left > 0; left--) at += isSecondHalf(text.charCodeAt(at + 1)) ? 2 : 1
  return at
}

const isSecondHalf = (unit: number): boolean => (unit & 0xfc_00) === 0xdc_00

const placeOf = (text: string, offset: number): bigint => (offset === -1 ? -1n : BigInt(sizeOf(text, offset)))

const outOfRange = (index: bigint, size: number): never =>
  fail(`index ${index} is out of range; the text has ${size} characters`)
