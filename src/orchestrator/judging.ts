import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import type { Contracts } from '../contract/index.ts'
import { loadSaga } from '../saga/index.ts'
import type { DefinitionPublished } from './definition-events.ts'

/** A saga as somebody has saved it, valid or not; `source` is named in errors. */
export type SagaText = Pick<DefinitionPublished, 'source' | 'yaml'>

export type Judging = {
  /** Of what runs in other processes. */
  readonly hasInstances?: (revision: DefinitionPublished) => boolean
  /**
   * Saved together with the contracts: where a revision in force does not fit these, the saga of its name may take its
   * place. Asked for only then.
   */
  readonly sagas?: () => readonly SagaText[]
  /** The participant that is to go; without it, a contract changes. */
  readonly withdrawn?: string
}

/** The sagas that fit these contracts, by name; a name that two of them have is none. */
export const fitting = (
  sagas: readonly SagaText[],
  contracts: Contracts
): ReadonlyMap<string, DefinitionPublished | undefined> => {
  const found = new Map<string, DefinitionPublished | undefined>()
  for (const { source, yaml } of sagas) {
    try {
      const { name, revision } = loadSaga({ path: source, text: yaml }, contracts)
      found.set(name, found.has(name) ? undefined : { saga: name, revision, source, yaml, retired: false })
    } catch (error) {
      if (!isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) throw error
    }
  }
  return found
}

/** `saga`: another revision has to be published first. `instances`: it is over by itself when they have ended. */
type WaitsFor = 'saga' | 'instances'

type Needing = {
  readonly isInForce: boolean
  /** What is in force could be replaced, but for its instances. */
  readonly isReplaced: boolean
  readonly withdrawn: string | undefined
}

export const inUse = (
  { saga, revision }: DefinitionPublished,
  { isInForce, isReplaced, withdrawn }: Needing,
  cause: unknown
): ParcomoloError => {
  const waitsFor: WaitsFor = isInForce && !isReplaced ? 'saga' : 'instances'
  const why = waitsFor === 'saga' ? 'which is in force' : 'on which instances still run'
  const loss =
    cause instanceof Error ? `would no longer load: ${cause.message}` : `would send otherwise: ${String(cause)}`
  const text =
    withdrawn === undefined
      ? `saga '${saga}' needs what this contract changes: revision '${revision}', ${why}, ${loss}; ` +
        `expected a contract that has all of it; ${changeCures[waitsFor]}`
      : `saga '${saga}' needs participant '${withdrawn}', which is to go: revision '${revision}', ${why}, ${loss}; ` +
        `expected a participant that nothing needs; ${withdrawalCures[waitsFor]}`
  return new ParcomoloError('PARCOMOLO_CONTRACT_IN_USE', text, { details: { saga, revision, waitsFor }, cause })
}

const changeCures: Record<WaitsFor, string> = {
  saga: 'publish a saga that does without, and the contract is taken',
  instances: 'the contract is taken when they have ended'
}

const withdrawalCures: Record<WaitsFor, string> = {
  saga: 'put it back, or publish a saga that does without',
  instances: 'put it back, or let it be: it goes when they have ended'
}

/** Whether time alone ends what an error tells of, so that it is worth another look. */
export const waitsForInstances = (error: unknown): boolean =>
  isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE') && error.details['waitsFor'] === 'instances'
