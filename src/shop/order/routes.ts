import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { canonicalJson, isParcomoloError, sha256Hex } from '../../base/index.ts'
import {
  anyId,
  asked,
  formatCursor,
  hasReachedPosition,
  held,
  json,
  keyedId,
  mapped,
  pageOf,
  pageParameters,
  pageRequested,
  parameters,
  pathParameters,
  positionHeader,
  quoted,
  readProblems,
  type RouteDeps,
  type Routes,
  seenOf,
  sendAway,
  sendProblem,
  waitRequested,
  whenAnswered,
  writeProblems
} from '../../http/index.ts'
import { formatPosition, type Mark, timelineEntries, type ViewRecord, type Waiter } from '../../view/index.ts'
import { addCancelOrder } from './cancel-routes.ts'
import type { Flow } from '../flow.ts'
import { type NotPriced, type OrderRequest, priced } from '../pricing.ts'
import { orderJson } from './present.ts'
import { type OrderRow, orders, type OrderStatus, orderStatuses, whenEnded, whenPlaced } from './projection.ts'
import { customerId, order, orderAnswer, orderRequest } from './schemas.ts'
import type { Selling } from './selling.ts'

/** `/orders`: place one, look at one, list them; and cancel one. */
export const orderRoutes = (selling: Selling): Routes => ({
  tags: [{ name: 'Orders', description: 'Place, look at and cancel orders' }],
  links: { '/orders': 'orders, newest first' },
  register: (http, deps) => {
    addPlaceOrder(http, deps, selling)
    addGetOrder(http, deps, selling)
    addListOrders(http, deps, selling)
    addCancelOrder(http, deps, selling)
  }
})

const addPlaceOrder = (http: FastifyInstance, deps: RouteDeps, selling: Selling): void => {
  http.post(
    '/orders',
    {
      schema: {
        tags: ['Orders'],
        summary: 'Place an order',
        description:
          'Answers when the order is durable and can be read. With an Idempotency-Key the request may be repeated ' +
          'safely: the same body gets the same answer.',
        headers: { type: 'object', properties: idempotencyHeader },
        body: orderRequest,
        response: { 201: json('The order is placed', orderAnswer, placedHeaders) }
      },
      config: { docs: { problems: placeProblems }, isWork: true }
    },
    (request, reply) => placeOrder({ deps, selling }, request, reply)
  )
}

const placeProblems = [
  'PARCOMOLO_HTTP_IDEMPOTENCY_KEY_REUSED',
  'PARCOMOLO_HTTP_UNKNOWN_SKU',
  'PARCOMOLO_HTTP_TOTAL_TOO_LARGE',
  ...writeProblems
] as const

const idempotencyHeader = {
  'idempotency-key': {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    pattern: '^[ -~]+$',
    description: 'printable ASCII, at most 255 characters'
  }
}

const placedHeaders = {
  Location: { type: 'string', description: 'Where the order is found' },
  'Parcomolo-Position': { type: 'string', description: 'For a later request that must see this order' }
}

const placeOrder = async (
  { deps, selling }: { readonly deps: RouteDeps; readonly selling: Selling },
  request: FastifyRequest,
  reply: FastifyReply
): Promise<FastifyReply> => {
  const body = request.body as OrderRequest
  const key = request.headers['idempotency-key']
  const requestHash = key === undefined ? unkeyed : sha256Hex(canonicalJson({ ...body, voucher: body.voucher ?? null }))
  const orderId = key === undefined ? deps.newId() : keyedId(deps.idSecret, 'order', String(key))
  const known = key === undefined ? undefined : await viewed(deps, selling, orderId)
  if (known !== undefined) return answerPlaced(reply, placedByRow(known), requestHash)
  const price = notTaken(selling) ?? (await priced(deps, selling, body.lines))
  if ('code' in price) return notPriced(reply, price)
  const { customerId: customer, paymentToken, shippingAddress, voucher = null } = body
  const command = {
    inbox: 'order-commands',
    key: orderId,
    id: deps.newId(),
    type: 'parcomolo.order.PlaceOrder',
    value: { orderId, customerId: customer, ...price, currency, paymentToken, shippingAddress, voucher, requestHash }
  }
  const byView = (timeoutMs: number): Waiter<Placed> =>
    mapped(whenPlaced(deps.view, selling.flow, orderId, timeoutMs), placedByRow)
  const waiter = whenAnswered(deps, command.id, byView, placedByRecord)
  const placed = await seenOf(deps, reply, { command, waiter }, (reason, error) =>
    outcomeUnknown(request, reply, orderId, { reason, error })
  )
  if (placed === undefined) return reply
  deps.admission.begun(orderId)
  return answerPlaced(reply, placed, requestHash)
}

/** An order that was placed before. Where the view cannot tell, the order service will. */
const viewed = (deps: RouteDeps, { flow }: Selling, orderId: string): Promise<OrderRow | undefined> =>
  asked(
    deps,
    () => deps.view.row(orders[flow], orderId),
    () => undefined
  )

/** An order that nobody would move on; one that was placed before is answered all the same. */
const notTaken = ({ health }: Selling): NotPriced | undefined => {
  const found = health?.()
  if (found?.ok !== false) return undefined
  const detail = `no order is taken now: ${found.detail}; try again shortly`
  return { code: 'PARCOMOLO_HTTP_NOT_READY', detail, errors: [] }
}

const notPriced = (reply: FastifyReply, { code, detail, errors }: NotPriced): FastifyReply =>
  sendProblem(reply, code, detail, errors.length === 0 ? {} : { errors })

const currency = 'EUR'

/** In the place of a request's hash: no other request can name an order whose id was made by chance. */
const unkeyed = 'unkeyed'

/** An order as whoever came first with its id has placed it. */
type Placed = {
  readonly orderId: string
  /** Or how it begins. Tells whether a request is a repeat of that one or another; empty where that is not known. */
  readonly requestHash: string
  readonly totalCents: number
  readonly currency: string
  /** Where whoever reads on from sees it. */
  readonly mark: Mark | undefined
}

const placedByRow = ({ orderId, requestHash, totalCents, currency: of, timeline }: OrderRow): Placed => {
  const mark = timelineEntries(timeline).find(({ type }) => type === 'OrderPlaced')
  return { orderId, requestHash, totalCents, currency: of, mark }
}

/** OrderPlaced or OrderAlreadyPlaced. */
const placedByRecord = (record: ViewRecord): Placed => {
  const { orderId, requestHash, totalCents, currency: of } = record.value as Omit<Placed, 'mark'>
  return { orderId, requestHash, totalCents, currency: of, mark: record }
}

const answerPlaced = (reply: FastifyReply, placed: Placed, requestHash: string): FastifyReply => {
  const { orderId, totalCents, mark } = placed
  // Until it is known to be a repeat, it may be another's order.
  if (placed.requestHash === '') {
    const detail = 'only the read model can tell whether the order of this Idempotency-Key is that of this request'
    return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', `${detail}; nothing new was taken, so repeat it later`)
  }
  if (!requestHash.startsWith(placed.requestHash)) {
    const detail = 'the Idempotency-Key was used for an order with another body; take a new one'
    return sendProblem(reply, 'PARCOMOLO_HTTP_IDEMPOTENCY_KEY_REUSED', detail)
  }
  if (mark !== undefined) reply.header('parcomolo-position', formatPosition([mark]))
  return reply
    .code(201)
    .header('location', `/orders/${orderId}`)
    .send({ orderId, status: 'PENDING', totalCents, currency: placed.currency })
}

const outcomeUnknown = (
  request: FastifyRequest,
  reply: FastifyReply,
  orderId: string,
  { reason, error }: { readonly reason: string; readonly error: unknown }
): void => {
  const cause = isParcomoloError(error) ? error.code : undefined
  const facts = { requestId: request.id, orderId, cause }
  request.server.reports.unknown('PARCOMOLO_HTTP_OUTCOME_UNKNOWN', facts, `an order was not confirmed: ${reason}`)
  const advice =
    request.headers['idempotency-key'] === undefined
      ? `look for it at '/orders/${orderId}' before you place it again; an Idempotency-Key makes a repeat safe`
      : 'repeat the request with the same Idempotency-Key, which is safe'
  const detail = `${reason}; the order may still be placed, so ${advice}`
  sendProblem(reply, 'PARCOMOLO_HTTP_OUTCOME_UNKNOWN', detail, { requestId: request.id })
}

const addGetOrder = (http: FastifyInstance, deps: RouteDeps, { flow }: Selling): void => {
  http.get(
    '/orders/:orderId',
    {
      schema: {
        tags: ['Orders'],
        summary: 'Look at an order',
        params: pathParameters({ orderId: anyId }),
        headers: { type: 'object', properties: positionHeader },
        querystring: parameters({
          wait: {
            type: 'string',
            maxLength: 20,
            description: 'A duration like 10s, at most 60s: the answer is held until the order has reached its end'
          }
        }),
        response: { 200: json('The order', order) }
      },
      config: { docs: { problems: ['PARCOMOLO_HTTP_NOT_FOUND', 'PARCOMOLO_HTTP_OVERLOADED', ...readProblems] } }
    },
    (request, reply) => getOrder({ deps, flow }, request, reply)
  )
}

const getOrder = async (asking: Asking, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const { deps, flow } = asking
  const { orderId } = request.params as { orderId: string }
  const waitMs = waitRequested(deps, request, reply)
  if (waitMs === undefined || !(await hasReachedPosition(deps, request, reply))) return reply
  const ended = waitMs === 0 ? undefined : await heldUntilEnd(asking, reply, orderId, waitMs)
  if (ended === 'sent away') return reply
  // Not ended in time: the answer is how far it has come.
  const row = ended ?? (await deps.view.row(orders[flow], orderId))
  if (row === undefined) return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', `there is no order ${quoted(orderId)}`)
  return reply.send(orderJson(row))
}

type Asking = { readonly deps: RouteDeps; readonly flow: Flow }

/** The order at its end; undefined where that has not come in time. */
const heldUntilEnd = async (
  { deps, flow }: Asking,
  reply: FastifyReply,
  orderId: string,
  waitMs: number
): Promise<OrderRow | undefined | 'sent away'> => {
  const waiter = whenEnded(deps.view, flow, orderId, waitMs)
  const ended = held(deps, reply, waiter)
  const { admission, view } = deps
  const read = async (): Promise<number | undefined> =>
    (await view.row(orders[flow], orderId).catch(() => undefined))?.placedAt ?? undefined
  const placedAt = admission.begunAt(orderId) ?? (await Promise.race([ended.then((row) => row?.placedAt), read()]))
  const letGo = admission.holdFor(orderId, placedAt)
  if (letGo === undefined) {
    waiter.cancel()
    sendAway(reply, admission)
    return 'sent away'
  }
  return ended.finally(letGo)
}

const addListOrders = (http: FastifyInstance, deps: RouteDeps, { flow }: Selling): void => {
  const { pageSizeMax, pageSizeDefault } = deps.limits
  http.get(
    '/orders',
    {
      schema: {
        tags: ['Orders'],
        summary: 'List orders, newest first',
        headers: { type: 'object', properties: positionHeader },
        querystring: parameters({
          customerId,
          status: { type: 'string', enum: orderStatuses },
          ...pageParameters(pageSizeMax, pageSizeDefault)
        }),
        response: { 200: json('A page of orders', pageOf(order)) }
      },
      config: { docs: { problems: readProblems } }
    },
    async (request, reply) => {
      const page = pageRequested(deps, request, reply)
      if (page === undefined || !(await hasReachedPosition(deps, request, reply))) return reply
      const query = request.query as { customerId?: string; status?: OrderStatus }
      const filter = { customerId: query.customerId, status: query.status }
      const { rows, next } = await deps.view.list(orders[flow], filter, page)
      return reply.send({ items: rows.map(orderJson), nextCursor: formatCursor(next) })
    }
  )
}
