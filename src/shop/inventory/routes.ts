import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  answerOf,
  anyId,
  asked,
  formatCursor,
  hasReachedPosition,
  json,
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
  sendProblem,
  writeProblems
} from '../../http/index.ts'
import { formatPosition, type ViewRecord } from '../../view/index.ts'
import { sku } from '../schemas.ts'
import { stockJson } from './present.ts'
import { stock as stockRows } from './projection.ts'
import { stock, stockRequest } from './schemas.ts'

/** `/stock`: what there is, and how much of it. */
export const stockRoutes: Routes = {
  tags: [{ name: 'Stock', description: 'What can be ordered' }],
  links: { '/stock': 'what can be ordered' },
  register: (http, deps) => {
    addListStock(http, deps)
    addGetStock(http, deps)
    addPutStock(http, deps)
  }
}

const addListStock = (http: FastifyInstance, deps: RouteDeps): void => {
  const { pageSizeMax, pageSizeDefault } = deps.limits
  http.get(
    '/stock',
    {
      schema: {
        tags: ['Stock'],
        summary: 'List the stock by SKU',
        headers: { type: 'object', properties: positionHeader },
        querystring: parameters(pageParameters(pageSizeMax, pageSizeDefault)),
        response: { 200: json('A page of stock', pageOf(stock)) }
      },
      config: { docs: { problems: readProblems } }
    },
    async (request, reply) => {
      const page = pageRequested(deps, request, reply)
      if (page === undefined || !(await hasReachedPosition(deps, request, reply))) return reply
      const { rows, next } = await deps.view.list(stockRows, {}, page)
      return reply.send({ items: rows.map(stockJson), nextCursor: formatCursor(next) })
    }
  )
}

const addGetStock = (http: FastifyInstance, deps: RouteDeps): void => {
  http.get(
    '/stock/:sku',
    {
      schema: {
        tags: ['Stock'],
        summary: 'Look at one SKU',
        params: pathParameters({ sku: anyId }),
        headers: { type: 'object', properties: positionHeader },
        response: { 200: json('The stock', stock) }
      },
      config: { docs: { problems: ['PARCOMOLO_HTTP_NOT_FOUND', ...readProblems] } }
    },
    async (request, reply) => {
      if (!(await hasReachedPosition(deps, request, reply))) return reply
      const params = request.params as { sku: string }
      const row = await deps.view.row(stockRows, params.sku)
      if (row !== undefined) return reply.send(stockJson(row))
      return sendProblem(
        reply,
        'PARCOMOLO_HTTP_NOT_FOUND',
        `there is no SKU ${quoted(params.sku)}; '/stock' lists those that there are`
      )
    }
  )
}

const addPutStock = (http: FastifyInstance, deps: RouteDeps): void => {
  http.put(
    '/stock/:sku',
    {
      schema: {
        tags: ['Stock'],
        summary: 'Set name, price and stock on hand of a SKU',
        params: pathParameters({ sku }),
        body: stockRequest,
        response: { 200: json('The stock as it is now', stock) }
      },
      config: {
        docs: {
          problems: ['PARCOMOLO_HTTP_CONFLICT', ...writeProblems]
        }
      }
    },
    (request, reply) => putStock(deps, request, reply)
  )
}

type StockRequest = { readonly name: string; readonly priceCents: number; readonly onHand: number }

const putStock = async (deps: RouteDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const params = request.params as { sku: string }
  const value = { sku: params.sku, ...(request.body as StockRequest) }
  const command = { inbox: 'inventory-commands', key: params.sku, type: 'parcomolo.inventory.SetStock', value }
  const answer = await answerOf(deps, request, reply, command)
  if (answer === undefined) return reply
  reply.header('parcomolo-position', formatPosition([answer]))
  if (answer.type === 'StockSet') return sendStock(deps, reply, answer)
  const [onHand, reserved] = [String(answer.value['onHand']), String(answer.value['reserved'])]
  const detail = `onHand ${onHand} of SKU '${params.sku}' is below the ${reserved} that are reserved; expected no less`
  return sendProblem(reply, 'PARCOMOLO_HTTP_CONFLICT', detail)
}

/** As the view has it, or without it as the inventory has answered: that is the stock of that moment, too. */
const sendStock = async (deps: RouteDeps, reply: FastifyReply, answer: ViewRecord): Promise<FastifyReply> => {
  const { sku: known, name, priceCents, onHand, reserved } = answer.value as StockSet
  const row = await asked(
    deps,
    () => deps.view.row(stockRows, known),
    () => (reserved === null ? undefined : { sku: known, name, priceCents, onHand, reserved })
  )
  if (row !== undefined) return reply.send(stockJson(row))
  const detail = `the stock of SKU ${quoted(known)} is set; how much of it is reserved only the read model can tell`
  return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_READY', `${detail}, and to repeat the request is safe`)
}

type StockSet = StockRequest & { readonly sku: string; readonly reserved: number | null }
