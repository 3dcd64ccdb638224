import { isMap, isScalar, isSeq } from 'yaml'
import { limitText, sagaLimits } from '../definition/index.ts'
import {
  type DraftExpression,
  type DraftField,
  type DraftFields,
  type DraftValue,
  type Item,
  itemsOf,
  offsetsOf,
  quote,
  type Reading,
  readMembers,
  report,
  scalarOf
} from '../source/index.ts'

/** `with`: a map of fields, empty where it is left out; undefined where it is broken. */
export const readFields = (reading: Reading, item: Item | undefined, owner: Item): DraftFields | undefined => {
  if (item === undefined) return { kind: 'fields', offset: owner.offset, path: owner.path, fields: new Map() }
  if (!isMap(item.node)) {
    const text = `found ${quote(item)}; 'with' is a map that gives each field an expression: { orderId: start.orderId }`
    return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', text)
  }
  return readNested(reading, item, 0)
}

/** One expression: a text in CEL, or a number, true, false or null as YAML has them. */
export const readExpression = (reading: Reading, item: Item | undefined): DraftExpression | undefined => {
  if (item === undefined) return undefined
  const text = textOf(item)
  if (text === undefined) {
    const message = `found ${quote(item)}; expected an expression in CEL, such as start.orderId, or "'some text'"`
    return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', message)
  }
  if (/^\d{4}-\d\d-\d\d([T ].*)?$/.test(text)) {
    const message = `found ${quote(item)}; a date needs quotes of its own: "'${text}'"`
    return report(reading, item, 'PARCOMOLO_SAGA_WRONG_VALUE', message)
  }
  const whole = String(scalarOf(item))
  const { expressionChars } = sagaLimits
  if (whole.length > expressionChars.value) {
    const message = `the expression has ${whole.length} characters; ${limitText(expressionChars)}`
    return report(reading, item, expressionChars.code, message)
  }
  const blanks = whole.length - whole.trimStart().length
  const offsets = offsetsOf(reading, item, whole)
  return {
    kind: 'expression',
    offset: item.offset,
    path: item.path,
    text,
    offsetOf: (index) => offsets(index + blanks),
    endsAtComma: item.inFlow && isScalar(item.node) && item.node.type === 'PLAIN'
  }
}

const textOf = ({ node }: Item): string | undefined => {
  if (!isScalar(node) || node.source === '') return undefined
  const { value } = node
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim()
  if (typeof value !== 'number') return String(value)
  if (!Number.isFinite(value)) return undefined
  // Beyond that YAML has rounded it; what was written is judged as it is in quotes.
  return Number.isSafeInteger(value) || !Number.isInteger(value) ? String(value) : node.source
}

const readValue = (reading: Reading, item: Item, depth: number): DraftValue | undefined => {
  if (!isMap(item.node) && !isSeq(item.node)) return readExpression(reading, item)
  const { valueDepth } = sagaLimits
  if (depth < valueDepth.value)
    return isMap(item.node) ? readNested(reading, item, depth) : readItems(reading, item, depth)
  return report(reading, item, valueDepth.code, `the value is nested too deep; ${limitText(valueDepth)}`)
}

const readNested = (reading: Reading, item: Item, depth: number): DraftFields => {
  const fields = new Map<string, DraftField>()
  const members = readMembers(reading, item)!
  const limit = sagaLimits.fields
  if (members.size > limit.value) {
    report(reading, item, limit.code, `the record has ${members.size} fields; ${limitText(limit)}`)
  }
  for (const [name, member] of members) {
    fields.set(name, { keyOffset: member.keyOffset, path: member.path, value: readValue(reading, member, depth + 1) })
  }
  return { kind: 'fields', offset: item.offset, path: item.path, fields }
}

const readItems = (reading: Reading, item: Item, depth: number): DraftValue => ({
  kind: 'items',
  offset: item.offset,
  path: item.path,
  items: itemsOf(reading, item).flatMap((each) => readValue(reading, each, depth + 1) ?? [])
})
