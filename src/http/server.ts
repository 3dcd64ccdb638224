import { randomBytes, randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { Admission, admit } from './admission.ts'
import { bareServer, closeSoon } from './bare-server.ts'
import { Commands } from './commands.ts'
import { type HealthCheck, type HttpDeps, httpLimits, type RouteDeps } from './deps.ts'
import { makeMetrics, type Metrics, viewMetrics } from './metrics.ts'
import { answerUnknownRoutes } from './not-found.ts'
import { addOpenApi } from './openapi.ts'
import { numberLimit } from './reading.ts'
import { refuseUntilReady } from './readiness.ts'
import { definitionRoutes } from './routes/definitions.ts'
import { errorRoutes } from './routes/errors.ts'
import { type Health, healthRoutes, intakeCheck, stopCheck, viewChecks } from './routes/health.ts'
import { participantRoutes } from './routes/participants.ts'
import { rootRoutes } from './routes/root.ts'
import { sagaRoutes } from './routes/sagas.ts'
import { boundUnread, Unread } from './unread.ts'

/** The REST interface, ready to listen. `close` lets requests under way finish. */
export const createHttp = (deps: HttpDeps): FastifyInstance => create(deps, false).http

/**
 * The same without metrics and without the details of its health, which are only for whoever runs the process; and a
 * server for these, which listens on a port of its own.
 */
export const createHttpApart = (
  deps: HttpDeps
): { readonly http: FastifyInstance; readonly probes: FastifyInstance } => {
  const { http, health, metrics } = create(deps, true)
  const probes = bareServer({ ...deps, connectionsMax: probeConnectionsMax }, httpLimits.bodyBytesMax, metrics)
  answerUnknownRoutes(probes, 'the REST interface has a port of its own')
  closeSoon(probes, { held: new Set(), lingerMs: deps.lingerMs })
  probes.register(async (inner) => {
    errorRoutes(inner)
    healthRoutes(inner, health, metrics)
  })
  return { http, probes }
}

const probeConnectionsMax = 64

type Created = { readonly http: FastifyInstance; readonly health: Health; readonly metrics: Metrics }

const create = (deps: HttpDeps, isApart: boolean): Created => {
  const limits = { ...httpLimits, ...deps.limits }
  const commands = new Commands(deps.sendCommand, limits.commandsInFlightMax)
  const newId = deps.newId ?? timedIds(deps.clock)
  const admission = new Admission(deps.clock, limits)
  const { idSecret = randomBytes(32) } = deps
  const routeDeps: RouteDeps = { ...deps, limits, commands, admission, newId, idSecret, held: new Set() }
  const metrics = makeMetrics((registry) => viewMetrics(registry, routeDeps), deps.metrics)
  const health = healthOf(routeDeps)
  const http = bareServer(deps, limits.bodyBytesMax, metrics)
  boundUnread(http, new Unread(deps.clock, limits))
  answerUnknownRoutes(http)
  http.addHook('preValidation', (request, _, done) => {
    numberLimit(request)
    done()
  })
  closeSoon(http, { held: routeDeps.held, lingerMs: deps.lingerMs })
  addOpenApi(http, deps)
  http.register(async (inner) => {
    rootRoutes(inner, routeDeps)
    errorRoutes(inner)
    healthRoutes(inner, isApart ? withoutDetails(health) : health, isApart ? undefined : metrics)
  })
  http.register(async (inner) => {
    admit(inner, routeDeps)
    refuseUntilReady(inner, routeDeps)
    for (const { register } of deps.routes ?? []) register(inner, routeDeps)
    sagaRoutes(inner, routeDeps)
    definitionRoutes(inner, routeDeps)
    participantRoutes(inner, routeDeps)
  })
  return { http, health, metrics }
}

/** They tell of paths, addresses and versions. */
const withoutDetails = ({ checks, ofView }: Health): Health => {
  const bare = (all: readonly HealthCheck[]): HealthCheck[] => all.map(({ name, ok }) => ({ name, ok, detail: '' }))
  return { checks: () => bare(checks()), ofView: () => bare(ofView?.() ?? []) }
}

/** Where there is no intake, nothing works without the view. */
const healthOf = (deps: RouteDeps): Health => {
  const ofProcess = (): readonly HealthCheck[] => [
    ...stopCheck(deps),
    ...(deps.health?.() ?? []),
    ...(deps.applicationHealth?.() ?? [])
  ]
  const ofView = (): readonly HealthCheck[] => [...viewChecks(deps), ...(deps.viewHealth?.() ?? [])]
  if (deps.intake === undefined) return { checks: () => [...ofView(), ...ofProcess()] }
  return { checks: () => [...intakeCheck(deps), ...ofProcess()], ofView }
}

/**
 * Time first, then chance, as in UUIDv7: neighbours in time are neighbours in an index, which spares a store most of
 * its page writes.
 */
const timedIds =
  (clock: HttpDeps['clock']): (() => string) =>
  () => {
    const chance = randomUUID()
    return clock.now().toString(16).padStart(12, '0') + chance.slice(14, 18) + chance.slice(19, 23) + chance.slice(24)
  }
