import { type ASTNode } from '@marcbachmann/cel-js'

/** What is known to be there and not null when a condition has come out true, or false. */
export type Facts = { readonly whenTrue: readonly string[]; readonly whenFalse: readonly string[] }

const nothing: Facts = { whenTrue: [], whenFalse: [] }

/** Reads `has(x)`, `x != null`, `x == null`, `!`, `&&` and `||`; any other condition says nothing. */
export const factsOf = (node: ASTNode): Facts => {
  switch (node.op) {
    case 'call':
      return node.args[0] === 'has' && node.args[1].length === 1 ? known(pathOf(node.args[1][0]!)) : nothing
    case '!=':
      return known(pathBesideNull(node.args))
    case '==':
      return inverse(known(pathBesideNull(node.args)))
    case '!_':
      return inverse(factsOf(node.args))
    case '&&':
      return both(factsOf(node.args[0]), factsOf(node.args[1]))
    case '||':
      return inverse(both(inverse(factsOf(node.args[0])), inverse(factsOf(node.args[1]))))
    default:
      return nothing
  }
}

/** `start.address.city` of a pure walk; undefined for any other node. */
export const pathOf = (node: ASTNode): string | undefined => {
  if (node.op === 'id') return node.args
  const name = fieldOf(node)
  if (name === undefined || (node.op !== '.' && node.op !== '[]')) return undefined
  const owner = pathOf(node.args[0])
  return owner === undefined ? undefined : joinPath(owner, name)
}

export const joinPath = (owner: string, field: string): string => `${owner}.${field}`

/** The field that `a.b` or `a['b']` names. */
export const fieldOf = (node: ASTNode): string | undefined => {
  if (node.op === '.') return node.args[1]
  if (node.op !== '[]') return undefined
  const [, index] = node.args
  return index.op === 'value' && typeof index.args === 'string' ? index.args : undefined
}

/** Where a walk is there, so is all that it went through. */
const known = (path: string | undefined): Facts => {
  if (path === undefined) return nothing
  const names = path.split('.')
  return { whenTrue: names.map((_, i) => names.slice(0, i + 1).join('.')), whenFalse: [] }
}

const pathBesideNull = ([left, right]: readonly [ASTNode, ASTNode]): string | undefined => {
  if (isNull(right)) return pathOf(left)
  return isNull(left) ? pathOf(right) : undefined
}

const isNull = (node: ASTNode): boolean => node.op === 'value' && node.args === null

const inverse = ({ whenTrue, whenFalse }: Facts): Facts => ({ whenTrue: whenFalse, whenFalse: whenTrue })

const both = (a: Facts, b: Facts): Facts => ({
  whenTrue: [...a.whenTrue, ...b.whenTrue],
  whenFalse: a.whenFalse.filter((fact) => b.whenFalse.includes(fact))
})
