import type { FastifyReply, FastifyRequest } from 'fastify'
import { isParcomoloError } from '../base/index.ts'
import type { ViewRecord, Waiter } from '../view/index.ts'
import { whenAnswered } from './answering.ts'
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
  const waiter = whenAnswered(
    deps,
    id,
    (timeoutMs) => deps.view.whenAnswered(id, timeoutMs),
    (record) => record
  )
  return seenOf(deps, reply, { command: { ...command, id }, waiter }, (reason, error) => {
    const cause = isParcomoloError(error) ? error.code : undefined
    const facts = { requestId: request.id, cause, url: request.url }
    request.server.reports.unknown('PARCOMOLO_HTTP_OUTCOME_UNKNOWN', facts, `a command was not answered: ${reason}`)
    const detail = `${reason}; it may still be carried out, and to repeat the request is safe`
    sendProblem(reply, 'PARCOMOLO_HTTP_OUTCOME_UNKNOWN', detail, { requestId: request.id })
  })
}

/**
 * Sends a command and gives what the waiter sees of it. Undefined where that is not known, and `onUnknown` has to
 * answer; or where too many commands are under way, which is then answered.
 */
export const seenOf = async <T>(
  deps: RouteDeps,
  reply: FastifyReply,
  sending: { readonly command: OutgoingCommand; readonly waiter: Waiter<T> },
  onUnknown: (reason: string, error?: unknown) => void
): Promise<T | undefined> => {
  const { command, waiter } = sending
  const failed = Promise.withResolvers<{ readonly error: unknown }>()
  deps.commands.send(command).catch((error: unknown) => failed.resolve({ error }))
  // The log may take the command later than its outcome is waited for, or never: that holds nobody back.
  const outcome = await Promise.race([settled(reply, waiter).then((seen) => ({ seen })), failed.promise])
  if ('error' in outcome) {
    waiter.cancel()
    const { error } = outcome
    if (isParcomoloError(error, 'PARCOMOLO_HTTP_OVERLOADED')) sendProblem(reply, error.code, error.message)
    else onUnknown(`the log did not take it: ${(error as Error).message}`, error)
    return undefined
  }
  if (outcome.seen === undefined) onUnknown('no answer came in time')
  return outcome.seen
}
