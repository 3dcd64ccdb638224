import { type FieldType, type RecordType } from './contract.ts'

/**
 * Values of a contract as JSON, for whoever speaks HTTP: records are objects, unions stand for what they hold, longs
 * are numbers within ±(2^53 − 2), bytes are base64.
 */

/** Where and why a JSON value is none of the record: `lines[0].sku`. */
export type JsonMisfit = { readonly path: string; readonly message: string }

export type JsonRead =
  { readonly value: Readonly<Record<string, unknown>> } | { readonly misfits: readonly JsonMisfit[] }

/** Told at once; whoever sends more nonsense finds the rest later. */
const misfitsMax = 20
const longMax = 9_007_199_254_740_990
const intMax = 2_147_483_647

export const toJson = ({ fields }: Pick<RecordType, 'fields'>, value: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(fields.map(({ name, type }) => [name, plain(type, value[name])]))

const plain = (type: FieldType, value: unknown): unknown => {
  switch (type.kind) {
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'float':
    case 'double':
      return Number.isFinite(value) ? value : null
    case 'array':
      return (value as unknown[]).map((item) => plain(type.items, item))
    case 'map':
      return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, plain(type.values, item)]))
    case 'record':
      return toJson(type, value as Record<string, unknown>)
    case 'union':
      return value === null ? null : plain(branchOf(type.of, value), value)
    default:
      return value
  }
}

/** A union holds at most one kind of each that look alike. */
const branchOf = (branches: readonly FieldType[], value: unknown): FieldType =>
  branches.find((branch) => branch.kind !== 'null' && looksLike(branch, value)) ?? { kind: 'null' }

const looksLike = ({ kind }: FieldType, value: unknown): boolean => {
  if (kind === 'bytes') return value instanceof Uint8Array
  if (kind === 'array') return Array.isArray(value)
  if (kind === 'record' || kind === 'map') return isObject(value) && !(value instanceof Uint8Array)
  if (kind === 'string' || kind === 'enum') return typeof value === 'string'
  return typeof value === (kind === 'boolean' ? 'boolean' : 'number')
}

/** `isStrict`: a member that the record does not have is a misfit; otherwise it is left out. */
export const readJson = ({ fields }: Pick<RecordType, 'fields'>, json: unknown, isStrict: boolean): JsonRead => {
  const reading = new Reading(isStrict)
  const value = reading.record(fields, json, '')
  return reading.misfits.length === 0 ? { value } : { misfits: reading.misfits.slice(0, misfitsMax) }
}

class Reading {
  readonly misfits: JsonMisfit[] = []
  readonly #isStrict: boolean

  constructor(isStrict: boolean) {
    this.#isStrict = isStrict
  }

  record(fields: RecordType['fields'], json: unknown, path: string): Record<string, unknown> {
    if (!isObject(json)) return this.#misfit(path, json, 'an object') ?? {}
    const value: Record<string, unknown> = {}
    for (const { name, type, hasDefault } of fields) {
      const at = path === '' ? name : `${path}.${name}`
      const found = Object.hasOwn(json, name) ? json[name] : undefined
      if (found !== undefined) value[name] = this.#value(type, found, at)
      else if (!hasDefault) this.#say(at, `is missing; expected ${expectedOf(type)}`)
    }
    if (this.#isStrict) this.#unknown(fields, json, path)
    return value
  }

  #unknown(fields: RecordType['fields'], json: object, path: string): void {
    for (const name of Object.keys(json))
      if (!fields.some((field) => field.name === name))
        this.#say(path === '' ? name : `${path}.${name}`, 'is no field of this record')
  }

  #value(type: FieldType, json: unknown, path: string): unknown {
    switch (type.kind) {
      case 'record':
        return this.record(type.fields, json, path)
      case 'array':
        return this.#list(type.items, json, path)
      case 'map':
        return this.#map(type.values, json, path)
      case 'union':
        return this.#union(type.of, json, path)
      case 'bytes':
        return isBase64(json) ? Buffer.from(json, 'base64') : this.#misfit(path, json, expectedOf(type))
      default:
        return isPlain(type, json) ? json : this.#misfit(path, json, expectedOf(type))
    }
  }

  #list(items: FieldType, json: unknown, path: string): unknown {
    if (!Array.isArray(json)) return this.#misfit(path, json, 'a list')
    return json.map((item: unknown, at) => this.#value(items, item, `${path}[${at}]`))
  }

  #map(values: FieldType, json: unknown, path: string): unknown {
    if (!isObject(json)) return this.#misfit(path, json, 'an object')
    return Object.fromEntries(
      Object.entries(json).map(([key, item]) => [key, this.#value(values, item, `${path}.${key}`)])
    )
  }

  #union(branches: readonly FieldType[], json: unknown, path: string): unknown {
    if (json === null && branches.some(({ kind }) => kind === 'null')) return null
    // As JSON, bytes look like a string; a union has one of them or, where it has both, means the string.
    const texts = branches.filter(({ kind }) => kind === 'string' || kind === 'enum')
    const asJson = (branch: FieldType): FieldType =>
      branch.kind === 'bytes' && texts.length === 0 ? { kind: 'string' } : branch
    const branch = json === null ? undefined : branches.find((it) => it.kind !== 'null' && looksLike(asJson(it), json))
    if (branch !== undefined) return this.#value(branch, json, path)
    return this.#misfit(path, json, branches.map(expectedOf).join(' or '))
  }

  #misfit(path: string, json: unknown, expected: string): undefined {
    this.#say(path, `is ${shown(json, this.#isStrict)}; expected ${expected}`)
  }

  #say(path: string, message: string): void {
    if (this.misfits.length < misfitsMax) this.misfits.push({ path, message })
  }
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const isBase64 = (json: unknown): json is string => typeof json === 'string' && base64.test(json)

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const isPlain = (type: FieldType, json: unknown): boolean => {
  switch (type.kind) {
    case 'null':
      return json === null
    case 'int':
      return isWhole(json, intMax)
    case 'long':
      return isWhole(json, longMax)
    case 'float':
    case 'double':
      return typeof json === 'number'
    case 'enum':
      return typeof json === 'string' && type.symbols.includes(json)
    default:
      return typeof json === type.kind
  }
}

const isWhole = (json: unknown, max: number): boolean => Number.isInteger(json) && Math.abs(json as number) <= max

const expected: Readonly<Record<string, string>> = {
  null: 'null',
  int: `a whole number within ±${intMax}`,
  long: `a whole number within ±${longMax}`,
  float: 'a number',
  double: 'a number',
  bytes: 'bytes as base64',
  array: 'a list',
  record: 'an object',
  map: 'an object'
}

const expectedOf = (type: FieldType): string => {
  if (type.kind === 'enum') return `one of ${type.symbols.map((symbol) => `'${symbol}'`).join(', ')}`
  if (type.kind === 'union') return type.of.map(expectedOf).join(' or ')
  return expected[type.kind] ?? `a ${type.kind}`
}

const shownMax = 60

/** Who gets a fault of what they have sent may see it; a fault of others is shown to those who run the process. */
const shown = (json: unknown, withValue: boolean): string => {
  if (json === null) return 'null'
  if (Array.isArray(json)) return `a list of ${json.length}`
  if (typeof json !== 'string' && typeof json !== 'number' && typeof json !== 'boolean') return 'an object'
  if (!withValue) return `a ${typeof json}`
  const text = String(json)
  return `the ${typeof json} '${text.length > shownMax ? `${text.slice(0, shownMax)}…` : text}'`
}
