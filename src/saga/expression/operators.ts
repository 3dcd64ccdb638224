import { type ASTNode, type BinaryOperator } from '@marcbachmann/cel-js'
import { didYouMean } from '../../base/index.ts'
import { type Checked, type Checking, invalid, sourceOf, unknown } from './checking.ts'
import { celTypeOf } from './convert.ts'
import { factsOf } from './facts.ts'
import {
  booleanType,
  doubleType,
  fault,
  intType,
  isFraction,
  isInteger,
  isNullable,
  isText,
  joinTypes,
  longType,
  membersOf,
  showType,
  stringType,
  type Type
} from './types.ts'

export type BinaryNode = ASTNode & { readonly op: BinaryOperator }

/** Arithmetic, comparison and `in`. */
export const checkBinary = (checking: Checking, node: BinaryNode): Checked => {
  const left = checking.visit(node.args[0])
  // Where a step's name has a '-' in it, what follows is no operand; there is enough to say already.
  if (node.op === '-' && left.type.kind === 'unknown') return unknown
  const right = checking.visit(node.args[1])
  if (left.type.kind === 'unknown' || right.type.kind === 'unknown') return unknown
  if (node.op === '==' || node.op === '!=') return checkEquality(checking, node, { left, right })
  return node.op === 'in' ? checkIn(checking, node, { left, right }) : checkComputation(checking, node, { left, right })
}

const comparisons: readonly string[] = ['<', '<=', '>', '>=']

const checkComputation = (checking: Checking, node: BinaryNode, { left, right }: Sides): Checked => {
  const [leftNode, rightNode] = node.args
  if (isNullable(left.type)) return mayBeNull(checking, leftNode)
  if (isNullable(right.type)) return mayBeNull(checking, rightNode)
  const isOrder = comparisons.includes(node.op)
  const type = isOrder ? comparison(left.type, right.type) : arithmetic(node.op, left.type, right.type)
  if (type === undefined) return invalid(checking, node, mismatchText(node, left.type, right.type))
  const write = writerOf(node.op, type, left.type)
  return { type, emit: () => write(left.emit(), right.emit()) }
}

/** With the evaluator's own functions for all that may fail, or takes longer than one operation. */
const writerOf = (op: string, type: Type, left: Type): Write => {
  if (type.kind === 'array') return concatLists
  if (isText(left)) return ofTexts[op]!
  return isInteger(type) ? (a, b) => `${ofIntegers[op]!}(${a}, ${b})` : plain(op)
}

const ofIntegers: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo'
}

type Write = (left: string, right: string) => string

const concatLists: Write = (left, right) => `concatLists(${left}, ${right})`

const plain =
  (op: string): Write =>
  (left, right) =>
    `(${left} ${op} ${right})`

const ofTexts: Readonly<Record<string, Write>> = {
  '+': (left, right) => `concat(${left}, ${right})`,
  '<': (left, right) => `isBefore(${left}, ${right})`,
  '>': (left, right) => `isBefore(${right}, ${left})`,
  '<=': (left, right) => `(!isBefore(${right}, ${left}))`,
  '>=': (left, right) => `(!isBefore(${left}, ${right}))`
}

/** `!` and `-`; a negative number is a constant. */
export const checkUnary = (checking: Checking, node: ASTNode & { op: '!_' | '-_' }): Checked => {
  const operand = checking.visit(node.args)
  const { type } = operand
  if (type.kind === 'unknown') return unknown
  if (isNullable(type)) return mayBeNull(checking, node.args)
  const sign = node.op === '!_' ? '!' : '-'
  const fits = sign === '!' ? type.kind === 'boolean' : isInteger(type) || isFraction(type)
  if (!fits)
    return invalid(
      checking,
      node,
      `'${sign}' takes ${sign === '!' ? 'a boolean' : 'a number'}; '${sourceOf(node.args)}' is ${showType(type)}`
    )
  const emit = (): string => (isInteger(type) ? `negate(${operand.emit()})` : `(${sign}${operand.emit()})`)
  const value = operand.constant?.value
  return typeof value === 'number' ? { type, emit, constant: { value: -value } } : { type, emit }
}

/** `&&` and `||`: the right side knows what the left side has found out. */
export const checkLogic = (checking: Checking, node: ASTNode & { op: '&&' | '||' }): Checked => {
  const [leftNode, rightNode] = node.args
  const { whenTrue, whenFalse } = factsOf(leftNode)
  const left = checking.visit(leftNode)
  const right = checking.visit(rightNode, {
    facts: new Set([...checking.facts, ...(node.op === '&&' ? whenTrue : whenFalse)])
  })
  for (const [operand, side] of [
    [left, leftNode],
    [right, rightNode]
  ] as const) {
    if (!isBoolean(operand.type)) {
      return invalid(checking, side, `'${node.op}' takes booleans; '${sourceOf(side)}' is ${showType(operand.type)}`)
    }
  }
  return { type: booleanType, emit: () => `(${left.emit()} ${node.op} ${right.emit()})` }
}

/** `a ? b : c`. */
export const checkTernary = (checking: Checking, node: ASTNode & { op: '?:' }): Checked => {
  const [conditionNode, thenNode, elseNode] = node.args
  const { whenTrue, whenFalse } = factsOf(conditionNode)
  const condition = checking.visit(conditionNode)
  const yes = checking.visit(thenNode, { facts: new Set([...checking.facts, ...whenTrue]) })
  const no = checking.visit(elseNode, { facts: new Set([...checking.facts, ...whenFalse]) })
  if (!isBoolean(condition.type)) {
    return invalid(
      checking,
      conditionNode,
      `the condition before '?' is ${showType(condition.type)}; it must be a boolean`
    )
  }
  const cast = castFor(yes.type, no.type)
  return {
    type: joinTypes(yes.type, no.type),
    emit: () => `(${condition.emit()} ? ${cast}(${yes.emit()}) : ${cast}(${no.emit()}))`
  }
}

export const mayBeNull = (checking: Checking, node: ASTNode): Checked => {
  const text = sourceOf(node)
  checking.report(
    node.start,
    'PARCOMOLO_SAGA_MAY_NOT_EXIST',
    `'${text}' may be null; guard it: ${text} != null ? … : …`
  )
  return unknown
}

type Sides = { readonly left: Checked; readonly right: Checked }

const isBoolean = (type: Type): boolean => type.kind === 'boolean' || type.kind === 'unknown'

const comparison = (left: Type, right: Type): Type | undefined =>
  (isNumber(left) && isNumber(right)) || (isText(left) && isText(right)) ? booleanType : undefined

const isNumber = (type: Type): boolean => isInteger(type) || isFraction(type)

const arithmetic = (op: string, left: Type, right: Type): Type | undefined => {
  if (isInteger(left) && isInteger(right)) return left.kind === 'int' && right.kind === 'int' ? intType : longType
  if (isFraction(left) && isFraction(right)) return op === '%' ? undefined : doubleType
  return op === '+' ? joined(left, right) : undefined
}

const joined = (left: Type, right: Type): Type | undefined => {
  if (isText(left) && isText(right)) return stringType
  return left.kind === 'array' && right.kind === 'array' ? joinTypes(left, right) : undefined
}

const mismatchText = (node: BinaryNode, left: Type, right: Type): string => {
  const [leftText, rightText] = node.args.map(sourceOf) as [string, string]
  const text = `'${node.op}' does not take ${showType(left)} and ${showType(right)}`
  const remedy = remedyFor(left, right, rightText) ?? remedyFor(right, left, leftText)
  return `${text}; ${remedy ?? `'${leftText}' is ${showType(left)}, '${rightText}' is ${showType(right)}`}`
}

/** How the second operand becomes one of the first's kind. */
const remedyFor = (first: Type, second: Type, secondText: string): string | undefined => {
  if (isFraction(first) && isInteger(second)) return `write double(${secondText})`
  return isText(first) && isNumber(second) ? `write string(${secondText})` : undefined
}

const checkEquality = (checking: Checking, node: BinaryNode, { left, right }: Sides): Checked => {
  const symbol = symbolFault(left.type, right.type) ?? symbolFault(right.type, left.type)
  if (symbol !== undefined) return invalid(checking, node, symbol)
  const comparable = membersOf(left.type).some((a) => membersOf(right.type).some((b) => areComparable(a, b)))
  const besideNull = left.type.kind === 'null' || right.type.kind === 'null'
  if (!comparable && !besideNull) {
    const text = `'${node.op}' compares ${showType(left.type)} with ${showType(right.type)}, which are never equal`
    return invalid(checking, node, text)
  }
  const write = equality(left.type, right.type)
  const negation = node.op === '!=' ? '!' : ''
  return { type: booleanType, emit: () => `(${negation}${write(left.emit(), right.emit())})` }
}

const equality = (left: Type, right: Type): Write => {
  if (isText(left) && isText(right)) return (a, b) => `textEquals(${a}, ${b})`
  const isSimple = castFor(left, right) === '' && left.kind !== 'array'
  return isSimple ? plain('==') : (a, b) => `areEqual(${a}, ${b})`
}

/**
 * CEL has no choice between mixed types, unless it is told to look at the values; where both sides are of one simple
 * type it is faster not to.
 */
const castFor = (left: Type, right: Type): string => {
  const celType = celTypeOf(left)
  return celType === celTypeOf(right) && celType !== 'dyn' ? '' : 'dyn'
}

const areComparable = (a: Type, b: Type): boolean =>
  (isNumber(a) && isNumber(b)) || (isText(a) && isText(b)) || fault(a, b) === undefined || fault(b, a) === undefined

/** A text that is written out where an enum is meant must be one of its symbols. */
export const symbolFault = (given: Type, expected: Type): string | undefined => {
  const type = membersOf(expected).find((member) => member.kind === 'enum')
  if (given.kind !== 'string' || type === undefined) return undefined
  const value = given.only?.find((text) => !type.symbols.includes(text))
  if (value === undefined) return undefined
  return `'${value}' is no symbol of ${type.name}${didYouMean(value, type.symbols) || `; it has ${type.symbols.join(', ')}`}`
}

const checkIn = (checking: Checking, node: BinaryNode, { left, right }: Sides): Checked => {
  const { type } = right
  if (isNullable(type)) return mayBeNull(checking, node.args[1])
  const items = type.kind === 'array' ? type.items : type.kind === 'map' ? stringType : undefined
  if (items === undefined)
    return invalid(checking, node, `'in' looks into a list or a map; '${sourceOf(node.args[1])}' is ${showType(type)}`)
  if (items.kind !== 'nothing' && !membersOf(items).some((item) => areComparable(left.type, item))) {
    return invalid(checking, node, `'in' looks for ${showType(left.type)} in a ${showType(type)}, where it never is`)
  }
  return { type: booleanType, emit: () => `isIn(${left.emit()}, ${right.emit()})` }
}
