import type { Application } from '../application/index.ts'

/**
 * The engine's own part of what a process can run, beside the services: `courier` delivers the commands of participants
 * that speak HTTP; `operator` publishes the sagas of a folder; `view` has the read model and the REST interface.
 */
const engineRoles = ['orchestrator', 'courier', 'operator', 'view']

/** Roles that there is nothing to do for where no saga runs. */
export const sagaRoles: readonly string[] = ['orchestrator', 'courier', 'operator']

/** What a process can run: each service by itself, and the engine's own. */
export const rolesOf = ({ services }: Application): readonly string[] => [
  ...services.map(({ name }) => name),
  ...engineRoles
]

/** Of these: `all`, or a list with commas, each role once and in their order; undefined for any other text. */
export const readRoles = (roles: readonly string[], text: string): 'all' | readonly string[] | undefined => {
  if (text === 'all') return 'all'
  const words = new Set(text.split(',').map((word) => word.trim()))
  const found = roles.filter((role) => words.has(role))
  return found.length === words.size ? found : undefined
}

/** Every role that a process has. */
export const rolesIn = (application: Application, given: 'all' | readonly string[]): readonly string[] =>
  given === 'all' ? rolesOf(application).filter((role) => application.runsSagas || !sagaRoles.includes(role)) : given

/** Those of them that are components, as `startSystem` takes them: each shares its partitions with other processes. */
export const componentsOf = (given: readonly string[]): readonly string[] =>
  given.filter((role) => role !== 'operator' && role !== 'view')
