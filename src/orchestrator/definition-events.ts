import { readProtocolText } from '../contract/index.ts'

/**
 * The compacted topic that carries saga definitions to every process that needs them; one partition. Key:
 * `<saga>@<revision>`, `participant/<name>` for the contract of a participant that is no part of the release, or
 * `release` for those of its services.
 */
export const definitionsTopic = 'saga-definitions'

/**
 * The record with the greatest offset is the saga's current revision; a retired one runs on for what has begun, but
 * begins nothing.
 */
export const definitionProtocol = readProtocolText(
  `@namespace("parcomolo.definition")
protocol Definition {
  record DefinitionPublished { string saga; string revision; string source; string yaml; boolean retired;
    string contracts = ""; }
  record ParticipantPublished { string participant; string source; string yaml; boolean withdrawn; }
  record ReleaseStarted { string contracts; }
}`,
  'src/orchestrator/definition-events.ts'
)

export type DefinitionPublished = {
  readonly saga: string
  readonly revision: string
  /** The file that it came from, for errors. */
  readonly source: string
  readonly yaml: string
  readonly retired: boolean
  /** The contracts that it was published with (`contract-text.ts`); empty where that is not known. */
  readonly contracts?: string
}

export type ParticipantPublished = {
  readonly participant: string
  /** Where it came from, for errors. */
  readonly source: string
  readonly yaml: string
  /** It is no longer there for sagas that are published from now on. */
  readonly withdrawn: boolean
}

/** The contracts that the services of the release have in all processes, as there is one process for all of them. */
export type ReleaseStarted = {
  /** `contract-text.ts` */
  readonly contracts: string
}
