import { type Clock, isParcomoloError } from '../base/index.ts'
import type { Codec, Contract, Contracts } from '../contract/index.ts'
import type { Log, LogRecord } from '../log/index.ts'
import { contractsText, textOf } from './contract-text.ts'
import {
  type DefinitionPublished,
  definitionProtocol,
  definitionsTopic,
  type ParticipantPublished
} from './definition-events.ts'

type Known = {
  readonly contracts: Contracts
  revision(saga: string, revision: string): Pick<DefinitionPublished, 'contracts'> | undefined
}

export type Publisher = {
  publish(definition: DefinitionPublished): Promise<void>
  publishParticipant(participant: ParticipantPublished): Promise<void>
  /**
   * All at once, so that nobody sees one without the others. `contracts`: those that the sagas fit, and that are in
   * force when the participants are.
   */
  publishTogether(
    participants: readonly ParticipantPublished[],
    sagas: readonly DefinitionPublished[],
    contracts: Contracts
  ): Promise<void>
  /** The contracts that the services of this release start with. */
  publishRelease(contracts: readonly Contract[]): Promise<void>
}

const place = { topic: definitionsTopic, partition: 0 }

/** How often one definition is tried: each time another publisher has come in between. */
const claimsMax = 10

/**
 * Publishes definitions and participants, one at a time. Resolves when orchestrators can see what was published.
 * Several may publish, and who does so last is right: one that finds itself fenced takes the topic back, and rejects
 * with PARCOMOLO_LOG_FENCED only where others do the same all the time.
 * `definitions`: where the contracts are known that a revision is published with.
 */
export const openPublisher = async (log: Log, codec: Codec, clock: Clock, definitions?: Known): Promise<Publisher> => {
  let writer = await log.claim(place)
  const append = async (records: readonly LogRecord[]): Promise<void> => {
    for (let claims = 1; ; claims++) {
      try {
        await writer.append(records)
        return
      } catch (error) {
        if (!isParcomoloError(error, 'PARCOMOLO_LOG_FENCED') || claims === claimsMax) throw error
        writer = await log.claim(place)
      }
    }
  }
  /** A writer takes one append at a time; one that fails is told to its own caller only. */
  let last: Promise<unknown> = Promise.resolve()
  const publish = (records: readonly LogRecord[]): Promise<void> => {
    const published = last.then(() => append(records))
    last = published.catch(() => undefined)
    return published
  }
  const record = (type: string, key: string, value: object): LogRecord => {
    const { fullName } = definitionProtocol.records.get(type)!
    return { key, value: codec.encode(fullName, value), timestamp: clock.now(), headers: {} }
  }
  const ofSaga = (definition: DefinitionPublished, known: Known | undefined): LogRecord => {
    const withContracts = { ...definition, contracts: definition.contracts ?? textFor(definition, known) }
    return record('DefinitionPublished', `${definition.saga}@${definition.revision}`, withContracts)
  }
  const ofParticipant = (published: ParticipantPublished): LogRecord =>
    record('ParticipantPublished', `participant/${published.participant}`, published)
  return {
    publish: (definition) => publish([ofSaga(definition, definitions)]),
    publishParticipant: (published) => publish([ofParticipant(published)]),
    publishTogether: (participants, sagas, contracts) => {
      const known = { contracts, revision: () => undefined }
      return publish([...participants.map(ofParticipant), ...sagas.map((saga) => ofSaga(saga, known))])
    },
    publishRelease: (contracts) => publish([record('ReleaseStarted', 'release', { contracts: textOf(contracts) })])
  }
}

/** What is retired keeps its own; of one that fits no contracts of now there is none. */
const textFor = ({ saga, revision, yaml, retired }: DefinitionPublished, definitions: Known | undefined): string => {
  if (definitions === undefined) return ''
  const before = retired ? (definitions.revision(saga, revision)?.contracts ?? '') : ''
  if (before !== '') return before
  try {
    return contractsText(yaml, definitions.contracts)
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return ''
    throw error
  }
}
