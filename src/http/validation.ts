import type { FastifySchemaValidationError } from 'fastify'
import { didYouMean } from '../base/index.ts'
import { quoted, type Violation } from './problem.ts'

/** What the schema found wrong with one part of a request, in plain words with the values. */
export const violationsOf = (errors: readonly FastifySchemaValidationError[], part: string): readonly Violation[] => {
  const known = (errors as readonly SchemaError[]).slice(0, violationsMax)
  const advised = known.find(({ keyword }) => keyword === 'additionalProperties' || keyword === 'enum')
  const shown = known.map((error) => violationOf(error, { part, isAdvised: error === advised }))
  const more = errors.length - shown.length
  return more === 0 ? shown : [...shown, { path: '', message: `${more} more of this kind` }]
}

const violationsMax = 100

/** Ajv's error with `verbose`: it carries the value and the schema that refused it. */
type SchemaError = FastifySchemaValidationError & {
  readonly data?: unknown
  readonly parentSchema?: { readonly description?: string; readonly properties?: object }
}

/** Only the first name that is not known is compared with those that are, which costs more than all the rest. */
type Place = { readonly part: string; readonly isAdvised: boolean }

const violationOf = (error: SchemaError, { part, isAdvised }: Place): Violation => {
  const member = (error.params['missingProperty'] ?? error.params['additionalProperty']) as string | undefined
  const pointer = member === undefined ? error.instancePath : `${error.instancePath}/${pointerPart(member)}`
  return { path: part === 'body' ? pointer : pointer.slice(1), message: messageOf(error, isAdvised) }
}

const pointerPart = (name: string): string => name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')

const messageOf = (error: SchemaError, isAdvised: boolean): string => {
  const { keyword, params, data } = error
  const write = words[keyword]
  return write === undefined
    ? `${quoted(data)} ${error.message ?? 'is not valid'}`
    : write(error, params['limit'], data, isAdvised)
}

type Words = (error: SchemaError, limit: unknown, data: unknown, isAdvised: boolean) => string

/** By keyword of JSON Schema. */
const words: Readonly<Record<string, Words>> = {
  required: () => 'is missing',
  additionalProperties: ({ params, parentSchema }, _, __, isAdvised) => {
    const name = String(params['additionalProperty'])
    const known = Object.keys(parentSchema?.properties ?? {})
    return `is not known here${(isAdvised && didYouMean(name, known)) || `; expected ${known.join(', ')}`}`
  },
  type: ({ params, parentSchema }, _, data) =>
    params['type'] === 'null'
      ? `${quoted(data)} is not taken; ${parentSchema?.description ?? 'expected null'}`
      : `${quoted(data)} is not ${typeNames[String(params['type'])] ?? String(params['type'])}`,
  minimum: (_, limit, data) => `${quoted(data)} is too small; expected at least ${String(limit)}`,
  maximum: (_, limit, data) => `${quoted(data)} is too large; expected at most ${String(limit)}`,
  minLength: (_, limit, data) => `${quoted(data)} is too short; expected at least ${characters(limit)}`,
  maxLength: (_, limit, data) => `${quoted(data)} is too long; expected at most ${characters(limit)}`,
  pattern: ({ parentSchema }, _, data) =>
    `${quoted(data)} is not accepted; expected ${parentSchema?.description ?? 'another form'}`,
  minItems: (_, limit, data) => `has ${lengthOf(data)} entries; expected at least ${String(limit)}`,
  maxItems: (_, limit, data) => `has ${lengthOf(data)} entries; expected at most ${String(limit)}`,
  enum: ({ params }, _, data, isAdvised) => {
    const allowed = (params['allowedValues'] as unknown[]).map(String)
    return `${quoted(data)} is not known${(isAdvised && didYouMean(String(data), allowed)) || `; expected ${allowed.join(', ')}`}`
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object'
}

const characters = (limit: unknown): string => (limit === 1 ? '1 character' : `${String(limit)} characters`)
const lengthOf = (data: unknown): number => (Array.isArray(data) ? data.length : 0)
