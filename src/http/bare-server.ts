import { randomBytes } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import fastify, { type FastifyInstance, LogController } from 'fastify'
import { Connections } from './connections.ts'
import type { HttpDeps } from './deps.ts'
import { Doors } from './doors.ts'
import { answerBadHttp, handleErrors, onError } from './error-handler.ts'
import type { Metrics } from './metrics.ts'
import { Pipelines } from './pipelines.ts'
import { Reports } from './reports.ts'
import { refuseStrangers } from './strangers.ts'
import { addSafetyHeaders, refuseUnsafe, takeJsonOnly } from './safety.ts'

/** Where log lines go, and which; how many connections there may be, and from where. */
export type Serving = Pick<HttpDeps, 'logLevel' | 'logStream' | 'connectionsMax' | 'isLocal'>

/** How a server ends: what it lets go of, and how long connections have to say something more. */
export type Closing = { readonly held: ReadonlySet<() => void>; readonly lingerMs: number | undefined }

/** A server without any route: every answer that is not a success is a problem, and every request is counted. */
export const bareServer = (serving: Serving, bodyLimit: number, { requests }: Metrics): FastifyInstance => {
  const pipelines = new Pipelines()
  const { connectionsMax = Infinity } = serving
  const connections = new Connections(connectionsMax, () =>
    http.reports.refused('PARCOMOLO_HTTP_OVERLOADED', { connectionsMax }, tooManyConnections)
  )
  const newServer = (begin: RequestListener): Server => {
    const server = serverOf(pipelines.inTurn(begin))
    connections.watch(server)
    return server
  }
  const http: FastifyInstance = fastify({
    serverFactory: newServer,
    logger: loggerOptions(serving),
    // A line a request would cost more than the request: metrics count them, and errors are logged by the error
    // handler.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    genReqId: requestIds(),
    bodyLimit,
    ...times,
    // While it closes, requests that are on their way are still answered; the view closes after the server.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 300 },
    clientErrorHandler: answerBadHttp,
    frameworkErrors: (error, request, reply) => {
      addSafetyHeaders(request, reply)
      onError(error, request, reply)
    },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true, verbose: true } }
  })
  http.addHook('onResponse', (request, reply, done) => {
    requests.observe(request.method, request.routeOptions.url ?? 'unknown', reply.statusCode, reply.elapsedTime)
    done()
  })
  http.decorate('reports', new Reports(http.log))
  http.decorate('doors', new Doors(http, newServer))
  handleErrors(http)
  refuseUnsafe(http)
  if (serving.isLocal === true) refuseStrangers(http)
  takeJsonOnly(http)
  return http
}

const tooManyConnections =
  "there are as many connections as leave descriptors for files, so others are let go; raise 'ulimit -n' for more"

/** In ms. A connection on which nothing moves is longer open than a request is held. */
const times = { keepAliveTimeout: 72_000, requestTimeout: 30_000, connectionTimeout: 120_000 }

const serverOf = (begin: RequestListener): Server => {
  const { keepAliveTimeout, requestTimeout, connectionTimeout } = times
  // What Node would refuse without a word is refused as a problem: see `safety.ts`.
  const server = createServer({ keepAliveTimeout, requestTimeout, requireHostHeader: false }, begin)
  server.on('checkExpectation', begin)
  server.setTimeout(connectionTimeout)
  return server
}

/**
 * A close waits for the answers that are due; it lets go of those that are only held, and keeps no connection for a
 * next request.
 */
export const closeSoon = (http: FastifyInstance, { held, lingerMs = 0 }: Closing): void => {
  let isClosing = false
  http.addHook('preClose', (done) => {
    isClosing = true
    for (const letGo of held) letGo()
    done()
  })
  // After those that were held are let go.
  http.addHook('preClose', () => http.doors.close(lingerMs))
  http.addHook('onSend', (_, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done(null, payload)
  })
}

/** Lines as the rest of the process writes them. */
const loggerOptions = ({ logLevel = 'info', logStream = process.stderr }: Serving) => ({
  level: logLevel,
  stream: logStream,
  base: null,
  messageKey: 'message',
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  formatters: { level: (level: string) => ({ level }) }
})

/** Unlike in every process, so that a user's report leads to one line of the log. */
const requestIds = (): (() => string) => {
  const prefix = randomBytes(4).toString('hex')
  let count = 0
  return () => `${prefix}-${++count}`
}
