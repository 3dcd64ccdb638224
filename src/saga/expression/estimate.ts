import { type ASTNode } from '@marcbachmann/cel-js'
import { sagaLimits, scanCost, searchCost } from '../definition/index.ts'
import { childrenOf, isLoop, type LoopNode } from './operations.ts'

/** How large a value may be: as a text, and as a list or record; `item` is the largest of its members. */
type Size = { readonly chars: number; readonly items: number; readonly item: Size }

type Estimate = { readonly cost: number; readonly size: Size }

type Sizes = ReadonlyMap<string, Size>

const selfContained = (chars: number, items: number): Size => {
  const size = { chars, items, item: undefined as unknown as Size }
  size.item = size
  return size
}

/** Of a number, true, false and null. */
const simple = selfContained(0, 0)

/** Of what comes in a message: lists as long as they may be, and texts as they mostly are. */
const outside = selfContained(50, sagaLimits.listItems.value)

/** What an expression that has been checked costs at worst, in the operations of `definition/cost.ts`. */
export const estimateOf = (ast: ASTNode): number => estimate(ast, new Map()).cost

const estimate = (node: ASTNode, locals: Sizes): Estimate => {
  switch (node.op) {
    case 'value':
      return { cost: 1, size: typeof node.args === 'string' ? selfContained(node.args.length, 0) : simple }
    case 'id':
      return { cost: 1, size: locals.get(node.args) ?? outside }
    case 'list':
    case 'map':
      return estimateMembers(node, locals)
    case 'rcall':
      return isLoop(node) ? estimateLoop(node, locals) : estimateMethod(node, locals)
    default:
      return estimateOperation(node, locals)
  }
}

const estimateMembers = (node: ASTNode & { readonly op: 'list' | 'map' }, locals: Sizes): Estimate => {
  const members = childrenOf(node).map((child) => estimate(child, locals))
  const item = members.map(({ size }) => size).reduce(larger, simple)
  return { cost: 1 + costOf(members), size: { chars: 0, items: members.length, item } }
}

const estimateLoop = (node: LoopNode, locals: Sizes): Estimate => {
  const [name, list, [variable, ...body]] = node.args
  const over = estimate(list, locals)
  const inner = new Map([...locals, [(variable as ASTNode & { readonly op: 'id' }).args, over.size.item]])
  const each = body.map((part) => estimate(part, inner))
  const cost = 1 + over.cost + over.size.items * (1 + costOf(each))
  const mapped: Size = { chars: 0, items: over.size.items, item: each.at(-1)!.size }
  return { cost, size: name === 'map' ? mapped : name === 'filter' ? over.size : simple }
}

const estimateMethod = (node: LoopNode, locals: Sizes): Estimate => {
  const [name, onNode, argNodes] = node.args
  const [on, ...args] = [onNode, ...argNodes].map((child) => estimate(child, locals)) as [Estimate, ...Estimate[]]
  const sought = args[0]?.size.chars ?? 0
  const cost = 1 + on.cost + costOf(args)
  const { chars, items, item } = on.size
  if (name === 'join') {
    const joined = Math.min(items * (item.chars + sought), sagaLimits.textChars.value)
    return { cost: cost + items + scanCost(joined), size: selfContained(joined, 0) }
  }
  if (name !== 'split') return { cost: cost + searchCost(chars, sought), size: selfContained(chars, 0) }
  const parts = Math.min(chars + 1, sagaLimits.listItems.value)
  const size = { chars: 0, items: parts, item: selfContained(sought === 0 ? pairChars : chars, 0) }
  return { cost: cost + searchCost(chars, sought) + chars, size }
}

/** What `split('')` makes. */
const pairChars = 2

const estimateOperation = (node: ASTNode, locals: Sizes): Estimate => {
  const parts = childrenOf(node).map((child) => estimate(child, locals))
  const [first = simple, second = simple, third = simple] = parts.map(({ size }) => size)
  const { cost, size } = ofOperands(node.op, first, second, third)
  return { cost: 1 + costOf(parts) + cost, size }
}

const ofOperands = (op: string, ...[a, b, c]: readonly [Size, Size, Size]): Estimate => {
  switch (op) {
    case '.':
    case '[]':
      return { cost: 0, size: a.item }
    case '?:':
      return { cost: 0, size: larger(b, c) }
    case '+':
      return { cost: weightOf(a) + weightOf(b), size: sum(a, b) }
    case 'in':
      return { cost: b === outside ? lookUpCost : b.items * Math.min(weightOf(a), weightOf(b.item)), size: simple }
    case 'call':
      return { cost: scanCost(a.chars), size: selfContained(Math.max(a.chars, numberChars), 0) }
    default:
      return { cost: Math.min(weightOf(a), weightOf(b)), size: simple }
  }
}

/** Of `in`, where it is not known here whether it looks into a list or into a map. */
const lookUpCost = 50

/** Of a number as a text. */
const numberChars = 25

const costOf = (parts: readonly Estimate[]): number => parts.reduce((total, { cost }) => total + cost, 0)

/** What it costs to look at all of a value; of what comes in a message nobody knows, so it is one of its texts. */
const weightOf = (size: Size): number =>
  scanCost(size.chars) + (size.item === size ? 0 : size.items * (1 + weightOf(size.item)))

const larger = (a: Size, b: Size): Size => {
  if (a === b || b === simple) return a
  if (a === simple) return b
  const [chars, items] = [Math.max(a.chars, b.chars), Math.max(a.items, b.items)]
  return a.item === a && b.item === b ? selfContained(chars, items) : { chars, items, item: larger(a.item, b.item) }
}

/** Of a text or a list behind another. */
const sum = (a: Size, b: Size): Size => {
  const { textChars, listItems } = sagaLimits
  const chars = Math.min(a.chars + b.chars, textChars.value)
  const items = Math.min(a.items + b.items, listItems.value)
  return a.item === a && b.item === b ? selfContained(chars, items) : { chars, items, item: larger(a.item, b.item) }
}
