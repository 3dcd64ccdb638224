import type { Contracts } from '../contract/index.ts'

/** What the operator needs of the rest of Parcomolo; `main` hands it in. */
export type Ports = {
  readonly definitions: DefinitionsPort
  readonly participants: ParticipantsPort
  readonly running: RunningPort
}

export type PublishedSaga = {
  readonly revision: string
  /** Where it came from: `sourceOf` a resource, or the path of a file. */
  readonly source: string
  readonly yaml: string
  readonly retired: boolean
}

/** The topic `saga-definitions`, which every orchestrator follows. */
export type DefinitionsPort = {
  /**
   * The newest revision of a saga, retired ones included. It has to know of everything that was published before it is
   * asked, by whomever: an edit back to an earlier text would else be taken for published already.
   */
  newest(saga: string): Promise<PublishedSaga | undefined>
  /** The names of all sagas that were ever published. */
  sagas(): readonly string[]
  /** Resolves when orchestrators can see it. A retired revision begins nothing, and what runs on it runs on. */
  publish(definition: PublishedSaga & { readonly saga: string }): Promise<void>
}

export type ParticipantText = { readonly name: string; readonly source: string; readonly yaml: string }

/** What there is beside a participant, and it may not be taken without; asked for only where that matters. */
export type Beside = {
  readonly sagas: () => readonly Pick<PublishedSaga, 'source' | 'yaml'>[]
  /** Those that are not in force, too. */
  readonly participants: () => readonly ParticipantText[]
}

/**
 * The participants whose contracts are in force, in all processes. The operator calls `accept` and `withdraw` one at a
 * time, and `accept` for each participant at each start.
 */
export type ParticipantsPort = {
  /** All that are in force now; another object after each change. */
  contracts(): Contracts
  /** Those that were published, and where each came from; not those of the release. */
  published(): readonly Pick<ParticipantText, 'name' | 'source'>[]
  /**
   * Checks a participant, registers its schemas and lets all processes know it; also in place of an earlier contract of
   * the same name. Sagas and participants beside it come into force with it where it cannot be taken without them.
   * Resolves when `contracts()` has it. Rejects with a ParcomoloError that is not retryable where the contract is
   * refused: broken (PARCOMOLO_CONTRACT_INVALID, _CONFLICT), incompatible with what was registered
   * (PARCOMOLO_REGISTRY_INCOMPATIBLE), or without what a saga needs (PARCOMOLO_CONTRACT_IN_USE).
   */
  accept(participant: ParticipantText, beside?: Beside): Promise<void>
  /**
   * From then on nothing can use it. Its schemas stay, since the log holds records written with them. Rejects with
   * PARCOMOLO_CONTRACT_IN_USE, and it stays, where a saga needs it that is in force or has instances.
   */
  withdraw(name: string): Promise<void>
  /** Calls after each change of `contracts()`, until the function that it gives is called. */
  onChanged(listener: () => void): () => void
}

export type RunningCount = { readonly saga: string; readonly revision: string; readonly count: number }

/** The read model: which instances run. */
export type RunningPort = {
  /** Of all sagas; those that have none may be left out. Rejects while the read model is away. */
  count(): Promise<readonly RunningCount[]>
}
