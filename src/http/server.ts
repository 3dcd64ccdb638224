import { randomBytes, randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, LogController } from 'fastify'
import { type HttpDeps, httpLimits, type RouteDeps } from './deps.ts'
import { answerBadHttp, handleErrors, onError } from './error-handler.ts'
import { makeMetrics, type Metrics } from './metrics.ts'
import { answerUnknownRoutes } from './not-found.ts'
import { addOpenApi } from './openapi.ts'
import { numberLimit } from './reading.ts'
import { refuseUntilReady } from './readiness.ts'
import { cancelOrderRoutes } from './routes/cancel-order.ts'
import { definitionRoutes } from './routes/definitions.ts'
import { errorRoutes } from './routes/errors.ts'
import { healthRoutes } from './routes/health.ts'
import { orderRoutes } from './routes/orders.ts'
import { rootRoutes } from './routes/root.ts'
import { sagaRoutes } from './routes/sagas.ts'
import { stockRoutes } from './routes/stock.ts'

/** The REST interface, ready to listen. `close` lets requests under way finish. */
export const createHttp = (deps: HttpDeps): FastifyInstance => {
  const routeDeps: RouteDeps = {
    ...deps,
    limits: { ...httpLimits, ...deps.limits },
    newId: deps.newId ?? timedIds(deps.clock),
    held: new Set()
  }
  const http = makeServer(deps, routeDeps)
  const metrics = makeMetrics(routeDeps)
  observeRequests(http, metrics)
  handleErrors(http)
  answerUnknownRoutes(http)
  // Bodies are JSON: any other content type is refused.
  http.removeContentTypeParser('text/plain')
  http.addHook('preValidation', (request, _, done) => {
    numberLimit(request)
    done()
  })
  closeSoon(http, routeDeps)
  addOpenApi(http)
  http.register(async (inner) => {
    rootRoutes(inner, routeDeps)
    errorRoutes(inner)
    healthRoutes(inner, routeDeps, metrics)
  })
  http.register(async (inner) => {
    refuseUntilReady(inner, routeDeps)
    orderRoutes(inner, routeDeps)
    cancelOrderRoutes(inner, routeDeps)
    stockRoutes(inner, routeDeps)
    sagaRoutes(inner, routeDeps)
    definitionRoutes(inner, routeDeps)
  })
  return http
}

/**
 * A close waits for the answers that are due; it lets go of those that are only held, and keeps no connection for a
 * next request.
 */
const closeSoon = (http: FastifyInstance, { held }: RouteDeps): void => {
  let isClosing = false
  http.addHook('preClose', (done) => {
    isClosing = true
    for (const letGo of held) letGo()
    done()
  })
  http.addHook('onSend', (_, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done(null, payload)
  })
}

const makeServer = (deps: HttpDeps, { limits }: RouteDeps): FastifyInstance =>
  fastify({
    logger: loggerOptions(deps),
    // A line a request would cost more than the request: metrics count them, and errors are logged by the error
    // handler.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    genReqId: requestIds(),
    bodyLimit: limits.bodyBytesMax,
    keepAliveTimeout: 72_000,
    requestTimeout: 30_000,
    // While it closes, requests that are on their way are still answered; the view closes after the server.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 300 },
    clientErrorHandler: answerBadHttp,
    frameworkErrors: (error, request, reply) => {
      onError(error, request, reply)
    },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true, verbose: true } }
  })

/** Lines as the rest of the process writes them. */
const loggerOptions = ({ logLevel = 'info', logStream = process.stderr }: HttpDeps) => ({
  level: logLevel,
  stream: logStream,
  base: null,
  messageKey: 'message',
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  formatters: { level: (level: string) => ({ level }) }
})

/**
 * Time first, then chance, as in UUIDv7: neighbours in time are neighbours in an index, which spares a store most of
 * its page writes.
 */
const timedIds =
  (clock: HttpDeps['clock']): (() => string) =>
  () =>
    clock.now().toString(16).padStart(12, '0') + randomUUID().replaceAll('-', '').slice(12)

/** Unlike in every process, so that a user's report leads to one line of the log. */
const requestIds = (): (() => string) => {
  const prefix = randomBytes(4).toString('hex')
  let count = 0
  return () => `${prefix}-${++count}`
}

const observeRequests = (http: FastifyInstance, { requests }: Metrics): void => {
  http.addHook('onResponse', (request, reply, done) => {
    requests.observe(request.method, request.routeOptions.url ?? 'unknown', reply.statusCode, reply.elapsedTime)
    done()
  })
}
