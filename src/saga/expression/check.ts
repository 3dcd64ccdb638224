import { type ASTNode } from '@marcbachmann/cel-js'
import { type Binding, type Checked, type Checking, invalid, type ScopeType, sourceOf, unknown } from './checking.ts'
import { fieldOf } from './facts.ts'
import { checkCall, checkMethod } from './functions.ts'
import { checkList, checkLiteral, checkMap } from './literals.ts'
import { alwaysEmpty, checkLoop } from './loops.ts'
import { checkField, checkHas, checkName } from './names.ts'
import { isLoop } from './operations.ts'
import { type BinaryNode, checkBinary, checkLogic, checkTernary, checkUnary, mayBeNull } from './operators.ts'
import { isInteger, isNullable, isText, showType } from './types.ts'

/**
 * Checks an expression against the types of what it names, and prepares it for the evaluator. CEL's own checker does
 * not know unions, replies that may be missing, or the nearest name; so the tree is walked here, and CEL is left with
 * the evaluation.
 */
export const checkExpression = (
  ast: ASTNode,
  scope: ScopeType,
  report: Checking['report']
): Checked & { readonly bindings: ReadonlyMap<string, Binding> } => {
  const bindings = new Map<string, Binding>()
  const root: Checking = {
    scope,
    bindings,
    locals: new Map(),
    facts: new Set(),
    report,
    visit: (node, inner) => visit(root, node, inner)
  }
  return { ...root.visit(ast), bindings }
}

const visit = (outer: Checking, node: ASTNode, inner: Parameters<Checking['visit']>[1]): Checked => {
  const checking: Checking = { ...outer, ...inner, visit: (child, more) => visit(checking, child, more) }
  return checkNode(checking, node)
}

const checkNode = (checking: Checking, node: ASTNode): Checked => {
  switch (node.op) {
    case 'value':
      return checkLiteral(checking, node)
    case 'id':
      return checkName(checking, node)
    case '.':
      return checkField(checking, node, node.args[1])
    case '[]':
      return checkIndex(checking, node)
    case 'list':
      return checkList(checking, node)
    case 'map':
      return checkMap(checking, node)
    default:
      return checkOperation(checking, node)
  }
}

const checkOperation = (checking: Checking, node: ASTNode): Checked => {
  switch (node.op) {
    case 'call':
      return node.args[0] === 'has' ? checkHas(checking, node) : checkCall(checking, node)
    case 'rcall':
      return isLoop(node) ? checkLoop(checking, node) : checkMethod(checking, node)
    case '?:':
      return checkTernary(checking, node)
    case '&&':
    case '||':
      return checkLogic(checking, node)
    case '!_':
    case '-_':
      return checkUnary(checking, node)
    default:
      return checkBinary(checking, node as BinaryNode)
  }
}

/** `a['field']`, `list[0]`, `map[key]`. */
const checkIndex = (checking: Checking, node: ASTNode & { op: '[]' }): Checked => {
  const field = fieldOf(node)
  if (field !== undefined) return checkField(checking, node, field)
  const [ownerNode, indexNode] = node.args
  const owner = checking.visit(ownerNode)
  const index = checking.visit(indexNode)
  if (owner.type.kind === 'unknown' || index.type.kind === 'unknown') return unknown
  if (isNullable(owner.type)) return mayBeNull(checking, ownerNode)
  const emitAs = (name: string) => (): string => `${name}(${owner.emit()}, ${index.emit()})`
  if (owner.type.kind === 'array' && isInteger(index.type)) {
    if (owner.type.items.kind === 'nothing') return invalid(checking, ownerNode, alwaysEmpty(ownerNode))
    return { type: owner.type.items, emit: emitAs('itemAt') }
  }
  if (owner.type.kind === 'map' && isText(index.type)) return { type: owner.type.values, emit: emitAs('memberAt') }
  const text = `'${sourceOf(ownerNode)}' is ${showType(owner.type)}, which has no item '${sourceOf(indexNode)}'`
  return invalid(checking, node, `${text}; a list takes a number, a map a text`)
}
