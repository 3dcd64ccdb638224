import { type ASTNode } from '@marcbachmann/cel-js'
import { limitText, sagaLimits } from '../definition/index.ts'
import { type Checked, type Checking, invalid, sourceOf, unknown } from './checking.ts'
import { type LoopNode as Loop, operationsIn } from './operations.ts'
import { localName } from './names.ts'
import { booleanType, showType, type Type } from './types.ts'

/** `list.map(x, …)`, `.filter`, `.all`, `.exists`, `.exists_one`: the variable stands for each item in turn. */
export const checkLoop = (checking: Checking, node: Loop): Checked => {
  const [name, listNode, args] = node.args
  const list = checking.visit(listNode)
  if (list.type.kind === 'unknown') return unknown
  if (list.type.kind !== 'array') {
    return invalid(
      checking,
      listNode,
      `'${name}' goes through a list; '${sourceOf(listNode)}' is ${showType(list.type)}`
    )
  }
  if (list.type.items.kind === 'nothing') return invalid(checking, listNode, alwaysEmpty(listNode))
  const variable = variableOf(checking, node)
  if (variable === undefined) return unknown
  const locals = new Map([...checking.locals, [variable, list.type.items]])
  const inner = args.slice(1).map((arg) => checking.visit(arg, { locals }))
  const conditions = name === 'map' ? inner.slice(0, -1) : inner
  const wrong = conditions.findIndex(({ type }) => type.kind !== 'boolean' && type.kind !== 'unknown')
  if (wrong !== -1) {
    const text = `the condition of '${name}' is ${showType(conditions[wrong]!.type)}; it must be a boolean`
    return invalid(checking, args[wrong + 1]!, text)
  }
  const operations = args.slice(1).reduce((sum, arg) => sum + operationsIn(arg), 1)
  return {
    type: resultOf(name, list.type, inner),
    emit: () =>
      `over(${list.emit()}, ${operations}).${name}(${[localName(variable), ...inner.map((arg) => arg.emit())].join(', ')})`
  }
}

const resultOf = (name: string, list: Type, inner: readonly Checked[]): Type => {
  if (name === 'map') return { kind: 'array', items: inner.at(-1)!.type }
  return name === 'filter' ? list : booleanType
}

const variableOf = (checking: Checking, node: Loop): string | undefined => {
  const [name, , args] = node.args
  const { loopNesting } = sagaLimits
  if (checking.locals.size === loopNesting.value) {
    checking.report(node.start, loopNesting.code, `too many loops inside each other; ${limitText(loopNesting)}`)
    return undefined
  }
  const [first] = args
  const isCountRight = args.length === 2 || (name === 'map' && args.length === 3)
  if (first?.op !== 'id' || !isCountRight) {
    invalid(checking, node, `'${name}' takes a variable and an expression: lines.${name}(l, …)`)
    return undefined
  }
  if (!isTaken(checking, first.args)) return first.args
  invalid(checking, first, `'${first.args}' has a meaning here already; choose another variable`)
  return undefined
}

const isTaken = ({ scope, locals }: Checking, name: string): boolean =>
  name === 'steps' || Object.hasOwn(scope.roots, name) || Object.hasOwn(scope.absent, name) || locals.has(name)

export const alwaysEmpty = (list: ASTNode): string => `the list '${sourceOf(list)}' is always empty`
