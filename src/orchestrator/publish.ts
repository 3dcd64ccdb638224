import type { Clock } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import type { JournalWriter, Log } from '../log/index.ts'
import { type DefinitionPublished, definitionProtocol, definitionsTopic } from './definition-events.ts'

export type Publisher = { publish(definition: DefinitionPublished): Promise<void> }

/** Makes the caller the one who publishes definitions. Resolves when orchestrators can see the definition. */
export const openPublisher = async (log: Log, codec: Codec, clock: Clock): Promise<Publisher> => {
  const writer: JournalWriter = await log.claim({ topic: definitionsTopic, partition: 0 })
  const fullName = definitionProtocol.records.get('DefinitionPublished')!.fullName
  /** A writer takes one append at a time. */
  let last: Promise<unknown> = Promise.resolve()
  return {
    publish: async (definition) => {
      const key = `${definition.saga}@${definition.revision}`
      const record = { key, value: codec.encode(fullName, definition), timestamp: clock.now(), headers: {} }
      last = last.then(() => writer.append([record]))
      await last
    }
  }
}
