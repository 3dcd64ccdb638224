import { type Agreed, type Contracts, learnSchemas, registerAgreed, registerContracts } from '../contract/index.ts'
import type { Log } from '../log/index.ts'
import { definitionsTopic, publishedParticipants } from '../orchestrator/index.ts'
import type { Registry } from '../registry/index.ts'
import { hostedParticipants, ownRecords } from './system.ts'

/**
 * What the registry takes of the contracts in files, and what it had before of those that it refuses. Where a
 * participant was published, that is what is in force, and its file is left to whoever judges it: if a start registered
 * it, one that was refused would become what the registry judges the next ones by.
 */
export const agreedContracts = async (log: Log, registry: Registry, files: Contracts): Promise<Agreed> => {
  const definitions = ownRecords.filter(({ topic }) => topic === definitionsTopic)
  const codec = await registerContracts(registry, [], definitions)
  const published = await publishedParticipants(log, codec, (values) => learnSchemas(codec, registry, values))
  const own = files.all.filter(({ participant }) => hostedParticipants.has(participant) || !published.has(participant))
  return registerAgreed(registry, own, ownRecords)
}
