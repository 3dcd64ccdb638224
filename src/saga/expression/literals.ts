import { type ASTNode } from '@marcbachmann/cel-js'
import { limitText, sagaLimits } from '../definition/index.ts'
import { type Checked, type Checking, invalid, sourceOf, unknown } from './checking.ts'
import {
  booleanType,
  doubleType,
  intType,
  joinTypes,
  longType,
  nullType,
  recordOf,
  type Type,
  nothingType,
  weightOfType
} from './types.ts'

/** A number, text, true, false or null. */
export const checkLiteral = (checking: Checking, node: ASTNode & { op: 'value' }): Checked => {
  const value = node.args
  const emit = (): string => sourceOf(node)
  if (typeof value === 'bigint') return checkInteger(checking, node, value)
  if (typeof value === 'number') return { type: doubleType, emit, constant: { value } }
  if (typeof value === 'string') return checkText(checking, node, value)
  if (typeof value === 'boolean') return { type: booleanType, emit, constant: { value } }
  if (value === null) return { type: nullType, emit, constant: { value } }
  const kind = value instanceof Uint8Array ? 'bytes' : 'unsigned numbers'
  return invalid(
    checking,
    node,
    `'${sourceOf(node)}' is of a kind that contracts do not have: ${kind} cannot be written out`
  )
}

/** Escapes may write half of a character, which no message can hold. */
const checkText = (checking: Checking, node: ASTNode, value: string): Checked =>
  value.isWellFormed()
    ? { type: { kind: 'string', only: [value] }, emit: () => sourceOf(node), constant: { value } }
    : invalid(checking, node, `the text holds half of a character; no message can, so write the whole character`)

const intMax = 2_147_483_648n

const checkInteger = (checking: Checking, node: ASTNode, value: bigint): Checked => {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    return invalid(checking, node, `'${value}' is too large; whole numbers go up to ${Number.MAX_SAFE_INTEGER}`)
  }
  const type = value < intMax ? intType : longType
  return { type, emit: () => `${value}`, constant: { value: Number(value) } }
}

/** `[a, b]`. */
export const checkList = (checking: Checking, node: ASTNode & { op: 'list' }): Checked => {
  const items = node.args.map((item) => checking.visit(item))
  const type = items.reduce<Type>((joined, item) => joinTypes(joined, item.type), nothingType)
  return { type: { kind: 'array', items: type }, emit: () => `[${items.map((item) => item.emit()).join(', ')}]` }
}

/** `{'sku': l.sku}`: a record written out. Its keys are texts, so that its type is known. */
export const checkMap = (checking: Checking, node: ASTNode & { op: 'map' }): Checked => {
  const fields = new Map<string, Checked>()
  for (const [keyNode, valueNode] of node.args) {
    const key = keyNode.op === 'value' ? keyNode.args : undefined
    if (typeof key !== 'string')
      return invalid(
        checking,
        keyNode,
        `'${sourceOf(keyNode)}' cannot be a key; write a text in quotes, such as {'sku': l.sku}`
      )
    if (fields.has(key)) return invalid(checking, keyNode, `the key '${key}' cannot stand here twice`)
    fields.set(key, checking.visit(valueNode))
  }
  const types = Object.fromEntries([...fields].map(([key, { type }]) => [key, type]))
  const weight = [...fields.values()].reduce((sum, { type }) => sum + weightOfType(type), 1)
  if (weight > sagaLimits.fields.value) return tooManyFields(checking, node, weight)
  return {
    type: { ...recordOf('the record written here', types), weight },
    emit: () => {
      const values = [...fields.values()].map((value) => value.emit())
      return `toMap(${JSON.stringify([...fields.keys()])}, [${values.join(', ')}])`
    }
  }
}

const tooManyFields = (checking: Checking, node: ASTNode, count: number): Checked => {
  const { fields } = sagaLimits
  const text = `the record written here has ${count} fields, with those of the records inside; ${limitText(fields)}`
  checking.report(node.start, fields.code, text)
  return unknown
}
