import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml'
import { didYouMean, type ErrorCode } from '../../base/index.ts'
import { limitText, sagaLimits } from '../definition/index.ts'
import { type Findings, oddSpace, type Place } from './findings.ts'
import { offsetOfCharacter, type ScalarStyle } from './position.ts'

/** One value of the file with its place. */
export type Item = Place & { readonly node: Node | null; readonly inFlow: boolean }

export type Located<T> = Place & { readonly value: T }

export type Reading = {
  readonly text: string
  readonly document: Document.Parsed
  readonly findings: Findings
  /** Aliases followed so far: bounded, so that aliases of aliases cannot grow without end. */
  aliasCount: number
}

/**
 * The keys that a map may have. `later` names what the language is going to have: refused, but not as a slip of the
 * pen.
 */
export type Shape = {
  readonly what: string
  readonly required: readonly string[]
  readonly optional: readonly string[]
  readonly later?: readonly string[]
  /** What other languages have, and what stands for it here. */
  readonly instead?: Readonly<Record<string, string>>
}

export const rootItem = (reading: Reading): Item =>
  itemOf(reading, reading.document.contents, { offset: 0, path: '' }, false)

/** The members of a map, by key; undefined where it is none. Missing and unknown keys are reported. */
export const readMap = (reading: Reading, item: Item, shape: Shape): ReadonlyMap<string, Item> | undefined => {
  const members = readMembers(reading, item)
  if (members === undefined) {
    const example = shape.required.length > 0 ? ` with ${keyList(shape.required)}` : ''
    report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', `found ${quote(item)}; ${shape.what} is a map${example}`)
    return undefined
  }
  const known = [...shape.required, ...shape.optional]
  for (const [key, member] of members) {
    if (!known.includes(key)) reportUnknownKey(reading, { ...member, offset: member.keyOffset }, key, shape)
  }
  const missing = shape.required.filter((key) => !members.has(key))
  if (missing.length > 0) {
    report(
      reading,
      item,
      'PARCOMOLO_SAGA_MISSING_KEY',
      `${keyList(missing)} ${missing.length === 1 ? 'is' : 'are'} missing; ${shape.what} needs ${keyList(shape.required)}`
    )
  }
  return members
}

export const keysOf = (item: Item): readonly string[] =>
  isMap<Scalar>(item.node) ? item.node.items.map(({ key }) => String(key.value)) : []

export type Member = Item & { readonly keyOffset: number }

/** The members of a map whose keys are free. A key that stands twice is reported. */
export const readMembers = (reading: Reading, item: Item): ReadonlyMap<string, Member> | undefined => {
  if (!isMap<Scalar, Node | null>(item.node)) return undefined
  const inFlow = item.inFlow || item.node.flow === true
  const members = new Map<string, Member>()
  for (const { key, value } of item.node.items) {
    const name = String(key.value)
    const keyOffset = key.range![0]
    const place = { offset: keyOffset, path: item.path === '' ? name : `${item.path}.${name}` }
    if (members.has(name)) {
      const text = `the key '${name}' stands twice in the same map; keep one of the two`
      report(reading, place, 'PARCOMOLO_SAGA_SYNTAX', text)
    }
    members.set(name, { ...itemOf(reading, value, place, inFlow), keyOffset })
  }
  return members
}

/** The items of a list that has at least one. */
export const readList = (reading: Reading, item: Item, what: string): readonly Item[] => {
  const items = itemsOf(reading, item)
  if (items.length > 0) return items
  report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', `found ${quote(item)}; ${what}`)
  return []
}

export const itemsOf = (reading: Reading, item: Item): readonly Item[] => {
  if (!isSeq<Node | null>(item.node)) return []
  const inFlow = item.inFlow || item.node.flow === true
  return item.node.items.map((node, i) =>
    itemOf(reading, node, { offset: item.offset, path: `${item.path}[${i}]` }, inFlow)
  )
}

/** A scalar's value; undefined for everything else, and for nothing. */
export const scalarOf = (item: Item): string | number | boolean | null | undefined =>
  isScalar(item.node) ? (item.node.value as string | number | boolean | null) : undefined

/** A name, or a text that stands for something that has one. */
export const readText = (reading: Reading, item: Item | undefined, what: string): Located<string> | undefined => {
  if (item === undefined) return undefined
  const value = scalarOf(item)
  if (typeof value !== 'string' || value.trim() === '') {
    return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', `found ${quote(item)}; expected ${what}`)
  }
  const limit = sagaLimits.reference
  if (value.length > limit.value) {
    const text = `${quote(item)} has ${value.length} characters; expected ${what}, and ${limitText(limit)}`
    return report(reading, item, limit.code, text)
  }
  return { value: value.trim(), offset: item.offset, path: item.path }
}

/** The offset of each character of a scalar's value. */
export const offsetsOf = (reading: Reading, item: Item, value: string): ((index: number) => number) => {
  const { node } = item
  if (!isScalar(node) || typeof node.value !== 'string') return () => item.offset
  const scalar = { start: node.range![0], style: node.type as ScalarStyle, value }
  return (index) => offsetOfCharacter(reading.text, scalar, index)
}

export const report = (reading: Reading, place: Place, code: ErrorCode, message: string): undefined => {
  reading.findings.error(place, code, message)
}

/** A value as messages show it. */
export const quote = (item: Item): string => {
  if (isMap(item.node)) return 'a map'
  if (isSeq(item.node)) return item.node.items.length === 0 ? 'an empty list' : 'a list'
  const value = scalarOf(item) ?? null
  if (value === null) return 'nothing'
  const text = isScalar(item.node) && typeof value === 'number' ? item.node.source! : String(value)
  return `'${text.length > 60 ? `${text.slice(0, 57)}...` : text}'`
}

/** `'a', 'b' and 'c'`. */
export const keyList = (keys: readonly string[], and = 'and'): string => {
  const quoted = keys.map((key) => `'${key}'`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} ${and} ${quoted.at(-1)}`
}

const reportUnknownKey = (reading: Reading, place: Place, key: string, shape: Shape): void => {
  if (shape.later?.includes(key) === true) {
    report(
      reading,
      place,
      'PARCOMOLO_SAGA_NOT_SUPPORTED',
      `'${key}' is not supported yet; this release knows ${keyList([...shape.required, ...shape.optional])} here`
    )
    return
  }
  if (shape.instead !== undefined && Object.hasOwn(shape.instead, key)) {
    report(reading, place, 'PARCOMOLO_SAGA_UNKNOWN_KEY', `there is no '${key}'; ${shape.instead[key]}`)
    return
  }
  const known = [...shape.required, ...shape.optional]
  const [space] = oddSpace.exec(key) ?? []
  const remedy =
    (space === undefined ? '' : `; '${space}' in it looks like a space, but is none to YAML, so write a plain space`) ||
    didYouMean(key, known) ||
    `; ${shape.what} has ${keyList(known)}`
  report(reading, place, 'PARCOMOLO_SAGA_UNKNOWN_KEY', `unknown key '${key}'${remedy}`)
}

const itemOf = (reading: Reading, node: Node | null, place: Place, inFlow: boolean): Item => {
  const offset = node?.range?.[0] ?? place.offset
  const found = isAlias(node) ? followAlias(reading, node, { offset, path: place.path }) : node
  return { node: found, offset, path: place.path, inFlow }
}

const followAlias = (reading: Reading, alias: Alias, place: Place): Node | null => {
  const { aliases } = sagaLimits
  if (++reading.aliasCount > aliases.value) {
    report(reading, place, aliases.code, `the file follows more aliases than allowed: ${limitText(aliases)}`)
    return null
  }
  const found = alias.resolve(reading.document)
  if (found !== undefined) return found
  const { source } = alias
  report(reading, place, 'PARCOMOLO_SAGA_SYNTAX', `the alias '*${source}' has no anchor '&${source}' before it`)
  return null
}
