import { isParcomoloError } from '../base/index.ts'
import type { Finding } from '../saga/index.ts'

/** How many findings a message names; the rest is counted. */
const findingsMax = 10

/** The fields that stand beside `spec`; the paths of all others begin in it. */
const outside = /^(apiVersion|kind|metadata|status)\b/

/**
 * What is wrong, for somebody who sees the resource and not the text that was made of it: each finding with its field,
 * and no line of a file that there is not.
 */
export const explain = (error: unknown): string => {
  if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) {
    const { errors, errorCount } = error.details as { errors: readonly Finding[]; errorCount: number }
    return listed(
      errors.map(({ path, message }) => `${fieldOf(path)}: ${message}`),
      errorCount
    )
  }
  if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE') && error.cause instanceof Error)
    return error.message.replace(error.cause.message, () => explain(error.cause))
  if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID') || isParcomoloError(error, 'PARCOMOLO_CONTRACT_CONFLICT')) {
    const { problems } = error.details as { problems?: readonly Problem[] }
    if (problems === undefined) return error.message
    return listed(problems.map(problemText), problems.length)
  }
  return error instanceof Error ? error.message : String(error)
}

/** The codes of what is wrong with a saga. */
export const findingCodes = (error: unknown): ReadonlySet<string> =>
  isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')
    ? new Set((error.details['errors'] as readonly Finding[]).map(({ code }) => code))
    : new Set()

const fieldOf = (path: string): string => {
  if (path === '') return 'spec'
  return outside.test(path) ? path : `spec.${path}`
}

type Problem = { readonly line: number; readonly column: number; readonly path: string; readonly text: string }

/** The line on which the contract begins in the text of a participant that `yamlOf` has made: behind `contract: |`. */
const contractLine = 8
const contractIndent = 4

/** A contract has lines of its own, which a person can count. */
const problemText = ({ line, column, path, text }: Problem): string => {
  const at = line - contractLine
  const place = path === 'spec.contract' && at > 0 ? ` line ${at}, column ${column - contractIndent}` : ''
  return `${path === '' ? 'spec' : path}${place}: ${text}`
}

const listed = (findings: readonly string[], count: number): string => {
  const shown = findings.slice(0, findingsMax)
  const more = count - shown.length
  return more <= 0 ? shown.join('\n') : `${shown.join('\n')}\n… and ${more} more`
}
