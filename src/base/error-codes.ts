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
  PARCOMOLO_CONTRACT_INVALID: {
    cause: "A participant's file breaks a rule of YAML, of a Participant's fields, or of its Avro protocol.",
    remedy: 'Each line of the message names file, line and column, what stands there, and what was expected: mend them all.'
  },
  PARCOMOLO_CONTRACT_CONFLICT: {
    cause: 'Two participants share something that has to be their own: name, namespace, inbox or events topic.',
    remedy: 'Rename it in one of the two files that the message names.'
  },
  PARCOMOLO_CONTRACT_UNKNOWN_RECORD: {
    cause: 'A value was to be written as a record that no contract names.',
    remedy: 'Use the full name of a record of a contract; the message names the nearest one.'
  },
  PARCOMOLO_CONTRACT_VALUE_MISMATCH: {
    cause: 'A value does not fit the Avro record that it was to be written as.',
    remedy: 'The message names the field and what it takes: correct the value, or the contract.'
  },
  PARCOMOLO_CONTRACT_MALFORMED: {
    cause: 'Bytes that were to be a value in the Confluent wire format are not: wrong first byte, too short, too long, or no value of their schema.',
    remedy: 'Find out who wrote the record; use a serializer for Avro with a schema registry.'
  },
  PARCOMOLO_CONTRACT_LONG_OVERFLOW: {
    cause: 'A value holds a long beyond 2^53, which a number in JavaScript cannot hold exactly.',
    remedy: 'Keep longs within 2^53, or make the field a string.'
  },
  PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA: {
    cause: 'A value names a schema id that this process has not learnt.',
    remedy: 'See that the writer uses the same schema registry, and that the registry still has the schema.'
  },
  PARCOMOLO_CONTRACT_SCHEMA_REFUSED: {
    cause: "A schema that a record was written with is no valid Avro, or today's contract cannot read it.",
    remedy: 'Give every field that was added a default, or bring back the type that was changed.'
  },
  PARCOMOLO_TASK_JOURNAL_UNREADABLE: {
    cause: 'A record in the own journal of a component cannot be decoded: somebody else wrote to it, or its schema is gone.',
    remedy: 'Find out who wrote the record; a journal belongs to its component alone. Its task does not start before.'
  },
  PARCOMOLO_ORCHESTRATOR_REVISION_MISSING: {
    cause: 'An instance is pinned to a revision of its saga that is not (or no longer usably) among the published definitions.',
    remedy: 'Publish that revision again, or mend the contract that made it unusable; the error before this one in the log says why.'
  },
  PARCOMOLO_MAIN_SAGAS_UNREADABLE: {
    cause: 'The folder with the sagas and their participants does not exist or may not be read.',
    remedy: 'Start in the project folder, or set PARCOMOLO_SAGAS to the folder that holds the sagas.'
  },
  PARCOMOLO_TASK_DEFECT: {
    cause: 'A component broke one of its own rules, such as an event that its contract does not name.',
    remedy: 'Report it with the message; the task stops before anything wrong is written.'
  }
} as const satisfies Record<string, { cause: string; remedy: string }>

export type ErrorCode = keyof typeof errorCodes
