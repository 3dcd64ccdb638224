import type { HealthCheck } from '../http/index.ts'
import type { Log } from '../log/index.ts'
import type { Definitions } from '../orchestrator/index.ts'
import type { ViewStore } from '../view/index.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Parts } from './stage.ts'

/** Of the process: its start, its tasks and its log, as far as they are there yet. `doing`: the step of the start. */
export const healthOf = (diagnostics: Diagnostics, { log, operator }: Parts, doing?: string): HealthCheck[] => [
  ...(doing === undefined ? [] : [{ name: 'start', ok: false, detail: `it is ${doing}` }]),
  ...diagnostics.health(),
  ...(log === undefined ? [] : [logHealth(log)]),
  ...(operator?.health().ready ?? [])
]

/** The event that an order begins with. */
const orderStart = { event: 'OrderPlaced', topic: 'order-events' }

/** Of the sagas in force now: an order that none of them begins with would wait for ever. */
export const orderHealth = (definitions: Pick<Definitions, 'startable' | 'all'>): HealthCheck => {
  const begins = ({ start }: Startable): boolean => start.event === orderStart.event && start.topic === orderStart.topic
  if (definitions.startable().some(begins)) return sagasAreWell
  const reason =
    definitions.all().length === 0
      ? "none is published yet; that is for a process with the role 'operator', from its resources or its folder"
      : 'publish one that does; the log says which files or resources are refused'
  return { name: 'sagas', ok: false, detail: `no saga begins with ${orderStart.event}: ${reason}` }
}

type Startable = ReturnType<Definitions['startable']>[number]

const sagasAreWell: HealthCheck = { name: 'sagas', ok: true, detail: '' }

/**
 * Of what only the read model needs: the step of its start (`doing`), and its database while it does not answer. All
 * that needs no row of it goes on meanwhile.
 */
export const viewHealth = (store: ViewStore | undefined, doing?: string): HealthCheck[] => {
  const failure = store?.failure()
  return [
    ...(doing === undefined ? [] : [{ name: 'start', ok: false, detail: `it is ${doing}` }]),
    ...(failure === undefined ? [] : [{ name: 'database', ok: false, detail: failure.message }])
  ]
}

const logHealth = (log: Log): HealthCheck => {
  const health = log.health()
  return health.ok
    ? { name: 'log', ok: true, detail: health.concerns?.join('; ') ?? '' }
    : { name: 'log', ok: false, detail: `${health.code}: ${health.message}` }
}
