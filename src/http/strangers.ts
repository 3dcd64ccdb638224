import type { FastifyInstance, FastifyRequest } from 'fastify'
import { quoted, sendProblem } from './problem.ts'

/**
 * A server on a loopback address is meant for the people of its machine, but their browsers run pages of anybody. Such
 * a page may send requests here, and read the answers once its own name leads here (DNS rebinding). So the name must be
 * one of this machine, and what changes something must come from a page of this server, or from no page.
 */
export const refuseStrangers = (http: FastifyInstance): void => {
  http.addHook('onRequest', (request, reply, done) => {
    const detail = strangeness(request)
    if (detail === undefined) return done()
    sendProblem(reply, 'PARCOMOLO_HTTP_FORBIDDEN', detail)
  })
}

const strangeness = (request: FastifyRequest): string | undefined => {
  const { host, origin, 'sec-fetch-site': site } = request.headers
  if (host !== undefined && !ownNames.test(host))
    return `Host ${quoted(host)} is no name of this machine; expected localhost, 127.0.0.1 or [::1]`
  if (request.method === 'GET' || request.method === 'HEAD') return undefined
  if (origin !== undefined && hostOf(origin) !== host?.toLowerCase())
    return `a page of ${quoted(origin)} may change nothing here; expected one of ${quoted(host)}`
  if (site === undefined || ownSites.has(String(site))) return undefined
  return `a page of another site may change nothing here (Sec-Fetch-Site is ${quoted(site)})`
}

const ownNames = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** `none`: whoever sits there has typed the address. */
const ownSites: ReadonlySet<string> = new Set(['same-origin', 'none'])

const hostOf = (origin: string): string => origin.toLowerCase().replace(/^https?:\/\//, '')
