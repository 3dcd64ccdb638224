import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RouteDeps } from './deps.ts'
import { sendProblem } from './problem.ts'

/**
 * Until the view has folded what was durable at the start, an order that was acknowledged might seem not to be there:
 * so nothing of it is shown. And while the process cannot keep what it is given (a full disk), it takes nothing new,
 * at once instead of after a wait for an answer that will not come.
 */
export const refuseUntilReady = (http: FastifyInstance, deps: RouteDeps): void => {
  http.addHook('preHandler', (request: FastifyRequest, reply: FastifyReply, done) => {
    const state = deps.view.state()
    if (state !== 'following') return void sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', details[state])
    const failing = isRead(request) ? undefined : deps.health?.().find(({ ok }) => !ok)
    if (failing === undefined) return done()
    const detail = `nothing new is taken while the ${failing.name} is failing; '/readyz' says why; try again shortly`
    sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', detail)
  })
}

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

const details = {
  'catching-up': 'the read model still folds what was in the journals at the start; try again shortly',
  failed: "the read model has stopped; '/readyz' says why, and a restart makes it go on"
}
