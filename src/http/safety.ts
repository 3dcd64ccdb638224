import { isUtf8 } from 'node:buffer'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { quoted, sendProblem } from './problem.ts'

/** What browsers are told of every answer: it is what it says it is, runs nothing from elsewhere, and has no frame. */
export const safetyHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'"
} as const

/** The pages under `/docs` are scripts of their own, which send requests here. */
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What is the same for everybody may be kept: all the rest may be about a person. */
const isPublic = (url: string): boolean => /^\/(docs|errors|openapi\.json)(?=[/?]|$)/.test(url)

export const addSafetyHeaders = (request: FastifyRequest, reply: FastifyReply): void => {
  reply.headers(safetyHeaders)
  if (!isPublic(request.url)) reply.header('cache-control', 'no-store')
  else if (request.url.startsWith('/docs')) reply.header('content-security-policy', docsPolicy)
}

/** Before anything else is done with a request. */
export const refuseUnsafe = (http: FastifyInstance): void => {
  http.addHook('onRequest', (request, reply, done) => {
    addSafetyHeaders(request, reply)
    const { headers } = request
    const hosts = hostCount(request.raw.rawHeaders)
    if (hosts > 1 || (hosts === 0 && request.raw.httpVersion === '1.1')) {
      const detail = `${hosts} Host headers were sent; expected one`
      return void sendProblem(reply, 'PARCOMOLO_HTTP_INVALID_REQUEST', detail)
    }
    if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
      const detail = `Expect ${quoted(headers.expect)} cannot be met; expected '100-continue'`
      return void sendProblem(reply, 'PARCOMOLO_HTTP_EXPECTATION_FAILED', detail)
    }
    const encoding = headers['content-encoding']
    if (encoding === undefined || encoding.toLowerCase() === 'identity') return done()
    const detail = `Content-Encoding ${quoted(encoding)} is not accepted; expected the body as it is`
    sendProblem(reply, 'PARCOMOLO_HTTP_UNSUPPORTED_MEDIA_TYPE', detail, { headers: { 'accept-encoding': 'identity' } })
  })
}

/** Names and values, in turn, as they were sent. */
const hostCount = (raw: readonly string[]): number => {
  let count = 0
  for (let i = 0; i < raw.length; i += 2) if (raw[i]!.length === 4 && raw[i]!.toLowerCase() === 'host') count++
  return count
}

/** Bodies are JSON in UTF-8: any other content type is refused, and bytes that are no text are not replaced. */
export const takeJsonOnly = (http: FastifyInstance): void => {
  const parse = http.getDefaultJsonParser('error', 'error')
  http.removeAllContentTypeParsers()
  http.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (!isUtf8(body)) return done(notUtf8())
    void parse(request, body.toString(), done)
  })
}

const notUtf8 = (): FastifyError =>
  Object.assign(new Error('the body is not UTF-8'), {
    name: 'FastifyError',
    code: 'FST_ERR_CTP_BODY_NOT_UTF8',
    statusCode: 400
  })
