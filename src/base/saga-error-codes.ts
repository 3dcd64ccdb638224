/** What can be wrong with a saga definition; part of `errorCodes`. */
export const sagaErrorCodes = {
  PARCOMOLO_SAGA_INVALID: {
    cause: 'A saga definition breaks rules of the language; every fault is named with its place in the file.',
    remedy: 'Correct what the message says; until then the last good revision stays in force.'
  },
  PARCOMOLO_SAGA_EXPRESSION_FAILED: {
    cause:
      'An expression of a saga met a value that it cannot work with, such as a division by zero or a list that is too long.',
    remedy: 'Guard the expression, for instance with has(…) or a condition, and retry the parked instance.'
  },
  PARCOMOLO_SAGA_SYNTAX: {
    cause: 'The file is not one YAML document.',
    remedy:
      "Correct the place that the message names; an expression with quotes, braces or ': ' in it is put in quotes as a whole."
  },
  PARCOMOLO_SAGA_UNKNOWN_KEY: {
    cause: 'A map of the definition has a key that the language does not have there.',
    remedy: 'Use the key that the message proposes, or leave it out.'
  },
  PARCOMOLO_SAGA_MISSING_KEY: {
    cause: 'A key that must be there is missing.',
    remedy: 'Add it.'
  },
  PARCOMOLO_SAGA_WRONG_VALUE: {
    cause: 'A value is of the wrong kind or out of its range.',
    remedy: 'Write what the message expects.'
  },
  PARCOMOLO_SAGA_UNKNOWN_NAME: {
    cause: 'No participant has a command, an event or a field of this name, or the saga has no such step.',
    remedy: 'Use the name that the message proposes, or add it to the contract in sagas/participants.'
  },
  PARCOMOLO_SAGA_DUPLICATE_NAME: {
    cause: 'Two steps of a saga share a name.',
    remedy: 'Rename one of them.'
  },
  PARCOMOLO_SAGA_MISSING_FIELD: {
    cause: 'The arguments of a command or an event leave out a field that has no default.',
    remedy: 'Give the field an expression.'
  },
  PARCOMOLO_SAGA_TYPE_MISMATCH: {
    cause: 'The type of an expression does not fit the place where its value goes.',
    remedy: 'Convert it, or take another field.'
  },
  PARCOMOLO_SAGA_EXPRESSION_INVALID: {
    cause: 'An expression is no valid CEL, or uses an operation on types that do not have it.',
    remedy: 'Correct the place that the message names; sagas/README.md lists what expressions can do.'
  },
  PARCOMOLO_SAGA_MAY_NOT_EXIST: {
    cause: 'An expression uses a reply or a value that may not be there when it is evaluated.',
    remedy: 'Guard it: has(steps.x) ? steps.x.field : other, or value != null ? value : other.'
  },
  PARCOMOLO_SAGA_PIVOT: {
    cause: 'The pivot, or a step after it, breaks the rule that a saga only moves forward from there.',
    remedy: 'Follow the message: one pivot outside of parallel, no compensation and no rejection from it on.'
  },
  PARCOMOLO_SAGA_COMPENSATION: {
    cause: 'A step before the pivot does not say how it is undone.',
    remedy: "Add 'compensate', or 'compensate: none' for a step that has no effect."
  },
  PARCOMOLO_SAGA_TIMING: {
    cause: 'The timeouts and retries of a step do not fit in the deadline of the saga.',
    remedy: 'Raise the deadline, or lower timeout and attempts of the step.'
  },
  PARCOMOLO_SAGA_NOT_SUPPORTED: {
    cause: 'The definition uses a part of the language that this release does not have yet.',
    remedy: 'Do without it, or wait for the release that brings it.'
  },
  PARCOMOLO_SAGA_FILE_TOO_LARGE: {
    cause: 'The file has more characters than fileCharsMax.',
    remedy: 'Split it into several sagas.'
  },
  PARCOMOLO_SAGA_TOO_MANY_ALIASES: {
    cause: 'The file follows more YAML aliases than aliasesMax.',
    remedy: 'Write the values out.'
  },
  PARCOMOLO_SAGA_TOO_MANY_STEPS: {
    cause: 'The saga has more steps than stepsMax.',
    remedy: 'Split it into several sagas.'
  },
  PARCOMOLO_SAGA_TOO_DEEP: {
    cause:
      'Parallel nodes, written-out values or brackets are nested deeper than nestingMax, valueDepthMax or bracketsMax.',
    remedy: 'Flatten them.'
  },
  PARCOMOLO_SAGA_TOO_WIDE: {
    cause: 'A parallel node has more branches than parallelWidthMax, or a record more fields than fieldsMax.',
    remedy: 'Put some of the branches one after the other; give the record fewer fields.'
  },
  PARCOMOLO_SAGA_TOO_MANY_ATTEMPTS: {
    cause: 'A retry policy has more attempts than attemptsMax.',
    remedy: 'Lower the number; onUnknown: retry begins a new round when all attempts are used up.'
  },
  PARCOMOLO_SAGA_DURATION_TOO_LONG: {
    cause: 'A duration is longer than pauseMsMax or deadlineMsMax.',
    remedy: 'Shorten it.'
  },
  PARCOMOLO_SAGA_EXPRESSION_TOO_LARGE: {
    cause: 'An expression is longer, deeper or has more loops inside each other than the limits allow.',
    remedy: 'Compute the value where the event or the reply is made, or split it over several fields.'
  },
  PARCOMOLO_SAGA_EXPRESSION_TOO_COSTLY: {
    cause: 'An expression could cost more than expressionCostMax, with lists and texts as long as they may be.',
    remedy: 'Go through fewer lists inside each other, or compute the value where the event or the reply is made.'
  }
} as const satisfies Record<string, { cause: string; remedy: string }>
