import type { FastifyInstance } from 'fastify'
import type { ViewHealth, ViewQuery } from '../../view/index.ts'
import { isFollowing } from '../answering.ts'
import type { HealthCheck, HttpDeps, RouteDeps } from '../deps.ts'
import type { Metrics } from '../metrics.ts'
import { catchingUpText, progressOf } from '../readiness.ts'
import { json } from '../route-docs.ts'
import { health } from '../schemas.ts'

/** What a process has to say of its health. */
export type Health = {
  /** All of these have to be well. */
  readonly checks: () => readonly HealthCheck[]
  /** These only where whoever asks wants the view. */
  readonly ofView?: () => readonly HealthCheck[]
}

/** For whoever runs the process: is it alive, is it ready, and what does it do, unless that is told elsewhere. */
export const healthRoutes = (http: FastifyInstance, { checks, ofView }: Health, metrics?: Metrics): void => {
  http.get(
    '/healthz',
    { schema: schemaOf('Liveness: the process answers'), config: { docs: { problems: [] } } },
    async () => ({
      status: 'ok',
      checks: []
    })
  )
  http.get(
    '/readyz',
    {
      schema: {
        ...schemaOf('Readiness: orders are taken; 503 with the reason otherwise'),
        description:
          'The checks named `view` and `database` tell of the read model, which may still be built while orders are ' +
          'taken. With `?view` they have to be well, too.',
        querystring: { type: 'object', properties: { view: { type: 'string', description: 'reads are right, too' } } }
      },
      config: { docs: { problems: [] } }
    },
    async (request, reply) => {
      const [needed, further] = [checks(), ofView?.() ?? []]
      const wantsView = (request.query as { view?: string }).view !== undefined
      const all = [...further, ...needed]
      const isReady = (wantsView ? all : needed).every((check) => check.ok)
      return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'failing', checks: all })
    }
  )
  if (metrics !== undefined) metricsRoute(http, metrics)
}

const metricsRoute = (http: FastifyInstance, metrics: Metrics): void => {
  http.get(
    '/metrics',
    {
      schema: { tags: ['Service'], summary: 'Metrics in the Prometheus text format' },
      config: {
        docs: {
          problems: [],
          answers: { 200: { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } } }
        }
      }
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text())
  )
}

const schemaOf = (summary: string) => ({
  tags: ['Service'],
  summary,
  response: { 200: json('All is well', health), 503: json('Something is not', health) }
})

/**
 * A store that refuses writes and records that are missing are worth knowing, but the answers are still good: they do
 * not make it unready.
 */
export const viewChecks = ({ view }: RouteDeps): readonly HealthCheck[] => {
  const health = view.health()
  const { failure, isCaughtUp, stalledBy, storeFailure, skippedCount } = health
  const notes = [
    ...(storeFailure === undefined ? [] : [`its store fails: ${storeFailure}`]),
    ...(skippedCount === 0 ? [] : [`${skippedCount} records could not be decoded and are missing`])
  ]
  const ok = failure === undefined && isCaughtUp && stalledBy === undefined
  return [{ name: 'view', ok, detail: [failure ?? stateOf(view, health), ...notes].join('; ') }]
}

const stateOf = (view: ViewQuery, { isCaughtUp, stalledBy }: ViewHealth): string => {
  if (stalledBy !== undefined) return `stands still for now: ${stalledBy}`
  return isCaughtUp ? 'follows the journals' : catchingUpText(progressOf(view.progress()))
}

/** Not ready any more, while it still takes what comes. */
export const stopCheck = ({ isStopping }: Pick<HttpDeps, 'isStopping'>): readonly HealthCheck[] =>
  isStopping?.() === true ? [{ name: 'stop', ok: false, detail: 'it stops, and takes what still comes' }] : []

/** What comes is taken by the view, or else by the intake: without one, the view has to be well. */
export const intakeCheck = (deps: RouteDeps): readonly HealthCheck[] => {
  if (deps.intake === undefined) return []
  if (isFollowing(deps)) return [{ name: 'intake', ok: true, detail: 'by the read model' }]
  const ok = deps.intake.ready()
  return [{ name: 'intake', ok, detail: ok ? 'by the journals, without the read model' : 'it is being opened' }]
}
