import { sagaStatuses } from '../view/index.ts'

/** JSON Schema of what goes in and out: Fastify checks and writes by it, and the OpenAPI document shows it. */
export type Schema = Readonly<Record<string, unknown>>

/** What no database and no other language keeps as it is: NUL, and one half of a surrogate pair without the other. */
const whole = '^[^\\u0000\\ud800-\\udfff]*$'

export const text = (charsMax: number): Schema => ({
  type: 'string',
  minLength: 1,
  maxLength: charsMax,
  pattern: whole,
  description: 'text without NUL, and without half a surrogate pair'
})

/** Refuses members that it does not name; all are required but those named `optional`. */
export const object = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties
})

export const listOf = (items: Schema): Schema => ({ type: 'array', items })
export const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema['type'], 'null'] })

export const time = { type: 'string', format: 'date-time', examples: ['2026-11-23T08:26:00.000Z'] }
export const string = { type: 'string' }
export const integer = { type: 'integer' }
const boolean = { type: 'boolean' }

/** Any id that a path or a body may name; one that was never given out is simply not found. */
export const anyId: Schema = text(256)

export const place = { topic: string, partition: integer, offset: integer }

const sagaMembers = {
  saga: string,
  key: string,
  revision: string,
  status: { type: 'string', enum: sagaStatuses },
  step: orNull(string),
  startedAt: time,
  endedAt: orNull(time),
  failure: orNull(object({ type: string, step: string, message: string })),
  parked: orNull(object({ step: string, undo: boolean, reason: string }))
}

export const sagaSummary: Schema = object(sagaMembers)
export const saga: Schema = object({
  ...sagaMembers,
  waiting: {
    ...listOf(
      object({ step: string, undo: boolean, inbox: string, partition: integer, before: integer, detail: string })
    ),
    description: 'commands that their participant has not read yet, and how many of others stand before each'
  },
  timelineOmitted: integer,
  timeline: listOf(
    object({ type: string, at: time, step: string, undo: boolean, attempt: integer, detail: string, ...place }, [
      'step',
      'undo',
      'attempt',
      'detail'
    ])
  )
})

const revisionMembers = {
  revision: string,
  current: boolean,
  retired: boolean,
  publishedAt: time,
  source: string,
  running: { type: 'integer', description: 'instances of this revision that have not ended' }
}

export const definitionSummary: Schema = object({ saga: string, revisions: listOf(object(revisionMembers)) })
export const definition: Schema = object({
  saga: string,
  revisions: listOf(
    object({
      ...{ ...revisionMembers, yaml: string },
      keys: {
        ...orNull(string),
        description: 'of the newest revision: whether its task reads its own partition only, and if not, why'
      }
    })
  )
})

export const health: Schema = object({
  status: { type: 'string', enum: ['ok', 'failing'] },
  checks: listOf(object({ name: string, ok: boolean, detail: string }))
})

export const errorExplanation: Schema = object({ code: string, cause: string, remedy: string })

export const pageOf = (items: Schema): Schema =>
  object({
    items: listOf(items),
    nextCursor: { ...orNull(string), description: 'for the next page; null on the last' }
  })

export const problem: Schema = object(
  {
    type: string,
    title: string,
    status: integer,
    code: string,
    detail: string,
    instance: string,
    errors: listOf(object({ path: string, message: string })),
    requestId: string,
    progress: object({ done: integer, of: integer, secondsLeft: orNull(integer) })
  },
  ['errors', 'requestId', 'progress']
)

/** Query parameters are texts; `limit` is made a number before it is checked (query.ts). */
export const pageParameters = (pageSizeMax: number, pageSizeDefault: number): Readonly<Record<string, Schema>> => ({
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: pageSizeMax,
    description: `at most this many; ${pageSizeDefault} if not given`
  },
  cursor: { type: 'string', maxLength: 1000, description: '`nextCursor` of the page before' }
})

export const parameters = (properties: Readonly<Record<string, Schema>>): Schema =>
  object(properties, Object.keys(properties))
export const pathParameters = (properties: Readonly<Record<string, Schema>>): Schema => object(properties)

export const positionHeader: Readonly<Record<string, Schema>> = {
  'parcomolo-position': {
    type: 'string',
    maxLength: 4096,
    description: 'Of an earlier answer: this one waits until the read model has seen it.'
  }
}
