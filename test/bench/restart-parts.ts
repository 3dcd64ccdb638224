import { systemClock } from '../../src/base/index.ts'
import { type Codec, learnSchemas, registerContracts } from '../../src/contract/index.ts'
import type { Log } from '../../src/log/index.ts'
import { openKafkaLog } from '../../src/log/kafka/index.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { ownRecords, theShop } from '../helpers/shop-parts.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { orderComponent } from '../../src/shop/order/index.ts'
import { deadLetterTopic, type Runner, runComponent, type TaskLimits, topicsOf } from '../../src/task/index.ts'

/** Where a component is restarted: topics on Kafka with a prefix of their own, and a folder with the schemas. */
export type Place = { readonly brokers: readonly string[]; readonly prefix: string; readonly folder: string }

export const partitions = 4
export const component = orderComponent('orchestration')
export const topics = [...topicsOf(component, partitions), deadLetterTopic]
export const fullNameOf = (type: string): string => `parcomolo.order.${type}`

/** Milliseconds since 1970, with fractions, the same in all processes of the machine. */
export const now = (): number => performance.timeOrigin + performance.now()

export type Parts = { readonly log: Log; readonly codec: Codec; readonly learn: Learn }
type Learn = (values: Iterable<Uint8Array | null>) => Promise<void> | undefined

/** Log and codec as the product has them, with the topics of the one component. */
export const openParts = async ({ brokers, prefix, folder }: Place, clientId: string): Promise<Parts> => {
  const registry = await openEmbeddedRegistry(folder)
  const contracts = await readContractFiles('sagas', theShop)
  const codec = await registerContracts(registry, contracts.all, ownRecords)
  const log = await openKafkaLog({ brokers, clientId, prefix })
  await log.ensureTopics(topics)
  return { log, codec, learn: (values) => learnSchemas(codec, registry, values) }
}

export const runOrders = (parts: Parts, limits: Partial<TaskLimits>, onFailure: (error: unknown) => void): Runner =>
  runComponent(component, {
    ...parts,
    ...{ limits, onFailure, fullNameOf },
    clock: systemClock,
    owner: 'restart',
    onPoison: (at, error) => onFailure(new Error(`${at} could not be read`, { cause: error }))
  })
