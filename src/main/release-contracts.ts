import type { Application } from '../application/index.ts'
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
import { type DefinitionPublished, Definitions, openPublisher, type SagaText } from '../orchestrator/index.ts'
import type { Registry } from '../registry/index.ts'
import { definitionsTopicSpec, ownRecordsOf, type System } from './system.ts'

export type ReleaseContracts = {
  readonly contracts: Contracts
  /** The services whose contract is not what the file says, since a saga needs what that takes away. */
  readonly held: ReadonlySet<string>
  /** The next start judges what it finds against these: those that the services have got in the end. */
  readonly note: (codec: Codec, contracts: Contracts) => Promise<void>
}

export type ReleaseDeps = {
  readonly application: Application
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
 * instances needs what such a file no longer has; then as they were.
 *
 * Where no revision loses anything, as is the rule, nothing is run. Otherwise the orchestrator is recovered first, with
 * the contracts of before. No service runs meanwhile: it would write by a contract that it was not built for.
 */
export const judgeRelease = async (deps: ReleaseDeps): Promise<ReleaseContracts> => {
  const { contracts, log, clock } = deps
  const { before, isAnyLost } = await lastStart(deps)
  const note = async (codec: Codec, used: Contracts): Promise<void> => {
    if (before !== undefined && used.all.every((contract) => !isOther(contract, before))) return
    await (await openPublisher(log, codec, clock)).publishRelease(used.all)
  }
  if (before === undefined || !isAnyLost) return { contracts, held: new Set(), note }
  const { system, codec } = await deps.run(before)
  const sagas = await deps.sagas()
  let verdict: Verdict
  try {
    verdict = verdictOn(contracts, sagas, system.definitions)
  } finally {
    // What is published now may take the place of what would begin something meanwhile.
    await system.stop()
  }
  const { inForce, held, instead } = verdict
  if (instead.length > 0) await (await openPublisher(log, codec, clock)).publishTogether([], instead, inForce)
  const used = contracts.all.map((contract) => held.get(contract.participant) ?? contract)
  return { contracts: contractSet(used), held: new Set(held.keys()), note }
}

/** What the services had at the last start, undefined before the first, and whether a revision loses by a change. */
const lastStart = async (
  deps: ReleaseDeps
): Promise<{ readonly before: Contracts | undefined; readonly isAnyLost: boolean }> => {
  const { application, log, registry, contracts } = deps
  const codec = await registerContracts(registry, [], ownRecordsOf(application))
  await log.ensureTopics([definitionsTopicSpec])
  const now = await publishedBeside(contracts, codec, deps)
  const before = now.release
  if (before === undefined || contracts.all.every((contract) => !isOther(contract, before)))
    return { before, isAnyLost: false }
  return { before, isAnyLost: (await publishedBeside(before, codec, deps)).isAnyLost(now.contracts) }
}

const publishedBeside = async (
  contracts: Contracts,
  codec: Codec,
  { log, registry, clock }: ReleaseDeps
): Promise<Definitions> => {
  const definitions = await Definitions.follow({
    ...{ log, codec, contracts, clock, learn: (values) => learnSchemas(codec, registry, values) },
    // Whoever works with them tells of it.
    onError: () => undefined
  })
  definitions.close()
  return definitions
}

const isOther = (contract: Contract, before: Contracts): boolean => {
  const known = before.participant(contract.participant)
  return !('found' in known && contractsAgree(known.found, contract))
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
  const changed = wanted.all.filter((contract) => isOther(contract, kept))
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
