import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Application } from '../application/index.ts'
import { systemClock } from '../base/index.ts'
import {
  adoptContract,
  type Codec,
  type Contract,
  type Contracts,
  contractSet,
  learnSchemas,
  registerAgreed
} from '../contract/index.ts'
import { makeClient } from '../courier/index.ts'
import { createProbes } from '../http/index.ts'
import type { Log } from '../log/index.ts'
import type { Operator } from '../operator/index.ts'
import { openPublisher, Unheard } from '../orchestrator/index.ts'
import { deniedAtOnce, type Registry } from '../registry/index.ts'
import { applicationOf, componentsOf, type Config, rolesIn } from '../config/index.ts'
import { followSagaFiles, readFolder } from '../operator/files/index.ts'
import { closeToOthers } from './data-folder.ts'
import { readContractFiles } from './contract-files.ts'
import { connectionLimits, descriptorsMax } from './descriptors.ts'
import { Diagnostics } from './diagnostics.ts'
import { healthOf } from './health.ts'
import type { OperatorParts } from './kubernetes-operator.ts'
import { isLoopback, lingerMs, listen } from './listen.ts'
import { metricsText } from './metrics.ts'
import { processMemory } from './memory-limit.ts'
import { openLog, openRegistry } from './open-log.ts'
import { Opening } from './opening.ts'
import { participantsOf } from './participants.ts'
import { judgeRelease, type ReleaseContracts } from './release-contracts.ts'
import { idSecret } from './id-secret.ts'
import { agreeOnApplication } from './one-application.ts'
import { openRest, requestLevel } from './rest.ts'
import type { Parts, Stage, Storage } from './stage.ts'
import { ensureTopicsOf, isHosted, ownRecordsOf, startSystem, type SystemDeps } from './system.ts'

export type Running = {
  readonly url: string
  /** Lines that tell what to try first; without them, what the engine alone has to show. */
  readonly firstSteps: readonly string[] | undefined
  readonly roles: 'all' | readonly string[]
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
/** Nor does one longer that has failed: who supervises it has to see that. */
const failedMsMax = 10_000

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
  const unwatch = clock.onJump(diagnostics.clockJumped)
  try {
    const memory = processMemory(config)
    const isStopping = (): boolean => isStopped || signal.aborted
    const onListening = (): void => void (isListening = true)
    const told = { isStopping, onListening }
    const application = applicationOf(config)
    const url = await open({ config, application, opening, diagnostics, storage, signal, clock, memory, ...told })
    opening.done()
    const stop = async (): Promise<void> => {
      isStopped = true
      // What has failed for good is of no more use to anybody.
      await Promise.race([failed, pause(config.stopDelay)])
      const closed = opening.close()
      await Promise.race([closed, failed.then(() => within(failedMsMax, closed))])
      unwatch()
    }
    return { url, firstSteps: application.firstSteps?.(url), roles: config.roles, failed, stop }
  } catch (error) {
    unwatch()
    if (!signal.aborted) {
      await within(failedMsMax, Promise.race([opening.close(), aborted(signal)]))
      if (signal.aborted) diagnostics.error(error, 'the start had failed before it was stopped')
    } else {
      if (isListening) await pause(config.stopDelay)
      diagnostics.hush()
      await within(closeMsMax, opening.close())
    }
    throw error
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })

/** For so long at most; meanwhile the process does not end by itself, as one with nothing left to do would. */
const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  try {
    await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Each part after those that it needs; gives the address to tell people. */
const open = async (stage: Stage): Promise<string> => {
  const { config, opening, diagnostics, storage, signal, memory } = stage
  const { application } = stage
  const roles = rolesIn(application, config.roles)
  const parts: Parts = { memory }
  closeToOthers(config.dataFolder, diagnostics.warning)
  const secret =
    roles.includes('view') && application.serve !== undefined
      ? idSecret(config, (text) => diagnostics.report('warn', {}, text))
      : null
  const probes = roles.includes('view') ? undefined : await openProbes(stage, parts, roles)
  const files = await opening.step('reading the contracts', () => contractsOf(stage, roles))
  const log = await opening.take(
    config.kafkaBrokers === null ? 'opening the log' : `looking for Kafka at ${config.kafkaBrokers.join(', ')}`,
    () =>
      opening.insist(
        () =>
          storage.openLog(config, memory.budget, { onWarning: diagnostics.warning, onConcern: diagnostics.concern }),
        (error) => diagnostics.waiting(error, 'Kafka')
      ),
    (it) => it.close()
  )
  parts.log = log
  // The embedded log has one process at a time, which may compare the variants.
  if (config.kafkaBrokers !== null)
    await opening.step('agreeing on the application', () => agreeOnApplication(log, application, config.kafkaPrefix))
  const registry = await opening.take(
    'waiting for the schema registry',
    () => storage.openRegistry(config, { signal, onWaiting: diagnostics.waiting }),
    (it) => it.close()
  )
  const unheard = new Unheard(diagnostics.unheard)
  parts.unheard = unheard
  const courier = roles.includes('courier') ? calling(stage) : undefined
  const depsOf = async (contracts: Contracts, own: readonly string[]): Promise<SystemDeps> => ({
    ...systemDeps(stage, { log, registry, unheard }, await agreedContracts(stage, registry, contracts)),
    courier,
    roles: componentsOf(own)
  })
  const release = await opening.step('judging the contracts', () =>
    releaseContracts(stage, { log, registry, files, roles, depsOf })
  )
  const deps = await opening.step('registering the contracts', () => depsOf(release.contracts, roles))
  await opening.step('publishing the contracts', () => release.note(deps.codec, deps.contracts))
  const system = await opening.take(
    'taking over partitions',
    () => startSystem(deps),
    (it) => it.stop()
  )
  parts.system = system
  if (roles.includes('operator'))
    parts.operator = await openOperator(stage, { deps, registry, held: release.held, definitions: system.definitions })
  return probes ?? (await openRest(stage, { deps, system, roles, operator: parts.operator, idSecret: secret }))
}

/** A name of its own for each start, so that no call of an earlier process is taken for one under way. */
const calling = ({ config, diagnostics, opening }: Stage): NonNullable<SystemDeps['courier']> => {
  const client = makeClient(config.courierPrivate)
  opening.defer(() => client.close())
  return {
    ...{ client, by: randomUUID(), random: Math.random, onTrouble: diagnostics.trouble },
    onStopped: (participant, error) => diagnostics.concern(`the delivery of commands to ${participant}`, error),
    headers: { environment: process.env, secretsFolder: config.courierSecrets }
  }
}

const systemDeps = (
  { application, config, diagnostics, memory }: Stage,
  { log, registry, unheard }: { readonly log: Log; readonly registry: Registry; readonly unheard: Unheard },
  { codec, contracts }: { readonly codec: Codec; readonly contracts: Contracts }
): SystemDeps => ({
  unheard,
  ...{ log, codec, contracts, clock, application, partitions: config.partitions },
  learn: (values) => learnSchemas(codec, registry, values),
  adopt: (contract) => adoptContract(registry, codec, contract),
  owner: `${hostname()}/${process.pid}`,
  living: memory.living,
  onFailure: diagnostics.fail,
  onPoison: diagnostics.poison,
  onTooLarge: diagnostics.tooLarge,
  onHeldUp: diagnostics.heldUp,
  onGroupUntold: diagnostics.groupUntold,
  onAhead: diagnostics.ahead,
  onDefinitionError: diagnostics.definition,
  onKeyFailed: diagnostics.keyFailed,
  onKeyUsed: diagnostics.keyUsed
})

type ReleaseParts = {
  readonly log: Log
  readonly registry: Registry
  readonly files: Contracts
  readonly roles: readonly string[]
  readonly depsOf: (contracts: Contracts, roles: readonly string[]) => Promise<SystemDeps>
}

/**
 * On the embedded log this process is the only one. Of several, each service has the contract that it was built with,
 * and what one process knows is not all that runs.
 */
const releaseContracts = async (
  { application, config, opening }: Stage,
  { log, registry, files, roles, depsOf }: ReleaseParts
): Promise<ReleaseContracts> => {
  const isAlone = config.kafkaBrokers === null && isFollowed(config, application)
  if (!isAlone || !roles.includes('operator') || !roles.includes('orchestrator'))
    return { contracts: files, held: new Set(), note: async () => undefined }
  return judgeRelease({
    ...{ application, log, registry, contracts: files, clock },
    sagas: async () => (await readFolder(config.sagasFolder)).sagas,
    run: async (contracts) => {
      const deps = await depsOf(contracts, ['orchestrator'])
      return opening.take(
        'looking what runs',
        async () => ({ system: await startSystem(deps), codec: deps.codec }),
        ({ system }) => system.stop()
      )
    }
  })
}

/** Sagas and participants come from files, which somebody follows. */
const isFollowed = ({ definitions }: Config, { runsSagas }: Application): boolean =>
  definitions === 'files' && runsSagas

/** What is wrong with the files is told by whoever follows the folder, unless there is nobody, or no start. */
const contractsOf = async (
  { config, application, diagnostics }: Stage,
  roles: readonly string[]
): Promise<Contracts> => {
  const refused: [string, unknown][] = []
  const tell = (): void => refused.forEach(([path, error]) => diagnostics.refused(path, error))
  try {
    const tellLater = (path: string, error: unknown): void => void refused.push([path, error])
    const contracts = await readContractFiles(config.sagasFolder, application, tellLater)
    if (!roles.includes('operator') || config.definitions === 'kubernetes') tell()
    // Those of others come by the topic, once they are judged there: a start would else register what is refused then.
    const isOwn = ({ participant }: Contract): boolean => isHosted(application, participant)
    return isFollowed(config, application) ? contractSet(contracts.all.filter(isOwn)) : contracts
  } catch (error) {
    tell()
    throw error
  }
}

/** What the registry takes of the contracts, and what it had before of those that it refuses. */
const agreedContracts = async (
  { opening, application, diagnostics }: Stage,
  registry: Registry,
  files: Contracts
): Promise<{ codec: Codec; contracts: Contracts }> => {
  const { codec, contracts, refused } = await opening.insist(
    () => deniedAtOnce(() => registerAgreed(registry, files.all, ownRecordsOf(application))),
    diagnostics.waiting
  )
  for (const { contract, error } of refused) diagnostics.refused(`the contract of ${contract.participant}`, error)
  const lost = refused.find(
    ({ contract: { participant } }) =>
      isHosted(application, participant) && contracts.every((other) => other.participant !== participant)
  )
  if (lost !== undefined) throw lost.error
  return { codec, contracts: contractSet(contracts) }
}

/**
 * From Kubernetes, or from the folder, and whatever changes there from then on. The client of Kubernetes is loaded only
 * where it is used, since it takes a second and 90 MB.
 */
const openOperator = async (
  stage: Stage,
  parts: OperatorParts & Pick<ReleaseContracts, 'held'>
): Promise<Operator | undefined> => {
  const { config, opening, diagnostics } = stage
  if (config.definitions === 'kubernetes') {
    const { openKubernetesOperator } = await import('./kubernetes-operator.ts')
    return openKubernetesOperator(stage, parts)
  }
  const { definitions, registry, held } = parts
  const { log, codec } = parts.deps
  await opening.take(
    'publishing the sagas',
    async () => {
      const publisher = await openPublisher(log, codec, clock, definitions)
      return followSagaFiles({
        ...{ dir: config.sagasFolder, definitions, publisher, clock },
        participants: participantsOf({
          ...{ application: stage.application, registry, codec, definitions, publisher, held },
          ensureTopics: (contract) => ensureTopicsOf(contract, parts.deps)
        }),
        onPublished: diagnostics.published,
        onRefused: diagnostics.refused,
        onKept: diagnostics.kept,
        onNeeded: diagnostics.needed,
        onUntold: diagnostics.untold
      })
    },
    (it) => it.close()
  )
  return undefined
}

/** From the very beginning, so that whoever runs the process sees that it lives and what it waits for. */
const openProbes = async (stage: Stage, parts: Parts, roles: readonly string[]): Promise<string> => {
  const { config, opening, diagnostics, isStopping } = stage
  const own = roles.map((role) => `'${role}'`).join(', ')
  const probes = await opening.take(
    'opening the probes',
    async () =>
      createProbes({
        ...{ isStopping, lingerMs: lingerMs(config) },
        isLocal: isLoopback(config.host),
        connectionsMax: connectionLimits(descriptorsMax()).connectionsMax,
        health: () => healthOf(diagnostics, parts, opening.doing),
        metrics: () => metricsText(parts),
        elsewhere: `this process runs ${own}; ask one with the role 'view', which has the REST interface`,
        logLevel: requestLevel(config)
      }),
    (it) => it.close()
  )
  return opening.step('opening the probes', () => listen(probes, config.host, config.metricsPort ?? config.port))
}
