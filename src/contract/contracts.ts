import { type Contract, type Operation, type RecordType } from './contract.ts'

/** What a name stands for, or what is wrong with it (to be put behind a position): `unknown command 'RelaseStock'; did you mean 'ReleaseStock'?`. */
export type LookUp<T> = { readonly found: T } | { readonly problem: string }

export type CommandType = { readonly contract: Contract; readonly operation: Operation; readonly record: RecordType }

/** A record that appears on a participant's events topic: reply, rejection, or one-way event. */
export type EventType = { readonly contract: Contract; readonly topic: string; readonly record: RecordType }

/**
 * Look-up over all participants. A name is the record's short name, `participant.Name` where two participants have it, or its full name.
 * Lists of names hold the short name, or the qualified one where the short one is ambiguous.
 */
export type Contracts = {
  readonly all: readonly Contract[]
  readonly commandNames: readonly string[]
  readonly eventNames: readonly string[]
  participant(name: string): LookUp<Contract>
  command(name: string): LookUp<CommandType>
  event(name: string): LookUp<EventType>
}

/** Throws PARCOMOLO_CONTRACT_CONFLICT where two participants share a name, a namespace, an inbox or an events topic. */
export const contractSet = (contracts: readonly Contract[]): Contracts => {
  throw new Error(`not yet: ${contracts.length}`)
}
