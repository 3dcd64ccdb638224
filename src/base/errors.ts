import { type ErrorCode } from './error-codes.ts'

export type ErrorOptions = {
  /** True where the same call may succeed later, unchanged (a network fault, a full disk). */
  retryable?: boolean
  /** Facts for machines: file, line, column, path, limit, … */
  details?: Readonly<Record<string, unknown>>
  cause?: unknown
}

/**
 * Every error that leaves a room. The message says what is wrong with the value in quotes, what was
 * expected and what to do, in one sentence without a final dot. A business "no" is never an error: it is an event.
 */
export class ParcomoloError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ParcomoloError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.details = options.details ?? {}
  }
}

/** True for an error of this project, with the given code if one is named. */
export const isParcomoloError = (error: unknown, code?: ErrorCode): error is ParcomoloError =>
  error instanceof ParcomoloError && (code === undefined || error.code === code)
