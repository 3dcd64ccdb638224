import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ViewProgress } from '../view/index.ts'
import { isFollowing } from './answering.ts'
import type { RouteDeps } from './deps.ts'
import { type Problem, sendProblem } from './problem.ts'

/**
 * Until the view has folded what was durable at the start, an order that was acknowledged might seem not to be there:
 * so nothing of it is shown. Writes go on meanwhile, by the intake. But while the process cannot keep what it is given
 * (a full disk), it takes nothing new, at once instead of after a wait for an answer that will not come.
 */
export const refuseUntilReady = (http: FastifyInstance, deps: RouteDeps): void => {
  http.addHook('preHandler', (request: FastifyRequest, reply: FastifyReply, done) => {
    if (isRead(request)) return whileShown(deps, reply, done)
    const failing = deps.health?.().find(({ ok }) => !ok)
    if (failing !== undefined) {
      const detail = `nothing new is taken while the ${failing.name} is failing; '/readyz' says why; try again shortly`
      return void sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', detail)
    }
    if (deps.intake === undefined) return whileShown(deps, reply, done)
    if (isFollowing(deps)) deps.intake.rest()
    else if (!deps.intake.ready()) return void sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', opening)
    done()
  })
}

const whileShown = ({ view }: RouteDeps, reply: FastifyReply, done: () => void): void => {
  const state = view.state()
  if (state === 'following') return done()
  const progress = progressOf(view.progress())
  const detail = state === 'failed' ? failed : `the read model ${catchingUp}: ${progressText(progress)}; try again then`
  const headers = { 'retry-after': String(Math.min(60, Math.max(1, progress.secondsLeft ?? 1))) }
  sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', detail, state === 'failed' ? {} : { progress, headers })
}

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

type Progress = NonNullable<Problem['progress']>

const progressOf = ({ done, of, secondsLeft }: ViewProgress): Progress => ({
  ...{ done, of },
  secondsLeft: secondsLeft === undefined ? null : Math.ceil(secondsLeft)
})

const progressText = ({ done, of, secondsLeft }: Progress): string =>
  `${done} of ${of} records${secondsLeft === null ? '' : `, some ${secondsLeft} s left`}`

export const catchingUpText = (progress: ViewProgress): string => `${catchingUp}: ${progressText(progressOf(progress))}`

const catchingUp = 'still folds what was in the journals at the start'
const failed = "the read model has stopped; '/readyz' says why, and a restart makes it go on"
const opening = 'nothing new is taken yet, as the journals are only being opened; try again shortly'
