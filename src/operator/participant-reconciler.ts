import { isParcomoloError, type ParcomoloError } from '../base/index.ts'
import { conditionOf, type Standing } from './conditions.ts'
import { finalizer, type ParticipantResource, participantNames, type SagaResource, sagaNames } from './crd/index.ts'
import { explain } from './explain.ts'
import type { Result } from './kube/index.ts'
import { type Use, usesOf } from './participant-uses.ts'
import type { ParticipantsPort, ParticipantText, PublishedSaga } from './ports.ts'
import { type Reason, reasons } from './reasons.ts'
import type { ResourceClient } from './resource-client.ts'
import { sourceOf, yamlOf } from './resource-yaml.ts'
import { participantStatus } from './status.ts'

export type ParticipantReconcilerDeps = {
  readonly client: ResourceClient<ParticipantResource>
  readonly namespace: string
  readonly participants: ParticipantsPort
  readonly sagas: () => readonly SagaResource[]
  /** A participant has come to stand otherwise than before, so sagas may too. */
  readonly onSettled: () => void
}

/** Holds a participant that is being deleted until no saga uses it. */
export const participantFinalizer = 'parcomolo.io/in-use'

/** Sagas say when they change, their instances do not say when they have ended. */
const lookMs = 10_000
/** So long a saga may need what a contract takes away: its own change may be on its way, in whatever order. */
const graceMs = 3_000

type Outcome = {
  readonly uid: string
  readonly generation: number
  /** `inUse`: refused for what a saga needs, which may change. */
  readonly kind: 'accepted' | 'refused' | 'failing' | 'inUse'
  readonly since: number
}

/**
 * Brings the contract of a Participant into force and keeps its status true.
 *
 * P1. A contract that is refused leaves the one in force as it is.
 * P2. A participant that a saga uses, or a revision needs that is in force or has instances, is not withdrawn, however
 *     its resource has gone.
 * P3. What was applied together is judged as a whole: the sagas as their resources say, and the participants that are
 *     refused as well.
 */
export class ParticipantReconciler {
  readonly #deps: ParticipantReconcilerDeps
  readonly #outcomes = new Map<string, Outcome>()
  /** Why those whose resources have gone are still there, as was told. */
  readonly #orphans = new Map<string, string>()

  constructor(deps: ParticipantReconcilerDeps) {
    this.#deps = deps
  }

  async reconcile(name: string): Promise<Result> {
    const participant = this.#deps.client.get(name)
    if (participant === undefined) return this.#withdrawOrphan(name)
    if (participant.metadata.deletionTimestamp !== undefined) return this.#letGo(participant)
    if (participant.status?.conditions === undefined) {
      await this.#setStatus(participant, { kind: 'pending' })
      return { requeueAfterMs: 0 }
    }
    return this.#bringIntoForce(await this.#withFinalizer(participant))
  }

  /** Also of those whose resource went while no operator was there. */
  names(): readonly string[] {
    const { client, participants } = this.#deps
    const resources = client.all().map(({ metadata }) => metadata.name)
    const ours = participants.published().filter(({ name, source }) => source === this.#sourceOf(name))
    return [...new Set([...resources, ...ours.map(({ name }) => name)])]
  }

  /** Those whose contracts may yet come into force: not tried so far, or held up by something outside. */
  pending(): readonly string[] {
    return this.#deps.client
      .all()
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .filter((participant) => ['failing', undefined].includes(this.#outcomeOf(participant)?.kind))
      .map(({ metadata }) => metadata.name)
  }

  /**
   * Those that are deleted and held for the sagas that use them, or refused: for what a saga needs, or perhaps for what
   * another one has.
   */
  waiting(which: readonly ('held' | 'inUse' | 'refused')[]): readonly string[] {
    return this.#deps.client
      .all()
      .filter((it) => {
        const state = it.metadata.deletionTimestamp === undefined ? this.#outcomeOf(it)?.kind : 'held'
        return which.some((wanted) => wanted === state)
      })
      .map(({ metadata }) => metadata.name)
  }

  async #withFinalizer(participant: ParticipantResource): Promise<ParticipantResource> {
    if (participant.metadata.finalizers?.includes(participantFinalizer) === true) return participant
    return this.#deps.client.setFinalizer(participant, participantFinalizer, true)
  }

  async #bringIntoForce(participant: ParticipantResource): Promise<Result> {
    const { client, participants } = this.#deps
    const wasAccepted = this.#outcomeOf(participant)?.kind === 'accepted'
    try {
      if (!wasAccepted) {
        client.mayAct()
        await participants.accept(this.#textOf(participant), {
          sagas: () => this.#sagas(),
          participants: () => this.#othersThan(participant)
        })
      }
    } catch (error) {
      return this.#refuse(participant, error)
    }
    const message = 'the contract is in force'
    await this.#setStatus(participant, { kind: 'ready', reason: reasons.accepted, message })
    if (!wasAccepted) this.#tellAccepted(participant)
    this.#settle(participant, 'accepted')
    return {}
  }

  /** What was in force already when the operator started is no news. */
  #tellAccepted(participant: ParticipantResource): void {
    const ready = conditionOf(participant.status?.conditions, 'Ready')
    if (ready?.status === 'True' && ready.observedGeneration === participant.metadata.generation) return
    this.#deps.client.tell(participant, 'Normal', {
      reason: reasons.accepted,
      action: 'Register',
      note: 'its schemas are registered and its contract is in force'
    })
  }

  async #refuse(participant: ParticipantResource, error: unknown): Promise<Result> {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE')) return this.#awaitUse(participant, error)
    const isForGood = isParcomoloError(error) && !error.retryable
    const standing: Standing = isForGood
      ? { kind: 'stalled', reason: reasonOf(error.code), message: explain(error) }
      : { kind: 'working', reason: reasons.failing, message: `it could not be registered: ${explain(error)}` }
    await this.#setStatus(participant, standing)
    this.#settle(participant, isForGood ? 'refused' : 'failing')
    if (!isForGood) throw error
    return {}
  }

  /** What instances need is over by itself; what is in force, where somebody changes it. */
  async #awaitUse(participant: ParticipantResource, error: ParcomoloError): Promise<Result> {
    const known = this.#outcomeOf(participant)
    const now = this.#deps.client.now()
    const since = known?.kind === 'inUse' ? known.since : now
    const leftMs = since + graceMs - now
    const message = explain(error)
    const isStalled = leftMs <= 0 && error.details['waitsFor'] === 'saga'
    await this.#setStatus(
      participant,
      isStalled
        ? { kind: 'stalled', reason: reasons.conflict, message }
        : { kind: 'working', reason: reasons.inUse, message }
    )
    this.#settle(participant, 'inUse', since)
    return { requeueAfterMs: leftMs > 0 ? leftMs : lookMs }
  }

  async #letGo(participant: ParticipantResource): Promise<Result> {
    if (participant.metadata.finalizers?.includes(participantFinalizer) !== true) return {}
    const { client, participants, sagas } = this.#deps
    const { name } = participant.metadata
    const uses = usesOf(name, sagas(), participants.contracts())
    if (uses.length > 0) return this.#hold(participant, usesText(uses))
    client.mayAct()
    try {
      await participants.withdraw(name)
    } catch (error) {
      if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE')) return this.#hold(participant, explain(error))
      await this.#hold(participant, `it cannot be withdrawn yet: ${explain(error)}`)
      throw error
    }
    await client.setFinalizer(participant, participantFinalizer, false)
    return {}
  }

  async #hold(participant: ParticipantResource, message: string): Promise<Result> {
    await this.#setStatus(participant, { kind: 'working', reason: reasons.inUse, message })
    return { requeueAfterMs: lookMs }
  }

  /** Somebody has taken the finalizer away. There is no status to say in why its contract stays, so the log has it. */
  async #withdrawOrphan(name: string): Promise<Result> {
    const { client, participants, onSettled } = this.#deps
    if (this.#outcomes.get(name) === undefined && !this.names().includes(name)) return {}
    client.mayAct()
    try {
      await participants.withdraw(name)
    } catch (error) {
      if (!isParcomoloError(error, 'PARCOMOLO_CONTRACT_IN_USE')) throw error
      const isTold = this.#orphans.get(name) === error.message
      this.#orphans.set(name, error.message)
      return { requeueAfterMs: lookMs, ...(isTold ? {} : { terminal: error }) }
    }
    this.#orphans.delete(name)
    this.#outcomes.delete(name)
    onSettled()
    return {}
  }

  #textOf(participant: ParticipantResource): ParticipantText {
    const { name } = participant.metadata
    return { name, source: this.#sourceOf(name), yaml: yamlOf(participant) }
  }

  #sourceOf(name: string): string {
    return sourceOf(participantNames.plural, this.#deps.namespace, name)
  }

  /** A saga has its finalizer before it is published for the first time. */
  #sagas(): Pick<PublishedSaga, 'source' | 'yaml'>[] {
    return this.#deps
      .sagas()
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined && metadata.finalizers?.includes(finalizer))
      .map((saga) => ({
        source: sourceOf(sagaNames.plural, saga.metadata.namespace, saga.metadata.name),
        yaml: yamlOf(saga)
      }))
  }

  #othersThan({ metadata }: ParticipantResource): ParticipantText[] {
    return this.#deps.client
      .all()
      .filter((other) => other.metadata.name !== metadata.name && other.metadata.deletionTimestamp === undefined)
      .filter((other) => this.#outcomeOf(other)?.kind !== 'accepted')
      .map((other) => this.#textOf(other))
  }

  #outcomeOf({ metadata }: ParticipantResource): Outcome | undefined {
    const known = this.#outcomes.get(metadata.name)
    return known?.uid === metadata.uid && known.generation === metadata.generation ? known : undefined
  }

  #settle(participant: ParticipantResource, kind: Outcome['kind'], since = this.#deps.client.now()): void {
    const { name, uid, generation } = participant.metadata
    const isNews = this.#outcomeOf(participant)?.kind !== kind
    this.#outcomes.set(name, { uid, generation, kind, since })
    if (isNews) this.#deps.onSettled()
  }

  #setStatus(participant: ParticipantResource, standing: Standing): Promise<ParticipantResource> {
    const { client, participants } = this.#deps
    const found = participants.contracts().participant(participant.metadata.name)
    const contract = 'found' in found ? found.found : undefined
    return client.setStatus(participant, participantStatus(participant, { standing, contract }, client.now()))
  }
}

const reasonOf = (code: string): Reason => {
  if (code === 'PARCOMOLO_REGISTRY_INCOMPATIBLE') return reasons.incompatible
  return code === 'PARCOMOLO_CONTRACT_CONFLICT' ? reasons.conflict : reasons.invalid
}

const usesText = (uses: readonly Use[]): string => {
  const each = uses.map(({ saga, names }) => `saga '${saga}' uses ${names.map((name) => `'${name}'`).join(', ')}`)
  return `${each.join('; ')}; the participant goes when none does any more`
}
