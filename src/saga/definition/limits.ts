import { type ErrorCode, showDuration } from '../../base/index.ts'

/** A bound on what a definition may ask for: nothing in a saga is unbounded. */
export type Limit = {
  readonly name: string
  readonly unit: string
  readonly value: number
  /** Of the error that names it. */
  readonly code: ErrorCode
}

const limit = (name: string, value: number, unit: string, code: ErrorCode): Limit => ({ name, value, unit, code })

export const sagaLimits = {
  fileChars: limit('fileCharsMax', 262_144, 'characters', 'PARCOMOLO_SAGA_FILE_TOO_LARGE'),
  brackets: limit('bracketsMax', 200, 'open brackets', 'PARCOMOLO_SAGA_TOO_DEEP'),
  aliases: limit('aliasesMax', 100, 'aliases', 'PARCOMOLO_SAGA_TOO_MANY_ALIASES'),
  steps: limit('stepsMax', 100, 'steps', 'PARCOMOLO_SAGA_TOO_MANY_STEPS'),
  nesting: limit('nestingMax', 4, 'levels of parallel', 'PARCOMOLO_SAGA_TOO_DEEP'),
  parallelWidth: limit('parallelWidthMax', 20, 'branches', 'PARCOMOLO_SAGA_TOO_WIDE'),
  reference: limit('referenceCharsMax', 512, 'characters', 'PARCOMOLO_SAGA_WRONG_VALUE'),
  fields: limit('fieldsMax', 1000, 'fields', 'PARCOMOLO_SAGA_TOO_WIDE'),
  valueDepth: limit('valueDepthMax', 10, 'levels', 'PARCOMOLO_SAGA_TOO_DEEP'),
  attempts: limit('attemptsMax', 1000, 'attempts', 'PARCOMOLO_SAGA_TOO_MANY_ATTEMPTS'),
  pauseMs: limit('pauseMsMax', 7 * 86_400_000, 'ms', 'PARCOMOLO_SAGA_DURATION_TOO_LONG'),
  deadlineMs: limit('deadlineMsMax', 365 * 86_400_000, 'ms', 'PARCOMOLO_SAGA_DURATION_TOO_LONG'),
  expressionChars: limit('expressionCharsMax', 2000, 'characters', 'PARCOMOLO_SAGA_EXPRESSION_TOO_LARGE'),
  expressionNodes: limit('expressionNodesMax', 500, 'operations', 'PARCOMOLO_SAGA_EXPRESSION_TOO_LARGE'),
  expressionDepth: limit('expressionDepthMax', 50, 'levels', 'PARCOMOLO_SAGA_EXPRESSION_TOO_LARGE'),
  loopNesting: limit('loopNestingMax', 2, 'loops inside each other', 'PARCOMOLO_SAGA_EXPRESSION_TOO_LARGE'),
  expressionCost: limit('expressionCostMax', 100_000_000, 'operations', 'PARCOMOLO_SAGA_EXPRESSION_TOO_COSTLY'),
  turnCost: limit('turnCostMax', 100_000, 'operations', 'PARCOMOLO_SAGA_EXPRESSION_FAILED'),
  keyChars: limit('keyCharsMax', 1024, 'characters', 'PARCOMOLO_SAGA_EXPRESSION_FAILED'),
  listItems: limit('listItemsMax', 1000, 'items', 'PARCOMOLO_SAGA_EXPRESSION_FAILED'),
  textChars: limit('textCharsMax', 100_000, 'characters', 'PARCOMOLO_SAGA_EXPRESSION_FAILED'),
  errors: limit('errorsMax', 20, 'errors', 'PARCOMOLO_SAGA_INVALID')
} as const satisfies Record<string, Limit>

/** What names look like. */
export const namePatterns = {
  saga: /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  step: /^[a-z][a-zA-Z0-9-]{0,62}$/
}
export const nameCharsMax = 63

/** `start` goes into command ids in place of a step's name. */
export const reservedStepName = 'start'

/** From and to, both included. */
export const retryRanges = { factor: [1, 10], jitter: [0, 1] } as const satisfies Record<
  string,
  readonly [number, number]
>

/** `the limit stepsMax is 100 steps`. */
export const limitText = ({ name, value, unit }: Limit): string =>
  `the limit ${name} is ${unit === 'ms' ? showDuration(value) : `${value} ${unit}`}`
