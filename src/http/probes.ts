import type { FastifyInstance } from 'fastify'
import { bareServer, closeSoon, type Serving } from './bare-server.ts'
import { type HealthCheck, type HttpDeps, httpLimits } from './deps.ts'
import { makeMetrics } from './metrics.ts'
import { answerUnknownRoutes } from './not-found.ts'
import { errorRoutes } from './routes/errors.ts'
import { healthRoutes, stopCheck } from './routes/health.ts'

export type ProbeDeps = Serving &
  Pick<HttpDeps, 'lingerMs' | 'isStopping'> & {
    readonly health: () => readonly HealthCheck[]
    /** Prometheus text of the other rooms, appended to the own. */
    readonly metrics: () => Promise<string> | string
    /** Who has all the rest, as it stands in an answer to whoever asks for it here. */
    readonly elsewhere: string
  }

/** What a process serves that has no REST interface: its liveness, its readiness and its metrics. */
export const createProbes = (deps: ProbeDeps): FastifyInstance => {
  const metrics = makeMetrics(() => undefined, deps.metrics)
  const http = bareServer(deps, httpLimits.bodyBytesMax, metrics)
  answerUnknownRoutes(http, deps.elsewhere)
  closeSoon(http, { held: new Set(), lingerMs: deps.lingerMs })
  http.register(async (inner) => {
    errorRoutes(inner)
    healthRoutes(inner, { checks: () => [...stopCheck(deps), ...deps.health()] }, metrics)
  })
  return http
}
