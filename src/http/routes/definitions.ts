import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { didYouMean } from '../../base/index.ts'
import { type RunningCount, runningCounts, sagas } from '../../view/index.ts'
import { preferredType } from '../accept.ts'
import type { DefinitionRevision, GraphFormat, RouteDeps, SagaDefinition } from '../deps.ts'
import { timeText } from '../present.ts'
import { quoted, sendProblem } from '../problem.ts'
import { json } from '../route-docs.ts'
import { anyId, definition, definitionSummary, pageOf, parameters, pathParameters } from '../schemas.ts'

/** `/definitions`: the published sagas with their revisions, and their graphs. */
export const definitionRoutes = (http: FastifyInstance, deps: RouteDeps): void => {
  addListDefinitions(http, deps)
  addGetDefinition(http, deps)
  addGetGraph(http, deps)
}

const addListDefinitions = (http: FastifyInstance, deps: RouteDeps): void => {
  http.get(
    '/definitions',
    {
      schema: {
        tags: ['Definitions'],
        summary: 'List the published sagas with their revisions',
        response: { 200: json('All sagas; there is always one page', pageOf(definitionSummary)) }
      },
      config: { docs: { problems: ['PARCOMOLO_HTTP_NOT_READY'] } }
    },
    async (_, reply) => {
      const counts = await runningIn(deps)
      const items = deps.definitions.list().map((found) => definitionJson(found, counts, summaryOf))
      return reply.send({ items, nextCursor: null })
    }
  )
}

const runningIn = async ({ view }: RouteDeps): Promise<readonly RunningCount[]> =>
  runningCounts(await view.count(sagas))

const addGetDefinition = (http: FastifyInstance, deps: RouteDeps): void => {
  http.get(
    '/definitions/:saga',
    {
      schema: {
        tags: ['Definitions'],
        summary: 'Look at a saga: its revisions, newest first, with their YAML',
        params: pathParameters({ saga: anyId }),
        response: { 200: json('The saga', definition) }
      },
      config: { docs: { problems: ['PARCOMOLO_HTTP_NOT_FOUND', 'PARCOMOLO_HTTP_NOT_READY'] } }
    },
    async (request, reply) => {
      const { saga } = request.params as { saga: string }
      const found = deps.definitions.get(saga)
      if (found === undefined) return unknownSaga(deps, reply, saga)
      return reply.send(definitionJson(found, await runningIn(deps), withYaml))
    }
  )
}

const addGetGraph = (http: FastifyInstance, deps: RouteDeps): void => {
  http.get(
    '/definitions/:saga/graph',
    {
      schema: {
        tags: ['Definitions'],
        summary: "A saga's graph, as Accept asks: JSON, SVG or Mermaid",
        params: pathParameters({ saga: anyId }),
        querystring: parameters({ revision: { ...anyId, description: 'The current one if not given' } })
      },
      config: {
        docs: {
          problems: ['PARCOMOLO_HTTP_NOT_FOUND', 'PARCOMOLO_HTTP_NOT_ACCEPTABLE'],
          answers: {
            200: {
              description: 'The graph',
              content: Object.fromEntries(Object.keys(formats).map((type) => [type, { schema: {} }]))
            }
          }
        }
      }
    },
    (request, reply) => getGraph(deps, request, reply)
  )
}

const formats: Readonly<Record<string, GraphFormat>> = {
  'application/json': 'json',
  'image/svg+xml': 'svg',
  'text/vnd.mermaid': 'mermaid',
  'text/plain': 'mermaid'
}

const getGraph = async (deps: RouteDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const { saga } = request.params as { saga: string }
  const { revision } = request.query as { revision?: string }
  const type = preferredType(request.headers.accept, Object.keys(formats))
  if (type === undefined) {
    const offered = Object.keys(formats).join(', ')
    const detail = `Accept ${quoted(request.headers.accept)} leaves nothing; expected one of ${offered}`
    return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_ACCEPTABLE', detail)
  }
  if (deps.definitions.get(saga) === undefined) return unknownSaga(deps, reply, saga)
  const graph = deps.definitions.graph(saga, revision, formats[type]!)
  if (graph === undefined) {
    const which = revision === undefined ? 'current revision' : `revision ${quoted(revision)}`
    return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', `saga ${quoted(saga)} has no ${which}`)
  }
  reply.header('vary', 'Accept').type(`${type}; charset=utf-8`)
  return reply.send(typeof graph === 'string' ? graph : JSON.stringify(graph))
}

const unknownSaga = (deps: RouteDeps, reply: FastifyReply, saga: string): FastifyReply => {
  const known = deps.definitions.list().map((found) => found.saga)
  return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', `there is no saga ${quoted(saga)}${didYouMean(saga, known)}`)
}

const definitionJson = (
  { saga, revisions }: SagaDefinition,
  counts: readonly RunningCount[],
  revisionJson: (revision: DefinitionRevision, running: number) => object
) => ({
  saga,
  revisions: revisions.map((revision) => {
    const found = counts.find((count) => count.saga === saga && count.revision === revision.revision)
    return revisionJson(revision, found?.count ?? 0)
  })
})

const summaryOf = ({ revision, current, retired, publishedAt, source }: DefinitionRevision, running: number) => ({
  revision,
  current,
  retired,
  publishedAt: timeText(publishedAt),
  source,
  running
})

const withYaml = (revision: DefinitionRevision, running: number) => ({
  ...summaryOf(revision, running),
  yaml: revision.yaml,
  keys: revision.keys
})
