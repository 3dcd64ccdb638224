import { type Application, type Service, serviceOf } from '../application/index.ts'
import { type Clock, isParcomoloError, ParcomoloError } from '../base/index.ts'
import { type Codec, type Contract, type Contracts, contractSet, type RecordType } from '../contract/index.ts'
import {
  CallCounts,
  callsTopic,
  Courier,
  courierProtocol,
  courierSubject,
  type CourierDeps,
  postsTopic
} from '../courier/index.ts'
import type { Log, TopicSpec } from '../log/index.ts'
import {
  definitionProtocol,
  Definitions,
  definitionsTopic,
  orchestratorComponent,
  PassedOver,
  type ParticipantFacts,
  handOverProtocol,
  orchestratorInbox,
  sagaJournal,
  sagaProtocol,
  tellingUnheard,
  type Unheard
} from '../orchestrator/index.ts'
import {
  deadLetterTopic,
  markerProtocol,
  type Runner,
  type TaskDeps,
  type TaskLimits,
  topicsOf
} from '../task/index.ts'

export type SystemDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly contracts: Contracts
  readonly clock: Clock
  readonly application: Application
  /** Partitions of every journal and inbox but those of services with a number of their own. */
  readonly partitions: number
  /** Which components run here; all that there are if undefined. */
  readonly roles?: readonly string[]
  /** Named in the markers of journals. */
  readonly owner: string
  /** How participants that speak HTTP are called; without it, nobody does so here. */
  readonly courier?: Pick<CourierDeps, 'client' | 'headers' | 'by' | 'random' | 'onTrouble' | 'onStopped'> | undefined
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
  readonly calls: CallCounts
  stop(): Promise<void>
}

/** Those that only components of this runtime write. */
export const journalsOf = ({ services }: Application): readonly string[] => [
  ...services.map(({ journal }) => journal),
  sagaJournal
]

/** Records on topics that no participant's contract names. */
export const ownRecordsOf = (application: Application): readonly OwnRecords[] => [
  { topic: sagaJournal, records: [...sagaProtocol.records.values(), ...handOverProtocol.records.values()] },
  { topic: orchestratorInbox, records: [...handOverProtocol.records.values()] },
  { topic: definitionsTopic, records: [...definitionProtocol.records.values()] },
  { topic: courierSubject, records: [...courierProtocol.records.values()] },
  ...journalsOf(application).map((topic) => ({ topic, records: [...markerProtocol.records.values()] }))
]

type OwnRecords = { readonly topic: string; readonly records: RecordType[] }

/**
 * Runs the application's components and the orchestrator on a log whose adapter only the caller knows. Resolves when
 * each has its tasks at work.
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
      await ensureTopicsOf(contract, deps)
    }
  })
  const passedOver = new PassedOver({
    onFailed: deps.onKeyFailed ?? deps.onDefinitionError,
    onUsed: deps.onKeyUsed ?? (() => undefined)
  })
  const runners = new Map<string, Runner>()
  const calls = new CallCounts()
  let courier: Courier | undefined
  const stop = async (): Promise<void> => {
    definitions.close()
    await Promise.all([courier?.stop(), ...[...runners.values()].map((runner) => runner.stop())])
  }
  try {
    for (const start of components(deps, definitions, passedOver)) runners.set(...start())
    renewOrchestrator(runners, definitions)
    log.onGrown?.(() => runners.get('orchestrator')?.renew())
    await Promise.all([...runners.values()].map(({ ready }) => ready))
    courier = followCourier(deps, definitions, { runners, counts: calls })
  } catch (error) {
    await stop()
    throw error
  }
  let stopped: Promise<void> | undefined
  return { runners, definitions, passedOver, calls, stop: () => (stopped ??= stop()) }
}

/**
 * Makes all topics. A participant that runs elsewhere, and whose topics are not as they have to be, concerns nobody
 * else: it is told and left out.
 */
const withTopics = async (deps: SystemDeps): Promise<Contracts> => {
  const { log, contracts, onDefinitionError } = deps
  try {
    await log.ensureTopics(systemTopics(contracts, deps))
    return contracts
  } catch (error) {
    const usable: Contract[] = []
    for (const contract of contracts.all) {
      const fault = await topicFault(contract, deps)
      if (fault === undefined) usable.push(contract)
      else onDefinitionError(fault)
    }
    if (usable.length === contracts.all.length) throw error
    await log.ensureTopics(systemTopics(contractSet(usable), deps))
    return contractSet(usable)
  }
}

/** Rejects where the topics of a participant are not as they have to be. */
export const ensureTopicsOf = async (
  contract: Contract,
  deps: Installation & Pick<SystemDeps, 'log'>
): Promise<void> => {
  const fault = await topicFault(contract, deps)
  if (fault !== undefined) throw fault
}

/** Undefined where its topics are as they have to be. Rejects where there is no going on without it. */
const topicFault = async (
  contract: Contract,
  deps: Installation & Pick<SystemDeps, 'log'>
): Promise<ParcomoloError | undefined> => {
  const { participant } = contract
  try {
    await deps.log.ensureTopics(participantTopics(contract, deps))
    return undefined
  } catch (error) {
    if (!isParcomoloError(error) || error.retryable || isHosted(deps.application, participant)) throw error
    const message = `participant '${participant}' is left out until its topics are mended: ${error.message}`
    return new ParcomoloError(error.code, message, { details: error.details, cause: error })
  }
}

/** What the topics of an installation follow from. */
type Installation = Pick<SystemDeps, 'application' | 'partitions'>

export const definitionsTopicSpec: TopicSpec = { topic: definitionsTopic, partitions: 1, cleanup: 'compact' }

/** Every topic that the components and the orchestrator write or are written to. */
export const systemTopics = (contracts: Contracts, installation: Installation): TopicSpec[] => {
  return [
    ...contracts.all.flatMap((contract) => participantTopics(contract, installation)),
    ...orchestratorTopics(installation.partitions),
    definitionsTopicSpec,
    { topic: callsTopic, partitions: installation.partitions, cleanup: 'delete', retention: 'forever' },
    deadLetterTopic
  ]
}

/** What begins in its own inbox may be put off there for as long as its participants are away. */
const orchestratorTopics = (partitions: number): TopicSpec[] =>
  topicsOf({ name: 'orchestrator', journal: sagaJournal, inbox: orchestratorInbox }, partitions).map((spec) =>
    spec.topic === orchestratorInbox ? { ...spec, retention: 'forever' } : spec
  )

const participantTopics = (
  { participant, inbox, events, http }: Contract,
  { application, partitions }: Installation
): TopicSpec[] => {
  const service = serviceNamed(application, participant)
  const specs = topicsOf({ name: participant, journal: events, inbox }, service?.partitions ?? partitions)
  if (service !== undefined) return specs
  if (http !== undefined) return [...specs, { topic: postsTopic(participant), partitions, cleanup: 'delete' }]
  return specs.map((spec) => ofOthers(spec, events, inbox))
}

/** Others may add partitions to their topics: events are read wherever they stand, commands stay where they were. */
const ofOthers = (spec: TopicSpec, events: string, inbox: string): TopicSpec => {
  if (spec.topic === events) return { ...spec, morePartitions: 'read' }
  return spec.topic === inbox ? { ...spec, morePartitions: 'unused' } : spec
}

const serviceNamed = ({ services }: Application, wanted: string): Service | undefined =>
  services.find(({ name }) => name === wanted)

/** Whether this participant is a service of the application: its component alone writes to its events topic. */
export const isHosted = (application: Application, participant: string): boolean =>
  serviceNamed(application, participant) !== undefined

/** Whether a component of this runtime writes this participant's events: its own, or the courier's. */
export const tellsReading = (application: Application, { participant, http }: Contract): boolean =>
  http !== undefined || isHosted(application, participant)

type Start = () => readonly [string, Runner]

const components = (deps: SystemDeps, definitions: Definitions, passedOver: PassedOver): Start[] => {
  const { codec, application, roles } = deps
  const all = [...application.services]
  if (application.runsSagas) {
    const orchestrator = orchestratorComponent(definitions, codec, factsOf(deps, definitions), passedOver)
    all.push(serviceOf(unheardToldBy(orchestrator, deps, definitions)))
  }
  return all
    .filter(({ name }) => roles === undefined || roles.includes(name))
    .map(
      ({ name, run }) =>
        () =>
          [name, run(taskDeps(deps, definitions, name))] as const
    )
}

const unheardToldBy = (
  orchestrator: ReturnType<typeof orchestratorComponent>,
  deps: SystemDeps,
  definitions: Definitions
): typeof orchestrator =>
  deps.unheard === undefined
    ? orchestrator
    : tellingUnheard(orchestrator, { definitions, participants: factsOf(deps, definitions), unheard: deps.unheard })

/** Only a component of this runtime journals how far it has read. */
const factsOf = ({ application }: SystemDeps, definitions: Definitions): ParticipantFacts => ({
  reads: () => readsOf(application, definitions.contracts),
  tellsReading: (wanted) =>
    definitions.contracts.all.some((it) => it.inbox === wanted && tellsReading(application, it)),
  groupOf: (wanted) => definitions.contracts.all.find(({ inbox }) => inbox === wanted)?.group
})

/** The journals of all participants. */
const readsOf = (application: Application, contracts: Contracts): ReturnType<ParticipantFacts['reads']> =>
  contracts.all.map((it) => ({
    topic: it.events,
    isPartitionedByKey: tellsReading(application, it),
    isForeign: !isHosted(application, it.participant)
  }))

/** Participants come and go while it runs. */
const followCourier = (
  deps: SystemDeps,
  definitions: Definitions,
  own: Pick<CourierDeps, 'runners' | 'counts'>
): Courier | undefined => {
  const { log, codec, clock, courier: calling, roles } = deps
  if (calling === undefined || roles?.includes('courier') === false) return undefined
  const courier = new Courier({
    ...{ log, codec, clock, ...calling, ...own },
    contracts: () =>
      definitions.contracts.all.filter((it) => it.http !== undefined && !isHosted(deps.application, it.participant)),
    taskDeps: (participant) => taskDeps(deps, definitions, participant)
  })
  courier.follow()
  definitions.onContracts(() => courier.follow())
  return courier
}

/** It reads the journals of participants that come later, too, and other partitions of those that change their way. */
const renewOrchestrator = (runners: ReadonlyMap<string, Runner>, definitions: Definitions): void => {
  const topicsRead = (): string =>
    definitions.contracts.all
      .map(({ events, http }) => `${events}${http === undefined ? '' : ' by the courier'}`)
      .sort()
      .join(' ')
  let read = topicsRead()
  definitions.onContracts(() => {
    const wanted = topicsRead()
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
