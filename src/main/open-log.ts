import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Budget, ParcomoloError } from '../base/index.ts'
import { type EmbeddedLogOptions, openEmbeddedLog } from '../log/embedded/index.ts'
import type { Log } from '../log/index.ts'
import type { KafkaOptions } from '../log/kafka/index.ts'
import { openEmbeddedRegistry } from '../registry/embedded/index.ts'
import type { HttpRegistryOptions } from '../registry/http/index.ts'
import type { Registry } from '../registry/index.ts'
import type { Config } from '../config/index.ts'
import { kafkaOptions } from './kafka-options.ts'
import { processMemory } from './memory-limit.ts'

/**
 * The log that the configuration names. Claims nothing; the embedded one lets no other process in while it is open. The
 * client of Kafka is loaded only where it is used, since a start on a laptop should not wait for it. `onConcern` hears
 * of what is wrong with one topic alone.
 */
export const openLog = async (
  config: Config,
  budget: Budget = processMemory(config).budget,
  { onWarning, onConcern }: Pick<EmbeddedLogOptions, 'onWarning'> & Pick<KafkaOptions, 'onConcern'> = {}
): Promise<Log> => {
  if (config.kafkaBrokers === null)
    return openEmbeddedLog({ dir: join(config.dataFolder, 'log'), budget, ...(onWarning && { onWarning }) })
  const options = await kafkaOptions(config)
  const { openKafkaLog } = await import('../log/kafka/index.ts')
  return openKafkaLog({ ...options, budget, ...(onConcern && { onConcern }) })
}

/** The schema registry that belongs to it. The one that is not embedded is waited for until it answers. */
export const openRegistry = async (
  config: Config,
  waiting: Pick<HttpRegistryOptions, 'onWaiting' | 'signal'> = {}
): Promise<Registry> => {
  const { registryUrl: url, registryUsername: username, registryPassword: password } = config
  if (url === null) {
    checkCatalogue(config.dataFolder)
    return openEmbeddedRegistry(join(config.dataFolder, 'registry'))
  }
  const auth = username === '' ? undefined : { username, password }
  const { openHttpRegistry } = await import('../registry/http/index.ts')
  return underPrefix(config.kafkaPrefix, await openHttpRegistry({ ...waiting, url, auth }))
}

/** Numbers of schemas that are given anew need not be those that the values in the log name. */
const checkCatalogue = (dataFolder: string): void => {
  const [path, log] = [join(dataFolder, 'registry', 'schemas.json'), join(dataFolder, 'log')]
  if (existsSync(path) || !existsSync(log) || !readdirSync(log).some((name) => name.endsWith('.log'))) return
  throw new ParcomoloError(
    'PARCOMOLO_REGISTRY_BROKEN',
    `schema catalogue '${path}' is gone, and values in '${log}' need it; take a backup back with 'parcomolo restore'; ` +
      `only where no contract was ever changed, put {"format":1,"schemas":[],"subjects":{}} there, and it is made again`,
    { details: { path } }
  )
}

/** A subject begins with its topic's name (TopicRecordName), and the topics of this installation with its prefix. */
const underPrefix = (prefix: string, registry: Registry): Registry => ({
  check: (subject, schema) => registry.check(prefix + subject, schema),
  register: (subject, schema) => registry.register(prefix + subject, schema),
  versions: (subject) => registry.versions(prefix + subject),
  schema: (id) => registry.schema(id),
  close: () => registry.close()
})
