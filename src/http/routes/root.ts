import type { FastifyInstance } from 'fastify'
import { preferredType } from '../accept.ts'
import type { About, RouteDeps } from '../deps.ts'
import { escaped, page } from '../html.ts'

/** `/`: where to go from here. */
export const rootRoutes = (http: FastifyInstance, { about, routes = [] }: RouteDeps): void => {
  const pages = Object.assign({}, documents, ...routes.map(({ links }) => links), own) as Record<string, string>
  http.get('/', { schema: { hide: true } }, async (request, reply) => {
    reply.header('vary', 'Accept')
    const links = Object.fromEntries(Object.entries(pages).filter(([url]) => http.hasRoute({ method: 'GET', url })))
    if (preferredType(request.headers.accept, ['application/json', 'text/html']) !== 'text/html')
      return reply.send({ name: 'Parcomolo', ...about?.facts, links })
    const list = Object.entries(links).map(([path, text]) => `<li><a href="${path}">${path}</a> ${escaped(text)}</li>`)
    const first = about === undefined ? '' : example(about, request.host)
    return reply.type('text/html; charset=utf-8').send(page('Parcomolo', `${first}<ul>${list.join('')}</ul>`))
  })
}

const documents = {
  '/docs': 'all requests, to be tried out',
  '/openapi.json': 'the same for machines (OpenAPI 3.1)'
}

const own = {
  '/sagas': 'saga instances, newest first',
  '/definitions': 'published sagas and their revisions',
  '/readyz': 'is it ready, and if not, why',
  '/metrics': 'for Prometheus'
}

const example = ({ example: { text, shell } }: About, host: string): string =>
  `<p>${escaped(text)}</p><pre>${escaped(shell(host))}</pre>`
