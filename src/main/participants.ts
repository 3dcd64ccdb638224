import type { Application } from '../application/index.ts'
import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import {
  adoptContract,
  type Codec,
  type Contract,
  type Contracts,
  contractsAgree,
  contractSet,
  readContract
} from '../contract/index.ts'
import type { Beside, ParticipantText, RunningPort } from '../operator/index.ts'
import type { DefinitionPublished, Definitions, Judging, Publisher } from '../orchestrator/index.ts'
import type { Registry } from '../registry/index.ts'
import type { Participants, Taken } from '../operator/files/index.ts'
import { isHosted } from './system.ts'

export type ParticipantsDeps = {
  readonly application: Application
  readonly registry: Registry
  readonly codec: Codec
  readonly definitions: Definitions
  readonly publisher: Publisher
  /** What runs in all processes; where it is not given, what runs in this one. */
  readonly running?: Pick<RunningPort, 'count'>
  /** Makes the topics of a participant. Rejects where they are there already, and not as they have to be. */
  readonly ensureTopics?: (contract: Contract) => Promise<void>
  /** The services of this release whose file was not taken at the start, since a saga needs what it takes away. */
  readonly held?: ReadonlySet<string>
}

/** How participants come and go while processes run. */
export const participantsOf = (deps: ParticipantsDeps): Participants => new OfAllProcesses(deps)

/** One that is wanted, and is not in force. */
type Wanted = ParticipantText & { readonly contract: Contract }

class OfAllProcesses implements Participants {
  readonly #deps: ParticipantsDeps

  constructor(deps: ParticipantsDeps) {
    this.#deps = deps
  }

  async accept(participant: ParticipantText, { sagas, participants }: Beside = nothing): Promise<Taken> {
    const wanted = this.#wanted(participant)
    if (wanted === undefined) return { isNew: false, sagas: [] }
    if (isHosted(this.#deps.application, wanted.name)) throw await this.#objectionTo(wanted, sagas)
    try {
      return await this.#take([wanted], sagas)
    } catch (error) {
      if (!isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE')) throw error
      const others = participants()
        .filter(({ name }) => name !== wanted.name)
        .flatMap((it) => this.#sound(it))
      if (others.length === 0) throw error
      return this.#take([wanted, ...others], sagas).catch((reason: unknown) => {
        throw isParcomoloError(reason) && reason.retryable ? reason : error
      })
    }
  }

  async withdraw(name: string): Promise<void> {
    const { definitions, publisher } = this.#deps
    if (!definitions.isPublished(name)) return
    await this.#judge(definitions.without(name), { withdrawn: name })
    await publisher.publishParticipant(withdrawalOf(name))
    await definitions.caughtUp()
  }

  /** Undefined where it is in force as it is. */
  #wanted(participant: ParticipantText): Wanted | undefined {
    const { name, source, yaml } = participant
    const { definitions } = this.#deps
    const contract = readContract({ path: source, text: yaml }, this.#deps.application.reserved)
    const known = definitions.contracts.participant(name)
    const isInForce = 'found' in known && contractsAgree(known.found, contract)
    // What a service of this release says goes with the release; any other is kept where each start finds it again.
    if (isInForce && (isHosted(this.#deps.application, name) || definitions.isPublished(name))) return undefined
    return { ...participant, contract }
  }

  /** Whoever comes to know that it was held at the start needs to know why; the next start judges it again. */
  async #objectionTo({ name, contract }: Wanted, sagas: Beside['sagas']): Promise<unknown> {
    const { definitions, held } = this.#deps
    if (held?.has(name) !== true) return ofRelease(name)
    try {
      const others = definitions.contracts.all.filter(({ participant }) => participant !== name)
      await this.#judge(contractsOf(others, [contract]), { sagas })
      return ofRelease(name)
    } catch (error) {
      return isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE') ? atNextStart(error) : error
    }
  }

  /** Those beside the one that is asked for have their own turn, in which their faults are told. */
  #sound(participant: ParticipantText): Wanted[] {
    try {
      const wanted = this.#wanted(participant)
      return wanted === undefined || isHosted(this.#deps.application, wanted.name) ? [] : [wanted]
    } catch (error) {
      if (isParcomoloError(error)) return []
      throw error
    }
  }

  async #take(wanted: readonly Wanted[], sagas: Beside['sagas']): Promise<Taken> {
    const { registry, codec, definitions, publisher, ensureTopics } = this.#deps
    await definitions.caughtUp()
    const names = new Set(wanted.map(({ name }) => name))
    const others = definitions.contracts.all.filter(({ participant }) => !names.has(participant))
    const own = wanted.map(({ contract }) => contract)
    const contracts = contractsOf(others, own)
    const instead = await this.#judge(contracts, { sagas })
    for (const contract of own) await ensureTopics?.(contract)
    await adoptContract(registry, codec, ...own)
    // Whoever reads both in this order would take the first for right.
    const outvoted = new Set(own.flatMap((contract) => definitions.outvotedBy(contract)))
    const gone = [...outvoted].filter((name) => !names.has(name)).map(withdrawalOf)
    const here = wanted.map(({ name, source, yaml }) => ({ participant: name, source, yaml, withdrawn: false }))
    await publisher.publishTogether([...gone, ...here], instead, contracts)
    await definitions.caughtUp()
    // What a process cannot take in, it tells by itself.
    return { isNew: wanted.every((one) => this.#wanted(one) === undefined), sagas: instead }
  }

  /**
   * Gives the sagas that have to come into force with these contracts. What runs elsewhere is asked for only where that
   * matters, so that a first start needs nobody.
   */
  async #judge(contracts: Contracts, judging: Judging): Promise<readonly DefinitionPublished[]> {
    const { definitions, running } = this.#deps
    await definitions.caughtUp()
    const instead = definitions.judge(contracts, judging)
    if (running === undefined || (!definitions.hasOlder && instead.length === 0)) return instead
    const busy = new Set<string>()
    for (const { saga, revision, count } of await running.count()) if (count > 0) busy.add(`${saga}@${revision}`)
    return definitions.judge(contracts, {
      ...judging,
      hasInstances: ({ saga, revision }) => busy.has(`${saga}@${revision}`)
    })
  }
}

const nothing: Beside = { sagas: () => [], participants: () => [] }

const withdrawalOf = (name: string) => ({ participant: name, source: '', yaml: '', withdrawn: true })

/** Throws PARCOMOLO_CONTRACT_CONFLICT; a new name for one that is in force is told as what it is. */
const contractsOf = (others: readonly Contract[], wanted: readonly Contract[]): Contracts => {
  for (const contract of wanted) {
    const renamed = others.find(
      ({ namespace, inbox, events }) =>
        namespace === contract.namespace && inbox === contract.inbox && events === contract.events
    )
    if (renamed !== undefined) throw renamedWhileInForce(renamed.participant, contract.participant)
  }
  return contractSet([...others, ...wanted])
}

const renamedWhileInForce = (before: string, after: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_CONTRACT_CONFLICT',
    `participant '${after}' has namespace, inbox and events topic of participant '${before}', which is in force; ` +
      `expected a participant to keep its name while sagas need it; name it '${before}' again, or take away what ` +
      `'${before}' came from: its file, or on Kubernetes its Participant`
  )

const atNextStart = ({ code, message, details, cause }: ParcomoloError): ParcomoloError =>
  new ParcomoloError(code, `${message}, at the next start`, { details, cause })

const ofRelease = (name: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_MAIN_PARTICIPANT_OF_RELEASE',
    `the contract of '${name}' is not the one that this release was built with; expected that of its ` +
      `sagas/participants/${name}.yaml, since its service is part of the release; roll out the release that has this contract`,
    { retryable: true }
  )
