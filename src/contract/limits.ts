/**
 * What a contract may hold at most. Each is far beyond what a person writes, and all are small enough that whatever
 * keeps them is compiled within a second: meanwhile the process does nothing else.
 */
export const limits = {
  /** Characters of the protocol: as much as a saga's file may hold. */
  contractCharsMax: 262_144,
  /** Characters of the whole file; what is stored for a resource of Kubernetes is a few times the protocol at most. */
  fileCharsMax: 1_048_576,
  /** Records, errors and enums. */
  typesMax: 500,
  messagesMax: 500,
  fieldsMax: 500,
  symbolsMax: 1_000,
  /** Types inside each other, those of a record included; and lists and objects of a default or an annotation. */
  nestingMax: 20,
  /** Fields of all records, each with those of all that it holds, as often as they occur. */
  heldFieldsMax: 5_000,
  /** Faults that are told at once. */
  problemsMax: 100
} as const
