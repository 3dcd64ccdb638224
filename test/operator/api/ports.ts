import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/base/index.ts'
import {
  type Contract,
  type Contracts,
  contractSet,
  readContract,
  registerContracts
} from '../../../src/contract/index.ts'
import { openEmbeddedLog } from '../../../src/log/embedded/index.ts'
import { ownRecords } from '../../helpers/shop-parts.ts'
import type { Ports, PublishedSaga, RunningCount } from '../../../src/operator/index.ts'
import { Definitions, definitionsTopic, openPublisher } from '../../../src/orchestrator/index.ts'
import { openEmbeddedRegistry } from '../../../src/registry/embedded/index.ts'

/**
 * What an operator works on, all of it real but the read model: definitions in the embedded log, schemas in the
 * embedded registry. Several operators may share it, as they share Kafka.
 */
export type World = Ports & {
  /** All that was published, in order. */
  readonly published: { saga: string; revision: string; retired: boolean }[]
  /** What the read model says; an error if it is away. */
  runningNow: readonly RunningCount[] | Error
  /** Fails the next calls of `publish`. */
  readonly publishFaults: Error[]
  close(): Promise<void>
}

export const openWorld = async (): Promise<World> => {
  const dir = await mkdtemp(join(tmpdir(), 'parcomolo-operator-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics([{ topic: definitionsTopic, partitions: 1, cleanup: 'compact' }])
  const registry = await openEmbeddedRegistry(join(dir, 'registry'))
  const codec = await registerContracts(registry, [], ownRecords)
  const participants = openParticipants(registry)
  const definitions = await Definitions.follow({
    ...{ log, codec, contracts: participants.live, clock: systemClock },
    onError: () => undefined
  })
  const publisher = await openPublisher(log, codec, systemClock)
  const published: World['published'] = []
  const publishFaults: Error[] = []
  const world: World = {
    ...{ published, publishFaults, participants, runningNow: [] },
    running: {
      count: async () => {
        if (world.runningNow instanceof Error) throw world.runningNow
        return world.runningNow
      }
    },
    definitions: {
      newest: async (saga): Promise<PublishedSaga | undefined> => {
        await definitions.caughtUp()
        const newest = definitions.newest(saga)
        return newest
      },
      sagas: () => [...new Set(definitions.all().map(({ saga }) => saga))],
      publish: async (definition) => {
        const fault = publishFaults.shift()
        if (fault !== undefined) throw fault
        await publisher.publish(definition)
        const { saga, revision, retired } = definition
        published.push({ saga, revision, retired })
      }
    },
    close: async () => {
      definitions.close()
      await registry.close()
      await log.close()
      await rm(dir, { recursive: true, force: true })
    }
  }
  return world
}

type Registry = Awaited<ReturnType<typeof openEmbeddedRegistry>>

/** `live` is always the set in force, for whoever keeps one object for good. */
const openParticipants = (registry: Registry): Ports['participants'] & { readonly live: Contracts } => {
  const accepted = new Map<string, Contract>()
  const listeners = new Set<() => void>()
  let contracts = contractSet([])
  const change = (next: Contracts): void => {
    contracts = next
    for (const listener of listeners) listener()
  }
  return {
    live: {
      get all() {
        return contracts.all
      },
      get commandNames() {
        return contracts.commandNames
      },
      get eventNames() {
        return contracts.eventNames
      },
      participant: (name) => contracts.participant(name),
      command: (name) => contracts.command(name),
      event: (name) => contracts.event(name),
      ofTopic: (topic) => contracts.ofTopic(topic)
    },
    contracts: () => contracts,
    published: () => [],
    accept: async ({ name, source, yaml }) => {
      const contract = readContract({ path: source, text: yaml })
      const others = [...accepted.values()].filter(({ participant }) => participant !== name)
      const next = contractSet([...others, contract])
      await registerContracts(registry, [contract])
      accepted.set(name, contract)
      change(next)
    },
    withdraw: async (name) => {
      if (accepted.delete(name)) change(contractSet([...accepted.values()]))
    },
    onChanged: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}
