import type { FastifyInstance } from 'fastify'
import type { HealthCheck, RouteDeps } from '../deps.ts'
import type { Metrics } from '../metrics.ts'
import { json } from '../route-docs.ts'
import { health } from '../schemas.ts'

/** For whoever runs the process: is it alive, is it ready, what does it do. */
export const healthRoutes = (http: FastifyInstance, health: () => readonly HealthCheck[], metrics: Metrics): void => {
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
      schema: schemaOf('Readiness: all parts work; 503 with the reason otherwise'),
      config: { docs: { problems: [] } }
    },
    async (_, reply) => {
      const checks = health()
      const isReady = checks.every((check) => check.ok)
      return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'failing', checks })
    }
  )
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
  const { failure, isCaughtUp, stalledBy, storeFailure, skippedCount } = view.health()
  const notes = [
    ...(storeFailure === undefined ? [] : [`its store fails: ${storeFailure}`]),
    ...(skippedCount === 0 ? [] : [`${skippedCount} records could not be decoded and are missing`])
  ]
  const ok = failure === undefined && isCaughtUp && stalledBy === undefined
  return [{ name: 'view', ok, detail: [failure ?? stateOf(isCaughtUp, stalledBy), ...notes].join('; ') }]
}

const stateOf = (isCaughtUp: boolean, stalledBy: string | undefined): string => {
  if (stalledBy !== undefined) return `stands still for now: ${stalledBy}`
  return isCaughtUp ? 'follows the journals' : 'still folds what was in the journals at the start'
}
