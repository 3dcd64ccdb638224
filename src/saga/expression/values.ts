import { charge, fail, scanCost } from '../definition/index.ts'

/**
 * Values inside the evaluator. Records and maps are Maps there, so that no name of a field or a key can be one that
 * objects have anyway, such as `constructor`.
 */
export type CelMap = ReadonlyMap<string, unknown>

/** `{'sku': l.sku}`. */
export const toMap = (keys: readonly string[], values: readonly unknown[]): CelMap =>
  new Map(keys.map((key, i) => [key, values[i]]))

/** Whether a walk of fields and keys ends at something that is not null. */
export const isPresent = (from: unknown, names: readonly string[]): boolean => {
  let value = from
  for (const name of names) value = value instanceof Map ? value.get(name) : undefined
  return (value ?? null) !== null
}

/** By value; numbers of both kinds are equal where they are the same number. */
export const areEqual = (a: unknown, b: unknown): boolean => {
  charge(4)
  if (isSequence(a) && isSequence(b)) return haveEqualItems(a, b)
  if (a instanceof Map && b instanceof Map) return haveEqualMembers(a, b)
  // JavaScript compares a whole number and a fraction by what they are worth.
  if (isNumber(a) && isNumber(b)) return a == b // oxlint-disable-line eqeqeq
  charge(typeof a === 'string' ? scanCost(a.length) : 0)
  return a === b
}

/** `x in list`, `key in map`. */
export const isIn = (sought: unknown, among: unknown): boolean => {
  if (among instanceof Map) return among.has(sought)
  return (among as readonly unknown[]).some((item) => areEqual(sought, item))
}

export const itemAt = (list: readonly unknown[], index: bigint): unknown =>
  index >= 0n && index < list.length
    ? list[Number(index)]
    : fail(`index ${index} is out of range; the list has ${list.length} items`)

export const memberAt = (map: CelMap, key: string): unknown =>
  map.has(key) ? map.get(key) : fail(`the map has no '${key}'`)

/** Whole numbers have 64 bits. */
export const add = (a: bigint, b: bigint): bigint => inRange(a + b)
export const subtract = (a: bigint, b: bigint): bigint => inRange(a - b)
export const multiply = (a: bigint, b: bigint): bigint => inRange(a * b)
export const divide = (a: bigint, b: bigint): bigint => (b === 0n ? fail('division by zero') : inRange(a / b))
export const modulo = (a: bigint, b: bigint): bigint => (b === 0n ? fail('modulo by zero') : a % b)
export const negate = (a: bigint): bigint => inRange(-a)

const inRange = (value: bigint): bigint =>
  BigInt.asIntN(64, value) === value ? value : fail(`integer overflow: ${value}`)

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

type Items = { readonly length: number; readonly [index: number]: unknown }

const isSequence = (value: unknown): value is Items => Array.isArray(value) || value instanceof Uint8Array

const haveEqualItems = (a: Items, b: Items): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!areEqual(a[i], b[i])) return false
  return true
}

const haveEqualMembers = (a: CelMap, b: CelMap): boolean => {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (!b.has(key) || !areEqual(value, b.get(key))) return false
  return true
}
