import { type Clock, isParcomoloError } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import type { Log, LogRecord } from '../log/index.ts'
import {
  type DefinitionPublished,
  definitionProtocol,
  definitionsTopic,
  type ParticipantPublished
} from './definition-events.ts'

export type Publisher = {
  publish(definition: DefinitionPublished): Promise<void>
  publishParticipant(participant: ParticipantPublished): Promise<void>
}

const place = { topic: definitionsTopic, partition: 0 }

/** How often one definition is tried: each time another publisher has come in between. */
const claimsMax = 10

/**
 * Publishes definitions and participants, one at a time. Resolves when orchestrators can see what was published.
 * Several may publish, and who does so last is right: one that finds itself fenced takes the topic back, and rejects
 * with PARCOMOLO_LOG_FENCED only where others do the same all the time.
 */
export const openPublisher = async (log: Log, codec: Codec, clock: Clock): Promise<Publisher> => {
  let writer = await log.claim(place)
  const append = async (record: LogRecord): Promise<void> => {
    for (let claims = 1; ; claims++) {
      try {
        await writer.append([record])
        return
      } catch (error) {
        if (!isParcomoloError(error, 'PARCOMOLO_LOG_FENCED') || claims === claimsMax) throw error
        writer = await log.claim(place)
      }
    }
  }
  /** A writer takes one append at a time; one that fails is told to its own caller only. */
  let last: Promise<unknown> = Promise.resolve()
  const publish = (type: string, key: string, value: object): Promise<void> => {
    const { fullName } = definitionProtocol.records.get(type)!
    const record = { key, value: codec.encode(fullName, value), timestamp: clock.now(), headers: {} }
    const published = last.then(() => append(record))
    last = published.catch(() => undefined)
    return published
  }
  return {
    publish: (definition) => publish('DefinitionPublished', `${definition.saga}@${definition.revision}`, definition),
    publishParticipant: (published) =>
      publish('ParticipantPublished', `participant/${published.participant}`, published)
  }
}
