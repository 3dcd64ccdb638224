import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, isParcomoloError } from '../base/index.ts'
import { problemOf, problemType, quoted, sendProblem, statusOf } from './problem.ts'
import { safetyHeaders } from './safety.ts'
import { violationsOf } from './validation.ts'

/** Every answer that is not a success is a problem; nothing of a stack leaves the process. */
export const handleErrors = (http: FastifyInstance): void => {
  http.setErrorHandler(onError)
}

export const onError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  if (error.validation !== undefined) return invalid(error, reply)
  const known = frameworkProblems[error.code]
  if (known !== undefined) return sendProblem(reply, known.code, known.detail(error, request))
  if (error instanceof SyntaxError && error.statusCode === 400) return malformedJson(error, reply)
  const { statusCode } = error
  if (isParcomoloError(error) || statusCode === undefined || statusCode < 400 || statusCode >= 500)
    return unexpected(error, request, reply)
  const code = byStatus[statusCode] ?? 'PARCOMOLO_HTTP_INVALID_REQUEST'
  return sendProblem(reply, code, `the request for ${quoted(request.url)} is refused: ${error.message}`)
}

/** For what the framework refuses and nobody has named above. */
const byStatus: Readonly<Record<number, ErrorCode>> = {
  403: 'PARCOMOLO_HTTP_FORBIDDEN',
  404: 'PARCOMOLO_HTTP_NOT_FOUND',
  408: 'PARCOMOLO_HTTP_REQUEST_TIMEOUT',
  413: 'PARCOMOLO_HTTP_BODY_TOO_LARGE',
  414: 'PARCOMOLO_HTTP_URI_TOO_LONG',
  415: 'PARCOMOLO_HTTP_UNSUPPORTED_MEDIA_TYPE'
}

/** For bytes that are not (yet) a request: this is written by hand. */
export const answerBadHttp = (error: BadHttp, socket: Socket): void => {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const [code, detail] = badHttp[error.code ?? ''] ?? notHttp
  const problem = problemOf(code, detail, urlIn(error.rawPacket))
  const body = JSON.stringify(problem)
  const head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nConnection: close`
  const own = Object.entries(safetyHeaders).map(([name, value]) => `\r\n${name}: ${value}`)
  const ofBody = `Content-Type: ${problemType}; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.end(`${head}${own.join('')}\r\nCache-Control: no-store\r\n${ofBody}\r\n\r\n${body}`)
}

type BadHttp = NodeJS.ErrnoException & { readonly rawPacket?: unknown }

/** Where what was sent begins like a request. */
const urlIn = (packet: unknown): string => {
  const begin = Buffer.isBuffer(packet) ? packet.toString('latin1', 0, 1_000) : ''
  return /^[A-Z]+ (\/[!-~]*) HTTP/.exec(begin)?.[1] ?? '/'
}

const notHttp: readonly [code: ErrorCode, detail: string] = [
  'PARCOMOLO_HTTP_INVALID_REQUEST',
  'what was sent is not HTTP/1.1'
]

/** By Node's codes. */
const badHttp: Readonly<Record<string, typeof notHttp>> = {
  HPE_HEADER_OVERFLOW: ['PARCOMOLO_HTTP_HEADERS_TOO_LARGE', 'the headers of the request are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['PARCOMOLO_HTTP_BODY_TOO_LARGE', 'the chunk extensions of the body are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['PARCOMOLO_HTTP_REQUEST_TIMEOUT', 'the request did not arrive in time']
}

const invalid = (error: FastifyError, reply: FastifyReply): FastifyReply => {
  const part = error.validationContext ?? 'body'
  const errors = violationsOf(error.validation ?? [], part)
  const count = errors.length === 1 ? '1 thing is' : `${errors.length} things are`
  const detail = `${count} wrong with the ${partNames[part] ?? part}; errors lists each`
  return sendProblem(reply, 'PARCOMOLO_HTTP_INVALID_REQUEST', detail, { errors })
}

const partNames: Readonly<Record<string, string>> = {
  querystring: 'query parameters',
  params: 'path',
  headers: 'headers'
}

const malformedJson = (error: Error, reply: FastifyReply): FastifyReply =>
  sendProblem(reply, 'PARCOMOLO_HTTP_MALFORMED_JSON', `the body is not JSON: ${error.message}`)

type FrameworkProblem = { readonly code: ErrorCode; detail(error: FastifyError, request: FastifyRequest): string }

/** By Fastify's codes. */
const frameworkProblems: Readonly<Record<string, FrameworkProblem>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'PARCOMOLO_HTTP_MALFORMED_JSON',
    detail: (error) => `the body is not JSON: ${error.message}`
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'PARCOMOLO_HTTP_MALFORMED_JSON',
    detail: () => 'the body is empty; expected a JSON object'
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'PARCOMOLO_HTTP_UNSUPPORTED_MEDIA_TYPE',
    detail: (_, request) =>
      `Content-Type ${quoted(request.headers['content-type'] ?? '')} is not accepted; expected 'application/json'`
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'PARCOMOLO_HTTP_BODY_TOO_LARGE',
    detail: () => 'the body is larger than bodyBytesMax allows (64 KiB)'
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'PARCOMOLO_HTTP_INVALID_REQUEST',
    detail: () => 'the body has another length than Content-Length says'
  },
  FST_ERR_CTP_BODY_NOT_UTF8: {
    code: 'PARCOMOLO_HTTP_MALFORMED_JSON',
    detail: () => 'the body is not UTF-8'
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'PARCOMOLO_HTTP_URI_TOO_LONG',
    detail: (_, request) => `a part of the path ${quoted(request.url)} is too long; expected at most 300 characters`
  },
  FST_ERR_BAD_URL: {
    code: 'PARCOMOLO_HTTP_INVALID_REQUEST',
    detail: (_, request) => `the path ${quoted(request.url)} is not valid; expected percent-encoded UTF-8`
  }
}

/** The log has all of it under the request's id; the user gets the id. */
const unexpected = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const requestId = request.id
  const { reports } = request.server
  const isOwn = isParcomoloError(error)
  if (isOwn && statusOf(error.code) === 503) {
    reports.refused(error.code, { requestId }, error.message)
    return sendProblem(reply, error.code, error.message, { requestId })
  }
  const code: ErrorCode = isOwn ? error.code : 'PARCOMOLO_HTTP_INTERNAL'
  reports.failed(code, { requestId, err: error, url: request.url, method: request.method }, 'a request failed')
  const detail = isOwn
    ? error.message
    : `something went wrong here; the log says more under the request id '${requestId}'`
  return sendProblem(reply, code, detail, { requestId })
}
