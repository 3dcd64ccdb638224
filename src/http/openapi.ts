import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import type { About, HttpDeps } from './deps.ts'
import { problemAnswers } from './route-docs.ts'
import { problem } from './schemas.ts'

/** The OpenAPI document, made of the routes themselves, and its pages. Before the routes, which it listens to. */
export const addOpenApi = (http: FastifyInstance, { about, routes = [] }: Pick<HttpDeps, 'about' | 'routes'>): void => {
  http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Parcomolo',
        version: '0.1.0',
        description: described(about)
      },
      tags: [
        ...routes.flatMap(({ tags }) => tags),
        { name: 'Sagas', description: 'Instances of sagas' },
        { name: 'Definitions', description: 'Published sagas and their revisions' },
        { name: 'Service', description: 'For whoever runs it' }
      ],
      components: { schemas: { Problem: problem } }
    },
    transform: ({ schema, url, route }) => ({ schema: documented(schema, route), url })
  })
  http.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true, defaultModelsExpandDepth: -1 },
    theme: { title: 'Parcomolo' },
    logo: { type: 'image/svg+xml', content: Buffer.from(logo), href: '/', target: '_self' }
  })
  // After the plugin is there; a plugin of its own, so that `swagger` is known.
  http.register(async (inner) => {
    inner.get('/openapi.json', { schema: { hide: true } }, async () => inner.swagger())
  })
}

const described = ({ title, conventions }: Pick<About, 'title' | 'conventions'> = bare): string => {
  const text = [...conventions, ...ownConventions].join(', ')
  return `${title}. ${text[0]!.toUpperCase()}${text.slice(1)}.`
}

const bare = { title: 'Declarative sagas', conventions: [] }
const ownConventions = [
  'times are RFC 3339 in UTC',
  'errors are problem details (RFC 9457) whose `type` explains the `code`'
]

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 170 40">
<text y="29" fill="#fff" font-family="sans-serif" font-size="27">Parcomolo</text>
</svg>`

/** A route's schema with the problems that its docs name. */
const documented = (schema: FastifySchema, route: RouteOptions): FastifySchema => {
  const docs = route.config?.docs
  if (docs === undefined) return schema
  const response = {
    ...(schema.response as object | undefined),
    ...docs.answers,
    ...problemAnswers(docs.problems, schema)
  }
  return { ...schema, response }
}
