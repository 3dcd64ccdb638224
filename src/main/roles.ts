import type { Flow } from '../task/index.ts'

/** The components: each runs by itself, and shares its partitions with those of other processes. */
const components = ['order', 'inventory', 'payment', 'shipping', 'orchestrator'] as const

/**
 * What a process can run. `operator` publishes the sagas of a folder; `view` has the read model and the REST interface.
 */
export const roles = [...components, 'operator', 'view'] as const

export type Role = (typeof roles)[number]

/** Roles that there is nothing to do for where no saga runs. */
export const sagaRoles: readonly Role[] = ['orchestrator', 'operator']

/** `all`, or a list with commas, each role once and in the order of `roles`; undefined for any other text. */
export const readRoles = (text: string): 'all' | readonly Role[] | undefined => {
  if (text === 'all') return 'all'
  const words = new Set(text.split(',').map((word) => word.trim()))
  const found = roles.filter((role) => words.has(role))
  return found.length === words.size ? found : undefined
}

/** Every role that a process has in this flow. */
export const rolesIn = (flow: Flow, given: 'all' | readonly Role[]): readonly Role[] =>
  given === 'all' ? roles.filter((role) => flow === 'orchestration' || !sagaRoles.includes(role)) : given

/** Those of them that are components, as `startSystem` takes them. */
export const componentsOf = (given: readonly Role[]): readonly Role[] =>
  given.filter((role) => components.some((component) => component === role))
