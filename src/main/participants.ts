import type { Application } from '../application/index.ts'
import { ParcomoloError } from '../base/index.ts'
import {
  adoptContract,
  type Codec,
  type Contract,
  type Contracts,
  contractsAgree,
  contractSet,
  readContract
} from '../contract/index.ts'
import type { RunningPort } from '../operator/index.ts'
import type { Definitions, Publisher } from '../orchestrator/index.ts'
import type { Registry } from '../registry/index.ts'
import { isHosted } from './system.ts'

export type ParticipantsDeps = {
  readonly application: Application
  readonly registry: Registry
  readonly codec: Codec
  readonly definitions: Definitions
  readonly publisher: Publisher
  /** What runs in all processes; where it is not given, what runs in this one. */
  readonly running?: Pick<RunningPort, 'count'>
}

/** A participant as somebody has written it; `source` is named in errors. */
export type ParticipantText = { readonly name: string; readonly source: string; readonly yaml: string }

export type Participants = {
  /**
   * Makes all processes know a participant, or a new version of its contract. Resolves with the contract when this
   * process has it. Nothing is published where it is in force already, or refused: by PARCOMOLO_CONTRACT_INVALID,
   * PARCOMOLO_CONTRACT_CONFLICT, PARCOMOLO_CONTRACT_IN_USE where a saga in force or with instances needs what it takes
   * away, PARCOMOLO_REGISTRY_INCOMPATIBLE, or PARCOMOLO_MAIN_PARTICIPANT_OF_RELEASE (retryable).
   */
  accept(participant: ParticipantText): Promise<Contract>
  /** It is no longer there for sagas that are published from now on; what runs goes on. */
  withdraw(name: string): Promise<void>
}

/** How participants come and go while processes run. */
export const participantsOf = ({
  application,
  registry,
  codec,
  definitions,
  publisher,
  running
}: ParticipantsDeps): Participants => {
  /** Asks only where there may be instances of which this process does not know, so that a first start needs nobody. */
  const judge = async (contracts: Contracts): Promise<void> => {
    await definitions.caughtUp()
    const counts = running !== undefined && definitions.hasOlder ? await running.count() : []
    const busy = new Set(counts.filter(({ count }) => count > 0).map(({ saga, revision }) => `${saga}@${revision}`))
    definitions.judge(contracts, ({ saga, revision }) => busy.has(`${saga}@${revision}`))
  }
  const publish = async ({ name, source, yaml }: ParticipantText, withdrawn: boolean): Promise<void> => {
    await publisher.publishParticipant({ participant: name, source, yaml, withdrawn })
    await definitions.caughtUp()
  }
  return {
    accept: async (participant) => {
      const { name, source, yaml } = participant
      const contract = readContract({ path: source, text: yaml })
      const { contracts } = definitions
      const known = contracts.participant(name)
      const isInForce = 'found' in known && contractsAgree(known.found, contract)
      // What a service of this release says goes with the release; any other is kept where each start finds it again.
      if (isInForce && (isHosted(application, name) || definitions.isPublished(name))) return contract
      if (isHosted(application, name)) throw ofRelease(name)
      const others = contracts.all.filter((other) => other.participant !== name)
      checkBeside(others, contract)
      await judge(contractSet([...others, contract]))
      await adoptContract(registry, codec, contract)
      // Whoever reads both in this order would take the first for right.
      for (const other of definitions.outvotedBy(contract)) await publish({ name: other, source: '', yaml: '' }, true)
      await publish(participant, false)
      return contract
    },
    withdraw: async (name) => {
      if (definitions.isPublished(name)) await publish({ name, source: '', yaml: '' }, true)
    }
  }
}

/** Throws PARCOMOLO_CONTRACT_CONFLICT; a new name for one that is in force is told as what it is. */
const checkBeside = (others: readonly Contract[], contract: Contract): void => {
  const renamed = others.find(
    ({ namespace, inbox, events }) =>
      namespace === contract.namespace && inbox === contract.inbox && events === contract.events
  )
  if (renamed === undefined) return void contractSet([...others, contract])
  const [before, after] = [renamed.participant, contract.participant]
  throw new ParcomoloError(
    'PARCOMOLO_CONTRACT_CONFLICT',
    `participant '${after}' has namespace, inbox and events topic of participant '${before}', which is in force; ` +
      `expected a participant to keep its name while Parcomolo runs; name it '${before}' again, or take away what ` +
      `'${before}' came from: its file, and start every process again, or on Kubernetes its Participant`
  )
}

const ofRelease = (name: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_PARTICIPANT_OF_RELEASE',
    `the contract of '${name}' is not the one that this release was built with; expected that of its ` +
      `sagas/participants/${name}.yaml, since its service is part of the release; roll out the release that has this contract`,
    { retryable: true }
  )
