import { type Clock, isParcomoloError } from '../base/index.ts'
import {
  type Codec,
  type Contract,
  type Contracts,
  contractsAgree,
  contractSet,
  learnSchemas,
  registerContracts
} from '../contract/index.ts'
import type { Log } from '../log/index.ts'
import {
  type DefinitionPublished,
  Definitions,
  openPublisher,
  type SagaText,
  withEarlier
} from '../orchestrator/index.ts'
import type { Registry } from '../registry/index.ts'
import { definitionsTopicSpec, hostedParticipants, ownRecords, type System } from './system.ts'

export type ReleaseContracts = {
  readonly contracts: Contracts
  /** The services whose contract is not what the file says, since a saga needs what that takes away. */
  readonly held: ReadonlySet<string>
}

export type ReleaseDeps = {
  readonly log: Log
  readonly registry: Registry
  /** As the files say. */
  readonly contracts: Contracts
  /** Those that this start is going to publish. */
  readonly sagas: () => Promise<readonly SagaText[]>
  readonly clock: Clock
  /** Runs the orchestrator alone, which knows what instances there are. */
  readonly run: (contracts: Contracts) => Promise<{ readonly system: System; readonly codec: Codec }>
}

/**
 * The contracts that the services of this release start with: as their files say, unless a saga in force or with
 * instances needs what such a file no longer has; then with that.
 *
 * As a rule no revision that was ever published lacks anything, and nothing is run. Otherwise the orchestrator is
 * recovered first, with all that may be needed. No service runs meanwhile: it would write by a contract that it may not
 * have been built for.
 */
export const judgeRelease = async (deps: ReleaseDeps): Promise<ReleaseContracts> => {
  const { contracts, log, clock } = deps
  const kept = keptBeside(await publishedIn(deps), contracts)
  if (kept === contracts) return { contracts, held: new Set() }
  const { system, codec } = await deps.run(kept)
  const sagas = await deps.sagas()
  let verdict: Verdict
  try {
    verdict = verdictOn(contracts, sagas, system.definitions)
  } finally {
    // What is published now may take the place of what would begin something meanwhile.
    await system.stop()
  }
  const { inForce, held, instead } = verdict
  if (instead.length > 0) {
    const publisher = await openPublisher(log, codec, clock)
    await publisher.publishTogether([], instead, inForce)
  }
  const used = contracts.all.map((contract) => held.get(contract.participant) ?? contract)
  return { contracts: contractSet(used), held: new Set(held.keys()) }
}

const publishedIn = async ({
  log,
  registry,
  contracts,
  clock
}: ReleaseDeps): Promise<readonly DefinitionPublished[]> => {
  const codec = await registerContracts(registry, [], ownRecords)
  await log.ensureTopics([definitionsTopicSpec])
  const definitions = await Definitions.follow({
    ...{ log, codec, contracts, clock, learn: (values) => learnSchemas(codec, registry, values) },
    // Whoever works with them tells of it.
    onError: () => undefined
  })
  definitions.close()
  return definitions.all()
}

/** The same where nothing is missing, or what is missing cannot be had beside what there is now. */
const keptBeside = (revisions: readonly DefinitionPublished[], contracts: Contracts): Contracts => {
  try {
    return withEarlier(revisions, contracts, hostedParticipants)
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_CONFLICT')) return contracts
    throw error
  }
}

type Verdict = {
  readonly inForce: Contracts
  /** By participant: what it keeps. */
  readonly held: ReadonlyMap<string, Contract>
  /** The sagas that have to be in force with these contracts. */
  readonly instead: readonly DefinitionPublished[]
}

/** All that has changed, or else each contract that can be taken with those before it. */
const verdictOn = (wanted: Contracts, sagas: readonly SagaText[], definitions: Definitions): Verdict => {
  const kept = definitions.contracts
  const changed = wanted.all.filter((contract) => {
    const now = kept.participant(contract.participant)
    return 'found' in now && !contractsAgree(now.found, contract)
  })
  const held = new Map<string, Contract>()
  let verdict: Omit<Verdict, 'held'> = { inForce: kept, instead: [] }
  const isTaken = (contracts: readonly Contract[]): boolean => {
    const next = judged(verdict.inForce, contracts, { sagas, definitions })
    verdict = next ?? verdict
    return next !== undefined
  }
  if (!isTaken(changed)) {
    for (const contract of changed) {
      const before = kept.participant(contract.participant)
      if (!isTaken([contract]) && 'found' in before) held.set(contract.participant, before.found)
    }
  }
  return { ...verdict, held }
}

/** Undefined where they cannot be taken. */
const judged = (
  contracts: Contracts,
  instead: readonly Contract[],
  { sagas, definitions }: { readonly sagas: readonly SagaText[]; readonly definitions: Definitions }
): Omit<Verdict, 'held'> | undefined => {
  const names = new Set(instead.map(({ participant }) => participant))
  try {
    const inForce = contractSet([...contracts.all.filter(({ participant }) => !names.has(participant)), ...instead])
    return { inForce, instead: definitions.judge(inForce, { sagas: () => sagas }) }
  } catch (error) {
    const isRefused = (['PARCOMOLO_CONTRACT_IN_USE', 'PARCOMOLO_CONTRACT_CONFLICT'] as const).some((code) =>
      isParcomoloError(error, code)
    )
    if (isRefused) return undefined
    throw error
  }
}
