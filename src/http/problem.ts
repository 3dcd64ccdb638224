import type { FastifyReply } from 'fastify'
import type { ErrorCode } from '../base/index.ts'

/** Problem details (RFC 9457), and the only place that knows which code has which HTTP status. */
export type Problem = {
  /** Where the code is explained: `/errors/<code>`. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  /** The path that was asked for. */
  readonly instance: string
  readonly errors?: readonly Violation[]
  /** Where the server is at fault: the id of the log line that says more. */
  readonly requestId?: string
  /** Where the read model is not right yet: how far it has come, in records. */
  readonly progress?: { readonly done: number; readonly of: number; readonly secondsLeft: number | null }
}

/**
 * One thing that is wrong with a request. `path`: a JSON pointer into the body, or the name of a parameter or header.
 */
export type Violation = { readonly path: string; readonly message: string }

export type ProblemExtra = Pick<Problem, 'errors' | 'requestId' | 'progress'> & {
  readonly headers?: Readonly<Record<string, string>>
}

export const problemType = 'application/problem+json'

export const sendProblem = (
  reply: FastifyReply,
  code: ErrorCode,
  detail: string,
  extra: ProblemExtra = {}
): FastifyReply => {
  const { headers, ...members } = extra
  const problem = { ...problemOf(code, detail, reply.request.url), ...members }
  const { status } = problem
  if (status === 503) reply.header('retry-after', retryAfterSeconds)
  if (headers !== undefined) reply.headers(headers)
  return reply.code(status).type(problemType).send(JSON.stringify(problem))
}

/** `url`: as it was asked for. */
export const problemOf = (code: ErrorCode, detail: string, url: string): Problem => {
  const status = statusOf(code)
  const title = titles[status] ?? 'Error'
  return { type: `/errors/${code}`, title, status, code, detail, instance: url.slice(0, instanceCharsMax) }
}

/** 500 for a code that no request should meet. */
export const statusOf = (code: ErrorCode): number => statusByCode[code] ?? 500

/** A value as it stands in a message: in quotes, short, on one line. */
export const quoted = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = String(value)
  const short = text.length > quotedCharsMax ? `${text.slice(0, quotedCharsMax)}…` : text
  // JSON's escapes make control characters visible.
  return `'${JSON.stringify(short).slice(1, -1)}'`
}

const statusByCode: Partial<Record<ErrorCode, number>> = {
  PARCOMOLO_HTTP_INVALID_REQUEST: 400,
  PARCOMOLO_HTTP_MALFORMED_JSON: 400,
  PARCOMOLO_HTTP_FORBIDDEN: 403,
  PARCOMOLO_HTTP_NOT_FOUND: 404,
  PARCOMOLO_HTTP_METHOD_NOT_ALLOWED: 405,
  PARCOMOLO_HTTP_NOT_ACCEPTABLE: 406,
  PARCOMOLO_HTTP_REQUEST_TIMEOUT: 408,
  PARCOMOLO_HTTP_CONFLICT: 409,
  PARCOMOLO_HTTP_IDEMPOTENCY_KEY_REUSED: 409,
  PARCOMOLO_HTTP_BODY_TOO_LARGE: 413,
  PARCOMOLO_HTTP_URI_TOO_LONG: 414,
  PARCOMOLO_HTTP_UNSUPPORTED_MEDIA_TYPE: 415,
  PARCOMOLO_HTTP_EXPECTATION_FAILED: 417,
  PARCOMOLO_HTTP_UNKNOWN_SKU: 422,
  PARCOMOLO_HTTP_TOTAL_TOO_LARGE: 422,
  PARCOMOLO_HTTP_HEADERS_TOO_LARGE: 431,
  PARCOMOLO_HTTP_INTERNAL: 500,
  PARCOMOLO_HTTP_NOT_READY: 503,
  PARCOMOLO_HTTP_OUTCOME_UNKNOWN: 503,
  PARCOMOLO_HTTP_OVERLOADED: 503,
  PARCOMOLO_HTTP_POSITION_NOT_REACHED: 503,
  PARCOMOLO_VIEW_WAITERS_EXHAUSTED: 503,
  PARCOMOLO_VIEW_STORE_UNAVAILABLE: 503,
  PARCOMOLO_VIEW_STORE_WENT_BACK: 503,
  PARCOMOLO_VIEW_STORE_DAMAGED: 503,
  PARCOMOLO_VIEW_BEHIND: 503
}

const titles: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'The request did not arrive in time',
  409: 'Not possible in this state',
  413: 'The request is too large',
  414: 'The path is too long',
  415: 'Unsupported media type',
  417: 'What is expected cannot be met',
  422: 'The request cannot be carried out',
  431: 'The headers are too large',
  500: 'Internal error',
  503: 'Not available at the moment'
}

const retryAfterSeconds = '1'
const instanceCharsMax = 500
const quotedCharsMax = 80
