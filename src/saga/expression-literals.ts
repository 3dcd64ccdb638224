import { type ASTNode } from '@marcbachmann/cel-js'
import { type Checked, type Checking, invalid, sourceOf } from './expression-checking.ts'
import {
  booleanType,
  doubleType,
  intType,
  joinTypes,
  longType,
  nullType,
  recordOf,
  type Type,
  nothingType
} from './expression-types.ts'

/** A number, text, true, false or null. */
export const checkLiteral = (checking: Checking, node: ASTNode & { op: 'value' }): Checked => {
  const value = node.args
  const emit = (): string => sourceOf(node)
  if (typeof value === 'bigint') return checkInteger(checking, node, value)
  if (typeof value === 'number') return { type: doubleType, emit, constant: { value } }
  if (typeof value === 'string') return { type: { kind: 'string', only: [value] }, emit, constant: { value } }
  if (typeof value === 'boolean') return { type: booleanType, emit, constant: { value } }
  if (value === null) return { type: nullType, emit, constant: { value } }
  const kind = value instanceof Uint8Array ? 'bytes' : 'unsigned numbers'
  return invalid(
    checking,
    node,
    `'${sourceOf(node)}' is of a kind that contracts do not have: ${kind} cannot be written out`
  )
}

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

/** Names that JavaScript objects, and so the evaluator, keep for themselves. */
const reservedKeys = ['__proto__', 'constructor', 'prototype']

/** `{'sku': l.sku}`: a record written out. Its keys are texts, so that its type is known. */
export const checkMap = (checking: Checking, node: ASTNode & { op: 'map' }): Checked => {
  const fields: Record<string, Type> = {}
  const emits: (() => string)[] = []
  for (const [keyNode, valueNode] of node.args) {
    const key = keyNode.op === 'value' ? keyNode.args : undefined
    if (typeof key !== 'string')
      return invalid(
        checking,
        keyNode,
        `'${sourceOf(keyNode)}' cannot be a key; write a text in quotes, such as {'sku': l.sku}`
      )
    if (reservedKeys.includes(key) || Object.hasOwn(fields, key))
      return invalid(
        checking,
        keyNode,
        `the key '${key}' cannot stand here${Object.hasOwn(fields, key) ? ' twice' : ''}`
      )
    const value = checking.visit(valueNode)
    fields[key] = value.type
    emits.push(() => `${JSON.stringify(key)}: ${value.emit()}`)
  }
  return {
    type: recordOf('the record written here', fields),
    emit: () => `{${emits.map((emit) => emit()).join(', ')}}`
  }
}
