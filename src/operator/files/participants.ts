import type { DefinitionPublished } from '../../orchestrator/index.ts'
import type { Beside, ParticipantText } from '../ports.ts'

/** What has come into force; nothing where it was so already. */
export type Taken = { readonly isNew: boolean; readonly sagas: readonly DefinitionPublished[] }

export type Participants = {
  /**
   * Makes all processes know a participant, or a new version of its contract, with those sagas and participants beside
   * it that it cannot be taken without. Resolves when this process has it. Nothing is published where it is in force
   * already, or refused: by PARCOMOLO_CONTRACT_INVALID, PARCOMOLO_CONTRACT_CONFLICT, PARCOMOLO_CONTRACT_IN_USE where a
   * saga in force or with instances needs what it takes away, PARCOMOLO_REGISTRY_INCOMPATIBLE, or
   * PARCOMOLO_MAIN_PARTICIPANT_OF_RELEASE (retryable).
   */
  accept(participant: ParticipantText, beside?: Beside): Promise<Taken>
  /**
   * It is no longer there for sagas that are published from now on. Rejects with PARCOMOLO_CONTRACT_IN_USE, and it
   * stays, where a saga in force or with instances needs it.
   */
  withdraw(name: string): Promise<void>
}
