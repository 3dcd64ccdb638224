import { ParcomoloError } from '../base/index.ts'
import { type Contract } from './contract.ts'
import { typeOfSchema } from './avro-type.ts'
import { checkSizes, checkTypes, type Declared, type Report } from './idl-check.ts'
import { readMessages } from './idl-messages.ts'
import { fullNameOf, recordSchema, recordTypes } from './idl-schema.ts'
import { IdlSyntaxError, type TextProblem } from './idl-tokens.ts'
import { type IdlField, type IdlProtocol, parseIdl } from './idl.ts'
import { limits } from './limits.ts'

/** What an Avro protocol says by itself: a contract without its participant and topics. */
export type Protocol = Omit<Contract, 'participant' | 'inbox' | 'events'>

/** An Avro protocol given as IDL text in code. `name` stands for the file in errors. */
export const readProtocolText = (idl: string, name = 'protocol'): Protocol => {
  const read = readProtocol(idl)
  if ('protocol' in read) return read.protocol
  const lines = read.problems.map(({ at, text }) => {
    const before = idl.slice(0, at).split('\n')
    return `${name}:${before.length}:${before.at(-1)!.length + 1} ${text}`
  })
  throw new ParcomoloError('PARCOMOLO_CONTRACT_INVALID', lines.join('\n'))
}

export type ReadProtocol = { readonly protocol: Protocol } | { readonly problems: readonly TextProblem[] }

/** The protocol, or all that is wrong with it, in the order of the text. */
export const readProtocol = (idl: string): ReadProtocol => {
  const problems: TextProblem[] = []
  const report: Report = (at, text) => {
    if (problems.length === limits.problemsMax) throw new TooManyProblems(text)
    problems.push({ at, text })
  }
  try {
    const parsed = parsedOrReported(idl, report)
    const protocol = parsed === undefined ? undefined : buildProtocol(parsed, report)
    if (protocol !== undefined && problems.length === 0) return { protocol }
  } catch (error) {
    if (!(error instanceof TooManyProblems)) throw error
  }
  return { problems: problems.toSorted((a, b) => a.at - b.at) }
}

/** Each costs a search for the name that was meant; nobody mends so many before looking again. */
class TooManyProblems extends Error {}

const parsedOrReported = (idl: string, report: Report): IdlProtocol | undefined => {
  try {
    return parseIdl(idl)
  } catch (error) {
    if (!(error instanceof IdlSyntaxError)) throw error
    report(error.at, error.message)
    return undefined
  }
}

const buildProtocol = (parsed: IdlProtocol, report: Report): Protocol | undefined => {
  const namespace = namespaceOf(parsed, report)
  const declared = declaredTypes(parsed, namespace)
  let sound = true
  const reportFault: Report = (at, text) => {
    sound = false
    report(at, text)
  }
  checkTypes(parsed, declared, reportFault)
  if (sound) checkSizes(parsed, declared, reportFault)
  const messages = readMessages(parsed, declared, report)
  if (!sound) return undefined
  const records = recordTypes(parsed, declared, namespace)
  checkSchemas(parsed, records, { declared, namespace }, report)
  return { namespace, records, ...messages }
}

const namespaceOf = ({ name, attributes }: IdlProtocol, report: Report): string => {
  const namespace = attributes['namespace']
  if (typeof namespace === 'string' && /^[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*$/.test(namespace)) return namespace
  const problem = namespace === undefined ? 'has no namespace' : `has the namespace ${JSON.stringify(namespace)}`
  report(name.at, `protocol '${name.text}' ${problem}; expected @namespace("words.with.dots") in front of it`)
  return 'unknown'
}

const declaredTypes = (parsed: IdlProtocol, namespace: string): Declared =>
  new Map([
    ...parsed.types.map((type) => [fullNameOf(type, namespace), type] as const),
    ...parsed.types.map((type) => [type.name.text, type] as const)
  ])

/**
 * What remains is left to Avro: each record as a whole; where that is refused, without its defaults, and these one by
 * one, each in a record of that field alone.
 */
const checkSchemas = (
  parsed: IdlProtocol,
  records: Protocol['records'],
  { declared, namespace }: Names,
  report: Report
): void => {
  for (const type of parsed.types) {
    if (type.kind === 'enum' || problemOf(records.get(type.name.text)!.schema) === undefined) continue
    const bare = { ...type, fields: type.fields.map((field) => ({ ...field, default: undefined })) }
    const problem = problemOf(recordSchema(bare, declared, namespace))
    if (problem !== undefined) {
      report(type.name.at, `${type.kind} '${type.name.text}' is refused by Avro: ${problem}`)
      continue
    }
    for (const field of type.fields) {
      if (field.default === undefined) continue
      if (problemOf(recordSchema({ ...type, fields: [field] }, declared, namespace)) !== undefined)
        reportDefault(field, report)
    }
  }
}

type Names = { readonly declared: Declared; readonly namespace: string }

const reportDefault = (field: IdlField, report: Report): void => {
  const { value, at } = field.default!
  const expected = field.type.kind === 'union' ? 'the first type of the union' : 'its type'
  report(
    at,
    `default ${JSON.stringify(value)} does not fit field '${field.name.text}'; expected a value of ${expected}`
  )
}

const problemOf = (schema: Readonly<Record<string, unknown>>): string | undefined => {
  try {
    typeOfSchema(schema)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
