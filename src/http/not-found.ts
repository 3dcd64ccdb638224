import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { nearest } from '../base/index.ts'
import { quoted, sendProblem } from './problem.ts'

/**
 * Paths that are not there, and methods that a path does not take. Before the routes, which it listens to. `elsewhere`:
 * where to look for what is not here.
 */
export const answerUnknownRoutes = (http: FastifyInstance, elsewhere = "'/docs' lists what there is"): void => {
  const routes: Route[] = []
  http.addHook('onRoute', ({ url, method }) => {
    routes.push({ url, pattern: patternOf(url), methods: [method].flat() })
  })
  http.setNotFoundHandler((request, reply) => answerUnknown({ routes, elsewhere }, request, reply))
}

type Route = { readonly url: string; readonly pattern: RegExp; readonly methods: readonly string[] }

/** `/sagas/:saga` matches one segment, `/docs/*` any number. */
const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replaceAll('.', '\\.')
      .replace(/:[^/]+/g, '[^/]+')
      .replaceAll('*', '.*')}$`
  )

type Known = { readonly routes: readonly Route[]; readonly elsewhere: string }

const answerUnknown = ({ routes, elsewhere }: Known, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const path = request.url.split('?', 1)[0]!
  const methods = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods))]
  // A route that takes the method and has not found what is asked for: a file that is not there.
  if (methods.length === 0 || methods.includes(request.method)) {
    const found = nearest(path, new Set(routes.map(({ url }) => url).filter((url) => !url.includes(':'))))
    const advice = found === undefined ? elsewhere : `did you mean '${found}'?`
    return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', `there is nothing at ${quoted(path)}; ${advice}`)
  }
  const detail = `${request.method} is not possible at ${quoted(path)}; expected ${methods.join(' or ')}`
  return sendProblem(reply, 'PARCOMOLO_HTTP_METHOD_NOT_ALLOWED', detail, { headers: { allow: methods.join(', ') } })
}
