import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerOf, asked, json, quoted, type RouteDeps, sendProblem, writeProblems } from '../../http/index.ts'
import { formatPosition, type ViewRecord } from '../../view/index.ts'
import type { Flow } from '../flow.ts'
import { type OrderRow, orders } from './projection.ts'
import { cancelAnswer, cancelRequest } from './schemas.ts'
import type { Selling } from './selling.ts'

/** `POST /cancelOrder`. The order component decides; what the view knows to be final is answered at once. */
export const addCancelOrder = (http: FastifyInstance, deps: RouteDeps, { flow }: Selling): void => {
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
    (request, reply) => cancelOrder({ deps, flow }, request, reply)
  )
}

const cancelOrder = async (
  { deps, flow }: { readonly deps: RouteDeps; readonly flow: Flow },
  request: FastifyRequest,
  reply: FastifyReply
): Promise<FastifyReply> => {
  const { orderId, reason = 'cancelled by the customer' } = request.body as { orderId: string; reason?: string }
  const known = await asked(
    deps,
    async () => statusOf(await deps.view.row(orders[flow], orderId)),
    () => 'PENDING'
  )
  if (known !== 'PENDING') return answerAs(reply, orderId, known)
  const command = {
    inbox: 'order-commands',
    key: orderId,
    type: 'parcomolo.order.CancelOrder',
    value: { orderId, reason }
  }
  const answer = await answerOf(deps, request, reply, command)
  return answer === undefined ? reply : answerWith(reply, orderId, answer)
}

/** Of an order that the view has: `UNKNOWN` for one that there is not. */
const statusOf = (row: OrderRow | undefined): string =>
  row === undefined ? unknown : row.ownStatus === 'CANCELLED' ? row.ownStatus : row.status

const unknown = 'UNKNOWN'

const answerWith = (reply: FastifyReply, orderId: string, answer: ViewRecord): FastifyReply => {
  const status = answer.type === 'OrderCancelled' ? 'CANCELLED' : String(answer.value['status'])
  if (status !== unknown) reply.header('parcomolo-position', formatPosition([answer]))
  return answerAs(reply, orderId, status)
}

const answerAs = (reply: FastifyReply, orderId: string, status: string): FastifyReply => {
  if (status === unknown) return notFound(reply, orderId)
  return status === 'CANCELLED' ? cancelled(reply, orderId) : notCancellable(reply, orderId, status)
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
