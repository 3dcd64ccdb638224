import { type ASTNode } from '@marcbachmann/cel-js'

/** The macros over lists; `loops.ts`. */
export const loopNames = ['map', 'filter', 'all', 'exists', 'exists_one']

/** How many operations one run has, but for what loops repeat. */
export const operationsIn = (node: ASTNode): number => {
  const inLoop = isLoop(node) ? [node.args[1]] : childrenOf(node)
  return inLoop.reduce((sum, child) => sum + operationsIn(child), 1)
}

/** How many signs stand inside each other. */
export const signDepthOf = (node: ASTNode): number =>
  childrenOf(node).reduce((deepest, child) => Math.max(deepest, signDepthOf(child)), 0) +
  (node.op === '!_' || node.op === '-_' ? 1 : 0)

export type LoopNode = ASTNode & { readonly op: 'rcall' }

export const isLoop = (node: ASTNode): node is LoopNode => node.op === 'rcall' && loopNames.includes(node.args[0])

export const childrenOf = (node: ASTNode): readonly ASTNode[] =>
  node.op === 'value' || node.op === 'id' ? [] : nodesIn(node.args)

const nodesIn = (args: unknown): readonly ASTNode[] => {
  if (Array.isArray(args)) return args.flatMap(nodesIn)
  return typeof args === 'object' ? [args as ASTNode] : []
}
