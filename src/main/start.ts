import { hostname } from 'node:os'
import { systemClock } from '../base/index.ts'
import { adoptContract, learnSchemas, registerContracts } from '../contract/index.ts'
import { createProbes } from '../http/index.ts'
import type { Operator } from '../operator/index.ts'
import { openPublisher } from '../orchestrator/index.ts'
import type { Config } from './config.ts'
import { readContractFiles } from './contract-files.ts'
import { Diagnostics } from './diagnostics.ts'
import { agreeOnFlow } from './flow.ts'
import { healthOf } from './health.ts'
import type { OperatorParts } from './kubernetes-operator.ts'
import { lingerMs, listen } from './listen.ts'
import { metricsText } from './metrics.ts'
import { processMemory } from './memory-limit.ts'
import { openLog, openRegistry } from './open-log.ts'
import { Opening } from './opening.ts'
import { participantsOf } from './participants.ts'
import { openRest, requestLevel } from './rest.ts'
import { componentsOf, type Role, rolesIn } from './roles.ts'
import { followSagaFiles } from './saga-files.ts'
import type { Parts, Stage, Storage } from './stage.ts'
import { ownRecords, startSystem, type SystemDeps } from './system.ts'

export type Running = {
  readonly url: string
  readonly roles: 'all' | readonly Role[]
  /** Resolves with the error when something has failed for good, and the process should stop. */
  readonly failed: Promise<unknown>
  stop(): Promise<void>
}

export type StartOptions = {
  /** Aborted when the process is to stop; what the start waits for is then waited for no longer. */
  readonly signal?: AbortSignal
  /** How log and registry are opened; as the configuration says if not given. */
  readonly storage?: Storage
}

const clock = systemClock

/** A process that is to stop does not wait longer for what it has opened half. */
const closeMsMax = 2_000

/**
 * Runs the roles of this process. Resolves when all of them work. What was opened is closed in the opposite order, at
 * the stop as well as when the start fails half-way. Rejects with the signal's reason where that ends the start.
 */
export const start = async (config: Config, options: StartOptions = {}): Promise<Running> => {
  const { signal = new AbortController().signal, storage = { openLog, openRegistry } } = options
  const diagnostics = new Diagnostics(config.logLevel)
  const { failed } = diagnostics
  const opening = new Opening({ signal, failed, clock, onSlow: diagnostics.slow })
  let [isStopped, isListening] = [false, false]
  try {
    const memory = processMemory(config)
    const isStopping = (): boolean => isStopped || signal.aborted
    const onListening = (): void => void (isListening = true)
    const told = { isStopping, onListening }
    const url = await open({ config, opening, diagnostics, storage, signal, clock, memory, ...told })
    opening.done()
    const stop = async (): Promise<void> => {
      isStopped = true
      // What has failed for good is of no more use to anybody.
      await Promise.race([failed, pause(config.stopDelay)])
      await opening.close()
    }
    return { url, roles: config.roles, failed, stop }
  } catch (error) {
    if (!signal.aborted) await opening.close()
    else {
      if (isListening) await pause(config.stopDelay)
      diagnostics.hush()
      await Promise.race([opening.close(), pause(closeMsMax)])
    }
    throw error
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })

/** Each part after those that it needs; gives the address to tell people. */
const open = async (stage: Stage): Promise<string> => {
  const { config, opening, diagnostics, storage, signal, memory } = stage
  const roles = rolesIn(config.flow, config.roles)
  const parts: Parts = { memory }
  const probes = roles.includes('view') ? undefined : await openProbes(stage, parts, roles)
  const contracts = await opening.step('reading the contracts', () => readContractFiles(config.sagasFolder))
  const log = await opening.take(
    config.kafkaBrokers === null ? 'opening the log' : `looking for Kafka at ${config.kafkaBrokers.join(', ')}`,
    () =>
      opening.insist(
        () => storage.openLog(config, memory.budget),
        (error) => diagnostics.waiting(error, 'Kafka')
      ),
    (it) => it.close()
  )
  parts.log = log
  // The embedded log has one process at a time, which may compare the flows.
  if (config.kafkaBrokers !== null)
    await opening.step('agreeing on FLOW', () => agreeOnFlow(log, config.flow, config.kafkaPrefix))
  const registry = await opening.take(
    'waiting for the schema registry',
    () => storage.openRegistry(config, { signal, onWaiting: diagnostics.waiting }),
    (it) => it.close()
  )
  const codec = await opening.step('registering the contracts', () =>
    opening.insist(() => registerContracts(registry, contracts.all, ownRecords), diagnostics.waiting)
  )
  const deps: SystemDeps = {
    ...{ log, codec, contracts, clock, flow: config.flow, partitions: config.partitions },
    learn: (values) => learnSchemas(codec, registry, values),
    adopt: (contract) => adoptContract(registry, codec, contract),
    owner: `${hostname()}/${process.pid}`,
    roles: componentsOf(roles),
    onFailure: diagnostics.fail,
    onPoison: diagnostics.poison,
    onTooLarge: diagnostics.tooLarge,
    onHeldUp: diagnostics.heldUp,
    onGroupUntold: diagnostics.groupUntold,
    onDefinitionError: diagnostics.definition,
    onKeyFailed: diagnostics.keyFailed,
    onKeyUsed: diagnostics.keyUsed
  }
  const system = await opening.take(
    'taking over partitions',
    () => startSystem(deps),
    (it) => it.stop()
  )
  parts.system = system
  if (roles.includes('operator'))
    parts.operator = await openOperator(stage, { deps, registry, definitions: system.definitions })
  return probes ?? (await openRest(stage, { deps, system, roles, operator: parts.operator }))
}

/**
 * From Kubernetes, or from the folder, and whatever changes there from then on. The client of Kubernetes is loaded only
 * where it is used, since it takes a second and 90 MB.
 */
const openOperator = async (stage: Stage, parts: OperatorParts): Promise<Operator | undefined> => {
  const { config, opening, diagnostics } = stage
  if (config.definitions === 'kubernetes') {
    const { openKubernetesOperator } = await import('./kubernetes-operator.ts')
    return openKubernetesOperator(stage, parts)
  }
  const { definitions, registry } = parts
  const { log, codec } = parts.deps
  await opening.take(
    'publishing the sagas',
    async () => {
      const publisher = await openPublisher(log, codec, clock, definitions)
      return followSagaFiles({
        ...{ dir: config.sagasFolder, definitions, publisher, clock },
        participants: participantsOf({ registry, codec, definitions, publisher }),
        onPublished: diagnostics.published,
        onRefused: diagnostics.refused
      })
    },
    (it) => it.close()
  )
  return undefined
}

/** From the very beginning, so that whoever runs the process sees that it lives and what it waits for. */
const openProbes = async (stage: Stage, parts: Parts, roles: readonly Role[]): Promise<string> => {
  const { config, opening, diagnostics, isStopping } = stage
  const own = roles.map((role) => `'${role}'`).join(', ')
  const probes = await opening.take(
    'opening the probes',
    async () =>
      createProbes({
        ...{ isStopping, lingerMs: lingerMs(config) },
        health: () => healthOf(diagnostics, parts, opening.doing),
        metrics: () => metricsText(parts),
        elsewhere: `this process runs ${own}; ask one with the role 'view', which has the REST interface`,
        logLevel: requestLevel(config)
      }),
    (it) => it.close()
  )
  return opening.step('opening the probes', () => listen(probes, config.host, config.port))
}
