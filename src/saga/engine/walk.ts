import { type Node } from '../definition/index.ts'
import { type SagaEvent } from './instance.ts'

/** What a walk finds: an event that is due, else whether something there is still under way. */
export type Found = SagaEvent | 'busy' | 'through'

/**
 * Visits the steps of a sequence, first to last or last to first, up to the first that is not through. A parallel is
 * through when all of its branches are; so walking backward undoes each branch in its own reverse order, side by side,
 * and then what came before.
 */
export const walk = (nodes: readonly Node[], order: 'forward' | 'backward', visit: (index: number) => Found): Found => {
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[order === 'forward' ? i : nodes.length - 1 - i]!
    const found = node.kind === 'step' ? visit(node.index) : walkBranches(node.branches, order, visit)
    if (found !== 'through') return found
  }
  return 'through'
}

const walkBranches = (
  branches: readonly (readonly Node[])[],
  order: 'forward' | 'backward',
  visit: (index: number) => Found
): Found => {
  let all: Found = 'through'
  for (const branch of branches) {
    const found = walk(branch, order, visit)
    if (typeof found === 'object') return found
    if (found === 'busy') all = found
  }
  return all
}
