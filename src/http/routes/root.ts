import type { FastifyInstance } from 'fastify'
import { preferredType } from '../accept.ts'
import type { RouteDeps } from '../deps.ts'
import { escaped, page } from '../html.ts'

/** `/`: where to go from here. */
export const rootRoutes = (http: FastifyInstance, deps: RouteDeps): void => {
  http.get('/', { schema: { hide: true } }, async (request, reply) => {
    reply.header('vary', 'Accept')
    const links = Object.fromEntries(Object.entries(pages).filter(([url]) => http.hasRoute({ method: 'GET', url })))
    if (preferredType(request.headers.accept, ['application/json', 'text/html']) !== 'text/html')
      return reply.send({ name: 'Parcomolo', flow: deps.flow, links })
    const list = Object.entries(links).map(([path, text]) => `<li><a href="${path}">${path}</a> ${escaped(text)}</li>`)
    const shell = escaped(example(request.host))
    const shop = deps.flow && `<p>The shop runs in ${deps.flow}. Place an order:</p><pre>${shell}</pre>`
    const body = `${shop ?? ''}<ul>${list.join('')}</ul>`
    return reply.type('text/html; charset=utf-8').send(page('Parcomolo', body))
  })
}

const pages = {
  '/docs': 'all requests, to be tried out',
  '/openapi.json': 'the same for machines (OpenAPI 3.1)',
  '/orders': 'orders, newest first',
  '/stock': 'what can be ordered',
  '/sagas': 'saga instances, newest first',
  '/definitions': 'published sagas and their revisions',
  '/readyz': 'is it ready, and if not, why',
  '/metrics': 'for Prometheus'
}

const example = (host: string): string => `curl -i ${host}/orders -H 'Content-Type: application/json' -d '{
  "customerId": "customer-1",
  "lines": [{ "sku": "book", "quantity": 1 }],
  "paymentToken": "tok_visa",
  "shippingAddress": {
    "name": "Ada", "street": "1 High Street", "city": "London",
    "postalCode": "N1", "country": "GB"
  }
}'`
