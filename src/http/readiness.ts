import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RouteDeps } from './deps.ts'
import { sendProblem } from './problem.ts'

/**
 * Until the view has folded what was durable at the start, an order that was acknowledged might seem not to be there:
 * so nothing of it is shown.
 */
export const refuseUntilReady = (http: FastifyInstance, deps: RouteDeps): void => {
  http.addHook('preHandler', (request: FastifyRequest, reply: FastifyReply, done) => {
    const state = deps.view.state()
    if (state === 'following') return done()
    sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', details[state])
  })
}

const details = {
  'catching-up': 'the read model still folds what was in the journals at the start; try again shortly',
  failed: "the read model has stopped; '/readyz' says why, and a restart makes it go on"
}
