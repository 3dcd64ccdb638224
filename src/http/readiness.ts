import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ViewProgress } from '../view/index.ts'
import { isFollowing } from './answering.ts'
import type { RouteDeps } from './deps.ts'
import { type Problem, sendProblem } from './problem.ts'

/**
 * Until the view has folded what was durable at the start, what was acknowledged might seem not to be there: so nothing
 * of it is shown. Writes go on meanwhile, by the intake. But while the process cannot keep what it is given (a full
 * disk), it takes nothing new, at once instead of after a wait for an answer that will not come.
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
  const detail = state === 'failed' ? failed : `the read model ${catchingUpText(progress)}; try again then`
  const headers = { 'retry-after': String(Math.min(60, Math.max(1, progress.secondsLeft ?? 1))) }
  sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', detail, state === 'failed' ? {} : { progress, headers })
}

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

type Progress = NonNullable<Problem['progress']>

export const progressOf = ({ done, of, secondsLeft }: ViewProgress): Progress => ({
  ...{ done, of },
  secondsLeft: secondsLeft === undefined ? null : Math.ceil(secondsLeft)
})

/** As it stands after "the read model". */
export const catchingUpText = ({ done, of, secondsLeft }: Progress): string => {
  // Before its store is open it has counted nothing.
  if (of === 0) return 'is being opened'
  const left = secondsLeft === null ? '' : `, some ${secondsLeft} s left`
  return `still folds what was in the journals at the start: ${done} of ${of} records${left}`
}

const failed = "the read model has stopped; '/readyz' says why, and a restart makes it go on"
const opening = 'nothing new is taken yet, as the journals are only being opened; try again shortly'
