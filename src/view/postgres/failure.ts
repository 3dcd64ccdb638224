import { ParcomoloError } from '../../base/index.ts'

/**
 * What a fault of the client or the server means. There are two kinds of names for them: SQLSTATEs of the server, and
 * codes or mere messages of Node and of the client, where no answer came.
 */

/** The server cannot be reached, ends, or takes nobody in: this connection is of no use, and the next may be. */
export const isAway = (cause: unknown): boolean => {
  const state = sqlState(cause)
  return state === undefined || /^(08|57P)|^53300$/.test(state)
}

/** It answers, and will say the same until somebody changes something. */
export const isRefusal = (cause: unknown): boolean => {
  const state = sqlState(cause)
  if (state !== undefined) return /^(28|3D|3F|42)/.test(state)
  const { code = '', message = '' } = cause as { code?: string; message?: string }
  return /CERT|SELF_SIGNED|UNABLE_TO|^ERR_(TLS|SSL|OSSL)|^EPROTO$/.test(code) || /\b(SSL|SASL|password)\b/.test(message)
}

/** A table, or the schema, that was there when it was opened: somebody has dropped it, or made the database anew. */
export const isMissing = (cause: unknown): boolean => /^(42P01|3F000)$/.test(sqlState(cause) ?? '')

export const gone = (name: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_STORE_WENT_BACK',
    `the read model's database '${name}' has lost its tables: ${saidBy(cause)}; they are made and filled anew when it ` +
      'is opened again',
    { cause }
  )

/** In everyday use any fault may pass: a right that is missing is given, a table that was dropped made by a start. */
export const unavailable = (name: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_STORE_UNAVAILABLE',
    `the read model's database '${name}' ${isAway(cause) ? 'does not answer' : 'fails'}: ${saidBy(cause)}; ` +
      'it is tried again until it works',
    { cause, retryable: true }
  )

export const refused = (name: string, reason: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_STORE_REFUSED',
    `the read model's database '${name}' cannot be used: ${reason}; change it there or in VIEW_DATABASE_URL`,
    cause === undefined ? {} : { cause }
  )

/** The server's or the client's own words, which never hold the password. */
export const saidBy = (cause: unknown): string => {
  const { message = '', code = '', errors } = cause as { message?: string; code?: string; errors?: unknown[] }
  // Of an address with several numbers Node tells each by itself, and nothing of the whole.
  if (message === '' && Array.isArray(errors)) return errors.map(saidBy).join(', ')
  return message === '' ? code : message
}

const sqlState = (cause: unknown): string | undefined => {
  const { code, severity } = cause as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && typeof severity === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}
