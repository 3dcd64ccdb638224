/**
 * Every code that a user can meet, with its cause and its remedy: `PARCOMOLO_<ROOM>_<WHAT>`, grouped by room.
 * The test `test/errors.test.ts` holds this list against the code: nothing is thrown that is not here, nothing here is dead.
 */
export const errorCodes = {
  PARCOMOLO_LOG_FENCED: {
    cause: 'Another owner has claimed this journal partition, so this one may no longer write to it.',
    remedy: 'None is needed: the task stops here and goes on at its new owner.'
  },
  PARCOMOLO_LOG_CLOSED: {
    cause: 'The log was closed while the call was under way.',
    remedy: 'None at a normal stop; otherwise look for the error that stopped the process.'
  },
  PARCOMOLO_TASK_JOURNAL_UNREADABLE: {
    cause: 'A record in the own journal of a component cannot be decoded: somebody else wrote to it, or its schema is gone.',
    remedy: 'Find out who wrote the record; a journal belongs to its component alone. Its task does not start before.'
  },
  PARCOMOLO_TASK_DEFECT: {
    cause: 'A component broke one of its own rules, such as an event that its contract does not name.',
    remedy: 'Report it with the message; the task stops before anything wrong is written.'
  }
} as const satisfies Record<string, { cause: string; remedy: string }>

export type ErrorCode = keyof typeof errorCodes
