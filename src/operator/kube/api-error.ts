import { isParcomoloError, ParcomoloError } from '../../base/index.ts'

/** What the API server answers instead of an object (a `Status`), as far as it is read. */
type Refusal = { readonly message?: string; readonly reason?: string }

/** An answer that is no success. Those of an overload or a fault of the server may be different the next time. */
export const refusedCall = (call: string, status: number, body: string): ParcomoloError => {
  const { message, reason } = refusalIn(body)
  const details = { status, reason: reason ?? '' }
  const said = (message ?? body.slice(0, 300)).trim().replace(/\.$/, '')
  if (status >= 500 || status === 429) {
    const text = `the API server answers ${status} to ${call}: ${said}`
    return new ParcomoloError('PARCOMOLO_OPERATOR_API_UNAVAILABLE', text, { retryable: true, details })
  }
  const text = `the API server refuses ${call} with ${status}: ${said}`
  return new ParcomoloError('PARCOMOLO_OPERATOR_API_REFUSED', text, { details })
}

/** No answer at all: nobody listens, the connection was cut, or it took too long. */
export const failedCall = (call: string, cause: unknown): ParcomoloError => {
  const text = `the API server gives no answer to ${call}: ${reasonOf(cause)}; expected one at its configured address`
  return new ParcomoloError('PARCOMOLO_OPERATOR_API_UNAVAILABLE', text, { retryable: true, details: {}, cause })
}

/** Somebody else has changed the object meanwhile, or made it first. */
export const isConflict = (error: unknown): boolean => hasStatus(error, 409)

/** The object is not there (any more). */
export const isNotFound = (error: unknown): boolean => hasStatus(error, 404)

/** The version to begin from is so old that the server has forgotten it. */
export const isGone = (error: unknown): boolean => hasStatus(error, 410)

const hasStatus = (error: unknown, status: number): boolean =>
  isParcomoloError(error) && error.details['status'] === status

const refusalIn = (body: string): Refusal => {
  try {
    const parsed = JSON.parse(body) as Refusal | null
    return parsed ?? {}
  } catch {
    return {}
  }
}

/** `fetch failed` says nothing; its cause does. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message || error.name
}
