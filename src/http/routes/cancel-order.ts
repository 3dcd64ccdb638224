import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { formatPosition, type ViewRecord } from '../../view/index.ts'
import { answerOf } from '../command.ts'
import type { RouteDeps } from '../deps.ts'
import { quoted, sendProblem } from '../problem.ts'
import { json, writeProblems } from '../route-docs.ts'
import { cancelAnswer, cancelRequest } from '../schemas.ts'

/** `POST /cancelOrder`. The order component decides; what the view knows to be final is answered at once. */
export const cancelOrderRoutes = (http: FastifyInstance, deps: RouteDeps): void => {
  http.post(
    '/cancelOrder',
    {
      schema: {
        tags: ['Orders'],
        summary: 'Cancel an order',
        description: 'Possible until the order is confirmed. Asking again gets the same answer.',
        body: cancelRequest,
        response: { 200: json('The order is cancelled', cancelAnswer) }
      },
      config: {
        docs: {
          problems: ['PARCOMOLO_HTTP_NOT_FOUND', 'PARCOMOLO_HTTP_CONFLICT', ...writeProblems]
        }
      }
    },
    (request, reply) => cancelOrder(deps, request, reply)
  )
}

const cancelOrder = async (deps: RouteDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const { orderId, reason = 'cancelled by the customer' } = request.body as { orderId: string; reason?: string }
  const row = await deps.view.order(orderId)
  if (row === undefined) return notFound(reply, orderId)
  if (row.ownStatus === 'CANCELLED') return cancelled(reply, orderId)
  if (row.status !== 'PENDING') return notCancellable(reply, orderId, row.status)
  const command = {
    inbox: 'order-commands',
    key: orderId,
    type: 'parcomolo.order.CancelOrder',
    value: { orderId, reason }
  }
  const answer = await answerOf(deps, request, reply, command)
  return answer === undefined ? reply : answerWith(reply, orderId, answer)
}

const answerWith = (reply: FastifyReply, orderId: string, answer: ViewRecord): FastifyReply => {
  reply.header('parcomolo-position', formatPosition([answer]))
  if (answer.type === 'OrderCancelled') return cancelled(reply, orderId)
  return notCancellable(reply, orderId, String(answer.value['status']))
}

const cancelled = (reply: FastifyReply, orderId: string): FastifyReply => reply.send({ orderId, status: 'CANCELLED' })

const notFound = (reply: FastifyReply, orderId: string): FastifyReply =>
  sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', `there is no order ${quoted(orderId)}`)

const notCancellable = (reply: FastifyReply, orderId: string, status: string): FastifyReply =>
  sendProblem(
    reply,
    'PARCOMOLO_HTTP_CONFLICT',
    `order ${quoted(orderId)} is ${status}; expected PENDING, as what is confirmed can no longer be cancelled`
  )
