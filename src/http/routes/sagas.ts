import type { FastifyInstance } from 'fastify'
import { sagaRowKey, sagas, type SagaStatus, sagaStatuses } from '../../view/index.ts'
import { formatCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { sagaJson, sagaSummaryJson } from '../present.ts'
import { quoted, sendProblem } from '../problem.ts'
import { hasReachedPosition, pageRequested } from '../reading.ts'
import { json, readProblems } from '../route-docs.ts'
import {
  anyId,
  pageOf,
  pageParameters,
  parameters,
  pathParameters,
  positionHeader,
  saga,
  sagaSummary
} from '../schemas.ts'

/** `/sagas`: instances, and one with its whole timeline. */
export const sagaRoutes = (http: FastifyInstance, deps: RouteDeps): void => {
  addListSagas(http, deps)
  addGetSaga(http, deps)
}

const addListSagas = (http: FastifyInstance, deps: RouteDeps): void => {
  const { pageSizeMax, pageSizeDefault } = deps.limits
  http.get(
    '/sagas',
    {
      schema: {
        tags: ['Sagas'],
        summary: 'List saga instances, newest first',
        headers: { type: 'object', properties: positionHeader },
        querystring: parameters({
          saga: anyId,
          key: anyId,
          status: { type: 'string', enum: sagaStatuses },
          ...pageParameters(pageSizeMax, pageSizeDefault)
        }),
        response: { 200: json('A page of instances', pageOf(sagaSummary)) }
      },
      config: { docs: { problems: readProblems } }
    },
    async (request, reply) => {
      const page = pageRequested(deps, request, reply)
      if (page === undefined || !(await hasReachedPosition(deps, request, reply))) return reply
      const query = request.query as { saga?: string; key?: string; status?: SagaStatus }
      const filter = { saga: query.saga, key: query.key, status: query.status }
      const { rows, next } = await deps.view.list(sagas, filter, page)
      return reply.send({ items: rows.map(sagaSummaryJson), nextCursor: formatCursor(next) })
    }
  )
}

const addGetSaga = (http: FastifyInstance, deps: RouteDeps): void => {
  http.get(
    '/sagas/:saga/:key',
    {
      schema: {
        tags: ['Sagas'],
        summary: 'Look at a saga instance and all that has happened to it',
        params: pathParameters({ saga: anyId, key: anyId }),
        headers: { type: 'object', properties: positionHeader },
        response: { 200: json('The instance', saga) }
      },
      config: { docs: { problems: ['PARCOMOLO_HTTP_NOT_FOUND', ...readProblems] } }
    },
    async (request, reply) => {
      if (!(await hasReachedPosition(deps, request, reply))) return reply
      const params = request.params as { saga: string; key: string }
      const row = await deps.view.row(sagas, sagaRowKey(params.saga, params.key))
      if (row !== undefined) return reply.send(sagaJson(row, await deps.inboxWaits?.(row)))
      const detail = `there is no instance of saga ${quoted(params.saga)} with key ${quoted(params.key)}`
      return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', detail)
    }
  )
}
