import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseDuration } from '../base/index.ts'
import { parsePosition, type PageMark, type PageRequest, type Waiter } from '../view/index.ts'
import { parseCursor } from './cursor.ts'
import type { RouteDeps } from './deps.ts'
import { quoted, sendProblem } from './problem.ts'

/** What the routes that read have in common: the position to wait for, the page asked for, and waiting itself. */

/** Waits for a waiter, and lets it go when the client does. */
export const settled = async <T>(reply: FastifyReply, waiter: Waiter<T>): Promise<T | undefined> => {
  reply.raw.once('close', waiter.cancel)
  return waiter.done
}

/** The same for a wait that the client has asked for: it ends early when the server closes. */
export const held = async <T>(deps: RouteDeps, reply: FastifyReply, waiter: Waiter<T>): Promise<T | undefined> => {
  deps.held.add(waiter.cancel)
  try {
    return await settled(reply, waiter)
  } finally {
    deps.held.delete(waiter.cancel)
  }
}

/**
 * Before a read: the view must have seen what the client has seen. Sends the answer itself, and gives false, where it
 * has not.
 */
export const hasReachedPosition = async (
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<boolean> => {
  const header = request.headers['parcomolo-position']
  if (header === undefined) return true
  const marks = parsePosition(String(header))
  if (marks === undefined || !marks.every((mark) => deps.view.follows(mark))) {
    refuse(reply, 'Parcomolo-Position', `${quoted(header)} is none; expected the header of an earlier answer`)
    return false
  }
  const beyond = await deps.view.beyondEnd(marks)
  if (beyond !== undefined) {
    refuse(reply, 'Parcomolo-Position', `${quoted(header)} is beyond the end of the log; expected that of an answer`)
    return false
  }
  const waiter = deps.view.whenSeen(marks, deps.limits.answerTimeoutMs)
  if ((await held(deps, reply, waiter)) === true) return true
  const detail = `the read model has not come to ${quoted(header)} within ${deps.limits.answerTimeoutMs} ms; try again`
  sendProblem(reply, 'PARCOMOLO_HTTP_POSITION_NOT_REACHED', detail)
  return false
}

/** The page that the query asks for; undefined where its cursor is none, and then the answer is sent. */
export const pageRequested = (
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply
): PageRequest | undefined => {
  const query = request.query as { limit?: number; cursor?: string }
  const limit = query.limit ?? deps.limits.pageSizeDefault
  if (query.cursor === undefined) return { limit }
  const after: PageMark | undefined = parseCursor(query.cursor)
  if (after !== undefined) return { limit, after }
  refuse(reply, 'cursor', `${quoted(query.cursor)} is none; expected nextCursor of an earlier page`)
  return undefined
}

/**
 * The `wait` of the query in ms, 0 where there is none; undefined where it is no duration or too long, and then the
 * answer is sent.
 */
export const waitRequested = (deps: RouteDeps, request: FastifyRequest, reply: FastifyReply): number | undefined => {
  const { wait } = request.query as { wait?: string }
  if (wait === undefined) return 0
  const waitMs = parseDuration(wait)
  if (waitMs !== undefined && waitMs <= deps.limits.waitMsMax) return waitMs
  const expected = `expected a duration like '10s', at most ${deps.limits.waitMsMax / 1000}s`
  refuse(reply, 'wait', `${quoted(wait)} is not accepted; ${expected}`)
  return undefined
}

/** One bad parameter, in the form of a schema's findings. */
export const refuse = (reply: FastifyReply, path: string, message: string): void => {
  const errors = [{ path, message }]
  sendProblem(reply, 'PARCOMOLO_HTTP_INVALID_REQUEST', `1 thing is wrong with the request; errors lists it`, { errors })
}

/** A query's `limit` as a number, for the schema; what is not one stays a text and is refused there. */
export const numberLimit = (request: FastifyRequest): void => {
  const query = request.query as Record<string, unknown>
  const { limit } = query
  if (typeof limit === 'string' && /^-?\d{1,15}$/.test(limit)) query['limit'] = Number(limit)
}
