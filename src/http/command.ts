import type { FastifyReply, FastifyRequest } from 'fastify'
import { isParcomoloError } from '../base/index.ts'
import type { ViewRecord } from '../view/index.ts'
import type { OutgoingCommand, RouteDeps } from './deps.ts'
import { sendProblem } from './problem.ts'
import { settled } from './reading.ts'

/** Sends a command and waits for the event that answers it. Undefined where none came; the problem is then sent. */
export const answerOf = async (
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  command: Omit<OutgoingCommand, 'id'>
): Promise<ViewRecord | undefined> => {
  const id = deps.newId()
  // The wait begins before the command is sent, so that no answer is missed.
  const waiter = deps.view.whenAnswered(id, deps.limits.answerTimeoutMs)
  try {
    await deps.sendCommand({ ...command, id })
  } catch (error) {
    waiter.cancel()
    outcomeUnknown(request, reply, `the log did not take it: ${(error as Error).message}`, error)
    return undefined
  }
  const answer = await settled(reply, waiter)
  if (answer === undefined) outcomeUnknown(request, reply, 'no answer came in time')
  return answer
}

const outcomeUnknown = (request: FastifyRequest, reply: FastifyReply, reason: string, error?: unknown): void => {
  const code = isParcomoloError(error) ? error.code : undefined
  request.log.warn({ requestId: request.id, code, url: request.url }, `a command was not answered: ${reason}`)
  const detail = `${reason}; it may still be carried out, and to repeat the request is safe`
  sendProblem(reply, 'PARCOMOLO_HTTP_OUTCOME_UNKNOWN', detail, { requestId: request.id })
}
