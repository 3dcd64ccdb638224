import type { HealthCheck } from '../http/index.ts'
import type { Log } from '../log/index.ts'
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
