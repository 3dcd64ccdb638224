/** What `spec.http` of a participant may hold, and what holds where it says nothing. */
export const httpLimits = {
  urlCharsMax: 2_048,
  timeoutMs: 10_000,
  timeoutMsMax: 600_000,
  concurrency: 16,
  concurrencyMax: 1_000,
  perSecondMax: 100_000,
  headersMax: 20,
  headerCharsMax: 4_096
} as const

/**
 * Variables have a beginning of their own, and secrets a folder: whoever may write a participant's file must not get at
 * the process's other secrets by it.
 */
export const httpPatterns = {
  url: /^https?:\/\/[^\s#@]+$/,
  headerName: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/,
  value: /^[ -~]+$/,
  env: /^COURIER_[A-Z0-9_]{1,120}$/,
  secret: /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/
} as const

const own =
  /^(ce-.*|traceparent|content-.*|host|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|accept.*)$/i

/** Headers that HTTP's client or the courier sets. */
export const isOwnHeader = (name: string): boolean => own.test(name)
