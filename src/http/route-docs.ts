import type { FastifySchema } from 'fastify'
import { type ErrorCode } from '../base/index.ts'
import { statusOf } from './problem.ts'
import type { Schema } from './schemas.ts'

/** What a route says of itself beside its schema. */
export type RouteDocs = {
  /** The codes of the problems that it answers with; those that any route may meet are added. */
  readonly problems: readonly ErrorCode[]
  /** Answers that are not JSON, by status: as they stand in the OpenAPI document. */
  readonly answers?: Readonly<Record<string, Schema>>
}

/** What any route that reads the view may answer with. */
export const readProblems = ['PARCOMOLO_HTTP_POSITION_NOT_REACHED', 'PARCOMOLO_HTTP_NOT_READY'] as const

/** What any route that sends a command may answer with. */
export const writeProblems = [
  'PARCOMOLO_HTTP_OUTCOME_UNKNOWN',
  'PARCOMOLO_HTTP_NOT_READY',
  'PARCOMOLO_HTTP_OVERLOADED',
  'PARCOMOLO_VIEW_WAITERS_EXHAUSTED'
] as const

declare module 'fastify' {
  interface FastifyContextConfig {
    docs?: RouteDocs
    /** A write that begins something which takes a while: admission bounds how much of that there is at once. */
    isWork?: boolean
  }
}

/** A success that is JSON of this form. Its schema also writes the answer. */
export const json = (description: string, schema: Schema, headers?: Readonly<Record<string, Schema>>): Schema => ({
  description,
  ...(headers === undefined ? {} : { headers }),
  ...schema
})

/** Answers of the OpenAPI document for problems, by status: added there only, as nothing is written by them. */
export const problemAnswers = (
  codes: readonly ErrorCode[],
  { body, params }: FastifySchema
): Record<string, Schema> => {
  const all = [
    ...codes,
    ...everywhere,
    ...(body === undefined ? [] : withBody),
    ...(params === undefined ? [] : withPath)
  ]
  const byStatus = Map.groupBy(new Set(all), statusOf)
  const answers: Record<string, Schema> = {}
  for (const [status, group] of byStatus)
    answers[status] = {
      description: group.join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
    }
  return answers
}

const everywhere: readonly ErrorCode[] = [
  'PARCOMOLO_HTTP_INVALID_REQUEST',
  'PARCOMOLO_HTTP_REQUEST_TIMEOUT',
  'PARCOMOLO_HTTP_UNSUPPORTED_MEDIA_TYPE',
  'PARCOMOLO_HTTP_EXPECTATION_FAILED',
  'PARCOMOLO_HTTP_HEADERS_TOO_LARGE',
  'PARCOMOLO_HTTP_INTERNAL'
]
const withBody: readonly ErrorCode[] = ['PARCOMOLO_HTTP_MALFORMED_JSON', 'PARCOMOLO_HTTP_BODY_TOO_LARGE']
const withPath: readonly ErrorCode[] = ['PARCOMOLO_HTTP_URI_TOO_LONG']
