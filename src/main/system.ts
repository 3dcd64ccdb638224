import { type Clock, isParcomoloError, ParcomoloError } from '../base/index.ts'
import { type Codec, type Contract, type Contracts, contractSet } from '../contract/index.ts'
import type { Log, TopicSpec } from '../log/index.ts'
import {
  definitionProtocol,
  Definitions,
  definitionsTopic,
  orchestratorComponent,
  PassedOver,
  type ParticipantFacts,
  sagaProtocol,
  tellingUnheard,
  type Unheard
} from '../orchestrator/index.ts'
import { inventoryComponent } from '../service/inventory/index.ts'
import { orderComponent } from '../service/order/index.ts'
import { paymentComponent } from '../service/payment/index.ts'
import { shippingComponent } from '../service/shipping/index.ts'
import {
  type Component,
  deadLetterTopic,
  type Flow,
  type JournalRead,
  markerProtocol,
  type Runner,
  runComponent,
  type TaskDeps,
  type TaskLimits,
  topicsOf
} from '../task/index.ts'

export type { Flow }

export type SystemDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly contracts: Contracts
  readonly clock: Clock
  readonly flow: Flow
  /** Partitions of every journal and inbox but those of inventory, which has one. */
  readonly partitions: number
  /** Which components run here; all that the flow has if undefined. */
  readonly roles?: readonly string[]
  /** Named in the markers of journals. */
  readonly owner: string
  /** Counts the answers of foreign participants that are passed over; nobody does if not given. */
  readonly unheard?: Unheard
  readonly onFailure: (error: unknown) => void
  readonly onPoison: (at: string, error: unknown) => void
  readonly onTooLarge?: TaskDeps['onTooLarge']
  readonly onHeldUp?: TaskDeps['onHeldUp']
  readonly onGroupUntold?: TaskDeps['onGroupUntold']
  readonly onAhead?: TaskDeps['onAhead']
  readonly onDefinitionError: (error: unknown) => void
  /** A saga passes over events whose key it cannot tell: told once each; all others have these events. */
  readonly onKeyFailed?: (error: unknown) => void
  /** An event begins nothing, as its key has had its instance; `at`: `<topic>/<partition>/<offset>`. */
  readonly onKeyUsed?: (saga: string, key: string, at: string) => void
  readonly learn?: TaskDeps['learn']
  readonly taskLimits?: Partial<TaskLimits>
  readonly living?: TaskDeps['living']
  /** Makes registry and codec know a participant that was published while this process runs. */
  readonly adopt?: (contract: Contract) => Promise<void>
}

/** The components of this process, at work. */
export type System = {
  readonly runners: ReadonlyMap<string, Runner>
  readonly definitions: Definitions
  readonly passedOver: PassedOver
  stop(): Promise<void>
}

/** The journals of the components, all of which the read model follows. */
export const viewTopics = {
  order: 'order-events',
  stock: 'stock-events',
  payment: 'payment-events',
  shipping: 'shipping-events',
  saga: 'saga-events'
} as const

/** Records on topics that no participant's contract names. */
export const ownRecords = [
  { topic: viewTopics.saga, records: [...sagaProtocol.records.values()] },
  { topic: definitionsTopic, records: [...definitionProtocol.records.values()] },
  ...Object.values(viewTopics).map((topic) => ({ topic, records: [...markerProtocol.records.values()] }))
]

/**
 * Runs the shop's components and the orchestrator on a log whose adapter only the caller knows. Resolves when each has
 * its tasks at work.
 */
export const startSystem = async (given: SystemDeps): Promise<System> => {
  const deps = { ...given, contracts: await withTopics(given) }
  const { log, codec, contracts, clock } = deps
  const definitions = await Definitions.follow({
    ...{ log, codec, contracts, clock, onError: deps.onDefinitionError },
    ...(deps.onTooLarge === undefined ? {} : { onTooLarge: deps.onTooLarge }),
    ...(deps.onHeldUp === undefined ? {} : { onHeldUp: deps.onHeldUp }),
    ...(deps.learn === undefined ? {} : { learn: deps.learn }),
    adopt: async (contract) => {
      await deps.adopt?.(contract)
      await ensureTopicsOf(log, contract, deps.partitions)
    }
  })
  const passedOver = new PassedOver({
    onFailed: deps.onKeyFailed ?? deps.onDefinitionError,
    onUsed: deps.onKeyUsed ?? (() => undefined)
  })
  const runners = new Map<string, Runner>()
  try {
    for (const start of components(deps, definitions, passedOver)) runners.set(...start())
    renewOrchestrator(runners, definitions)
    log.onGrown?.(() => runners.get('orchestrator')?.renew())
    await Promise.all([...runners.values()].map(({ ready }) => ready))
  } catch (error) {
    await stopAll(runners, definitions)
    throw error
  }
  let stopped: Promise<void> | undefined
  return { runners, definitions, passedOver, stop: () => (stopped ??= stopAll(runners, definitions)) }
}

/**
 * Makes all topics. A participant that runs elsewhere, and whose topics are not as they have to be, concerns nobody
 * else: it is told and left out.
 */
const withTopics = async ({ log, contracts, partitions, onDefinitionError }: SystemDeps): Promise<Contracts> => {
  try {
    await log.ensureTopics(systemTopics(contracts, partitions))
    return contracts
  } catch (error) {
    const usable: Contract[] = []
    for (const contract of contracts.all) {
      const fault = await topicFault(log, contract, partitions)
      if (fault === undefined) usable.push(contract)
      else onDefinitionError(fault)
    }
    if (usable.length === contracts.all.length) throw error
    await log.ensureTopics(systemTopics(contractSet(usable), partitions))
    return contractSet(usable)
  }
}

/** Rejects where the topics of a participant are not as they have to be. */
export const ensureTopicsOf = async (log: Log, contract: Contract, partitions: number): Promise<void> => {
  const fault = await topicFault(log, contract, partitions)
  if (fault !== undefined) throw fault
}

/** Undefined where its topics are as they have to be. Rejects where there is no going on without it. */
const topicFault = async (log: Log, contract: Contract, partitions: number): Promise<ParcomoloError | undefined> => {
  const { participant } = contract
  try {
    await log.ensureTopics(participantTopics(contract, partitions))
    return undefined
  } catch (error) {
    if (!isParcomoloError(error) || error.retryable || hostedParticipants.has(participant)) throw error
    const message = `participant '${participant}' is left out until its topics are mended: ${error.message}`
    return new ParcomoloError(error.code, message, { details: error.details, cause: error })
  }
}

const stopAll = async (runners: ReadonlyMap<string, Runner>, definitions: Definitions): Promise<void> => {
  definitions.close()
  await Promise.all([...runners.values()].map((runner) => runner.stop()))
}

/** The services with one journal partition, because what they guard is shared by all orders. */
const singlePartition = new Set(['inventory'])

export const definitionsTopicSpec: TopicSpec = { topic: definitionsTopic, partitions: 1, cleanup: 'compact' }

/** Every topic that the components and the orchestrator write or are written to. */
export const systemTopics = (contracts: Contracts, partitions: number): TopicSpec[] => {
  return [
    ...contracts.all.flatMap((contract) => participantTopics(contract, partitions)),
    ...topicsOf({ name: 'orchestrator', journal: 'saga-events' }, partitions),
    definitionsTopicSpec,
    deadLetterTopic
  ]
}

const participantTopics = ({ participant, inbox, events }: Contract, partitions: number): TopicSpec[] => {
  const specs = topicsOf(
    { name: participant, journal: events, inbox },
    singlePartition.has(participant) ? 1 : partitions
  )
  return hostedParticipants.has(participant) ? specs : specs.map((spec) => ofOthers(spec, events, inbox))
}

/** Others may add partitions to their topics: events are read wherever they stand, commands stay where they were. */
const ofOthers = (spec: TopicSpec, events: string, inbox: string): TopicSpec => {
  if (spec.topic === events) return { ...spec, morePartitions: 'read' }
  return spec.topic === inbox ? { ...spec, morePartitions: 'unused' } : spec
}

/** The participants whose components run here: they alone write to their events topics. */
export const hostedParticipants: ReadonlySet<string> = new Set(['order', 'inventory', 'payment', 'shipping'])

type Start = () => readonly [string, Runner]

const components = (deps: SystemDeps, definitions: Definitions, passedOver: PassedOver): Start[] => {
  const { codec, flow } = deps
  const start =
    <S>(component: Component<S>): Start =>
    () => [component.name, runComponent(component, taskDeps(deps, definitions, component.name))]
  const all = new Map<string, Start>([
    ['order', start(orderComponent(flow))],
    ['inventory', start(inventoryComponent(flow))],
    ['payment', start(paymentComponent(flow))],
    ['shipping', start(shippingComponent(flow))]
  ])
  if (flow === 'orchestration') {
    const orchestrator = orchestratorComponent(definitions, codec, factsOf(definitions), passedOver)
    all.set('orchestrator', start(unheardToldBy(orchestrator, deps, definitions)))
  }
  return [...all].filter(([name]) => deps.roles === undefined || deps.roles.includes(name)).map(([, run]) => run)
}

const unheardToldBy = (
  orchestrator: ReturnType<typeof orchestratorComponent>,
  { unheard }: SystemDeps,
  definitions: Definitions
): typeof orchestrator =>
  unheard === undefined
    ? orchestrator
    : tellingUnheard(orchestrator, { definitions, participants: factsOf(definitions), unheard })

/** Only a component of this runtime journals how far it has read. */
const factsOf = (definitions: Definitions): ParticipantFacts => ({
  reads: () => readsOf(definitions.contracts),
  tellsReading: (wanted) =>
    definitions.contracts.all.some(({ inbox, participant }) => inbox === wanted && hostedParticipants.has(participant)),
  groupOf: (wanted) => definitions.contracts.all.find(({ inbox }) => inbox === wanted)?.group
})

/** The journals of all participants. */
const readsOf = (contracts: Contracts): JournalRead[] =>
  contracts.all.map(({ participant, events }) => ({
    topic: events,
    isPartitionedByKey: hostedParticipants.has(participant)
  }))

/** It reads the journals of participants that come later, too. */
const renewOrchestrator = (runners: ReadonlyMap<string, Runner>, definitions: Definitions): void => {
  const journalsOf = (contracts: Contracts): string =>
    readsOf(contracts)
      .map(({ topic }) => topic)
      .sort()
      .join(' ')
  let read = journalsOf(definitions.contracts)
  definitions.onContracts(() => {
    const wanted = journalsOf(definitions.contracts)
    if (wanted !== read) runners.get('orchestrator')?.renew()
    read = wanted
  })
  definitions.onFound(() => runners.get('orchestrator')?.renew())
}

const taskDeps = (deps: SystemDeps, definitions: Definitions, component: string): TaskDeps => ({
  log: deps.log,
  codec: deps.codec,
  clock: deps.clock,
  owner: deps.owner,
  onFailure: deps.onFailure,
  onPoison: deps.onPoison,
  fullNameOf: fullNames(deps.contracts, component),
  recordsOf: (topic) => definitions.contracts.ofTopic(topic)?.records,
  ...(deps.onTooLarge === undefined ? {} : { onTooLarge: deps.onTooLarge }),
  ...(deps.onGroupUntold === undefined ? {} : { onGroupUntold: deps.onGroupUntold }),
  ...(deps.onAhead === undefined ? {} : { onAhead: deps.onAhead }),
  ...(deps.onHeldUp === undefined ? {} : { onHeldUp: deps.onHeldUp }),
  ...(deps.learn === undefined ? {} : { learn: deps.learn }),
  ...(deps.taskLimits === undefined ? {} : { limits: deps.taskLimits }),
  ...(deps.living === undefined ? {} : { living: deps.living })
})

/** A participant writes the records of its own contract, the orchestrator its own; what a saga emits has its name. */
const fullNames = (contracts: Contracts, component: string): ((type: string) => string) => {
  const contract = contracts.participant(component)
  const records = 'found' in contract ? contract.found.records : sagaProtocol.records
  return (type) => {
    const own = records.get(type)
    if (own !== undefined) return own.fullName
    throw new TypeError(`'${component}' has decided an event '${type}' that its contract does not name`)
  }
}
