import { isParcomoloError } from '../base/index.ts'
import { conditionOf, type Standing } from './conditions.ts'
import { type ParticipantResource, participantNames, type SagaResource } from './crd/index.ts'
import { explain } from './explain.ts'
import type { Result } from './kube/index.ts'
import { type Use, usesOf } from './participant-uses.ts'
import type { ParticipantsPort } from './ports.ts'
import { type Reason, reasons } from './reasons.ts'
import type { ResourceClient } from './resource-client.ts'
import { sourceOf, yamlOf } from './resource-yaml.ts'
import { participantStatus } from './status.ts'

export type ParticipantReconcilerDeps = {
  readonly client: ResourceClient<ParticipantResource>
  readonly participants: ParticipantsPort
  readonly sagas: () => readonly SagaResource[]
  /** A participant has come to stand otherwise than before, so sagas may too. */
  readonly onSettled: () => void
}

/** Holds a participant that is being deleted until no saga uses it. */
export const participantFinalizer = 'parcomolo.io/in-use'

/** Sagas say when they change; this is in case that they do not. */
const lookMs = 10_000

type Outcome = {
  readonly uid: string
  readonly generation: number
  readonly kind: 'accepted' | 'refused' | 'failing'
}

/**
 * Brings the contract of a Participant into force and keeps its status true.
 *
 * P1. A contract that is refused leaves the one in force as it is.
 * P2. A participant that a saga uses is not withdrawn.
 */
export class ParticipantReconciler {
  readonly #deps: ParticipantReconcilerDeps
  readonly #outcomes = new Map<string, Outcome>()

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

  names(): readonly string[] {
    return this.#deps.client.all().map(({ metadata }) => metadata.name)
  }

  /** Those whose contracts may yet come into force: not tried so far, or held up by something outside. */
  pending(): readonly string[] {
    return this.#deps.client
      .all()
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .filter((participant) => ['failing', undefined].includes(this.#outcomeOf(participant)?.kind))
      .map(({ metadata }) => metadata.name)
  }

  /** Those that are deleted and held for the sagas that use them, or refused, perhaps for what another one has. */
  waiting(which: readonly ('held' | 'refused')[]): readonly string[] {
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
    const { name, namespace } = participant.metadata
    const wasAccepted = this.#outcomeOf(participant)?.kind === 'accepted'
    try {
      if (!wasAccepted) {
        this.#deps.client.mayAct()
        const source = sourceOf(participantNames.plural, namespace, name)
        await this.#deps.participants.accept({ name, source, yaml: yamlOf(participant) })
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
    const isForGood = isParcomoloError(error) && !error.retryable
    const standing: Standing = isForGood
      ? { kind: 'stalled', reason: reasonOf(error.code), message: explain(error) }
      : { kind: 'working', reason: reasons.failing, message: `it could not be registered: ${explain(error)}` }
    await this.#setStatus(participant, standing)
    this.#settle(participant, isForGood ? 'refused' : 'failing')
    if (!isForGood) throw error
    return {}
  }

  async #letGo(participant: ParticipantResource): Promise<Result> {
    if (participant.metadata.finalizers?.includes(participantFinalizer) !== true) return {}
    const { client, participants, sagas } = this.#deps
    const { name } = participant.metadata
    const uses = usesOf(name, sagas(), participants.contracts())
    if (uses.length > 0) {
      await this.#setStatus(participant, { kind: 'working', reason: reasons.inUse, message: usesText(uses) })
      return { requeueAfterMs: lookMs }
    }
    client.mayAct()
    await participants.withdraw(name)
    await client.setFinalizer(participant, participantFinalizer, false)
    return {}
  }

  /** Somebody has taken the finalizer away. */
  async #withdrawOrphan(name: string): Promise<Result> {
    if (this.#outcomes.get(name) === undefined) return {}
    this.#deps.client.mayAct()
    await this.#deps.participants.withdraw(name)
    this.#outcomes.delete(name)
    this.#deps.onSettled()
    return {}
  }

  #outcomeOf({ metadata }: ParticipantResource): Outcome | undefined {
    const known = this.#outcomes.get(metadata.name)
    return known?.uid === metadata.uid && known.generation === metadata.generation ? known : undefined
  }

  #settle(participant: ParticipantResource, kind: Outcome['kind']): void {
    const { name, uid, generation } = participant.metadata
    const isNews = this.#outcomeOf(participant)?.kind !== kind
    this.#outcomes.set(name, { uid, generation, kind })
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
  return code === 'PARCOMOLO_CONTRACT_CONFLICT' || code === 'PARCOMOLO_CONTRACT_IN_USE'
    ? reasons.conflict
    : reasons.invalid
}

const usesText = (uses: readonly Use[]): string => {
  const each = uses.map(({ saga, names }) => `saga '${saga}' uses ${names.map((name) => `'${name}'`).join(', ')}`)
  return `${each.join('; ')}; the participant goes when none does any more`
}
