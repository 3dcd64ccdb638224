import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, isParcomoloError } from '../base/index.ts'
import { problemType, quoted, sendProblem, statusOf } from './problem.ts'
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
  return unexpected(error, request, reply)
}

/** For bytes that are not (yet) a request: this is written by hand. */
export const answerBadHttp = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const [status, reason, detail] = badHttp[error.code ?? ''] ?? [400, 'Bad Request', 'what was sent is not HTTP']
  const code: ErrorCode = 'PARCOMOLO_HTTP_INVALID_REQUEST'
  const body = JSON.stringify({ type: `/errors/${code}`, title: 'The request is not valid', status, code, detail })
  const head = `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: ${problemType}`
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** By Node's codes. */
const badHttp: Readonly<Record<string, readonly [status: number, reason: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'the headers of the request are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'the request did not arrive in time']
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
  FST_ERR_BAD_URL: {
    code: 'PARCOMOLO_HTTP_INVALID_REQUEST',
    detail: (_, request) => `the path ${quoted(request.url)} is not valid; expected percent-encoded UTF-8`
  }
}

/** The log has all of it under the request's id; the user gets the id. */
const unexpected = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const requestId = request.id
  const isOwn = isParcomoloError(error)
  if (isOwn && statusOf(error.code) === 503) {
    request.log.warn({ requestId, code: error.code }, error.message)
    return sendProblem(reply, error.code, error.message, { requestId })
  }
  request.log.error({ requestId, err: error, url: request.url, method: request.method }, 'a request failed')
  const code: ErrorCode = isOwn ? error.code : 'PARCOMOLO_HTTP_INTERNAL'
  const detail = isOwn
    ? error.message
    : `something went wrong here; the log says more under the request id '${requestId}'`
  return sendProblem(reply, code, detail, { requestId })
}
