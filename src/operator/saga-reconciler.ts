import { conditionOf, type Standing } from './conditions.ts'
import { type ConditionType, finalizer, type SagaResource, sagaNames } from './crd/index.ts'
import { explain } from './explain.ts'
import type { Result } from './kube/index.ts'
import type { PublishedSaga } from './ports.ts'
import { reasons } from './reasons.ts'
import { sourceOf } from './resource-yaml.ts'
import { SagaDeletion } from './saga-deletion.ts'
import type { SagaDeps } from './saga-deps.ts'
import { type Verdict, Verdicts } from './saga-verdict.ts'
import { type SagaFacts, sagaStatus } from './status.ts'

/** So long a saga may name what no participant has: the participant may be on its way, in whatever order they came. */
const graceMs = 3_000
/** Whoever is waited for says when it is there; this is in case that it does not. */
const waitMs = 5_000

/**
 * Brings the revision of a Saga into force and keeps its status true.
 *
 * S1. What is published is what the resource says, and only where that means something else than what is newest.
 * S2. A spec that is refused leaves the revision in force as it is.
 * S3. A resource has the finalizer before its saga is published for the first time, so nothing is orphaned.
 */
export class SagaReconciler {
  readonly #deps: SagaDeps
  readonly #verdicts = new Verdicts()
  readonly #deletion: SagaDeletion
  /** Since when a spec has been unresolved. */
  readonly #unresolved = new Map<string, { readonly spec: string; readonly since: number }>()

  constructor(deps: SagaDeps) {
    this.#deps = deps
    this.#deletion = new SagaDeletion(deps)
  }

  async reconcile(name: string): Promise<Result> {
    const saga = this.#deps.client.get(name)
    if (saga === undefined) return this.#retireOrphan(name)
    if (saga.metadata.deletionTimestamp !== undefined) return this.#deletion.advance(saga)
    if (saga.status?.conditions === undefined) return this.#greet(saga)
    return this.#bringIntoForce(await this.#withFinalizer(saga))
  }

  /** Names of whatever there is something to do for, also where the resource is gone. */
  names(): readonly string[] {
    const resources = this.#deps.client.all().map(({ metadata }) => metadata.name)
    return [...new Set([...resources, ...this.#deps.ports.definitions.sagas()])]
  }

  /** At once, and then to the end of the queue: of many that come together, each has its conditions soon. */
  async #greet(saga: SagaResource): Promise<Result> {
    await this.#setStatus(saga, { standing: { kind: 'pending' }, revision: undefined })
    return { requeueAfterMs: 0 }
  }

  async #withFinalizer(saga: SagaResource): Promise<SagaResource> {
    if (saga.metadata.finalizers?.includes(finalizer) === true) return saga
    return this.#deps.client.setFinalizer(saga, finalizer, true)
  }

  async #bringIntoForce(saga: SagaResource): Promise<Result> {
    const { definitions, participants } = this.#deps.ports
    const verdict = this.#verdicts.of(saga, participants.contracts())
    const newest = await this.#outside(saga, 'what is in force is not known', () =>
      definitions.newest(saga.metadata.name)
    )
    if (!verdict.isGood) return this.#refuse(saga, verdict, newest)
    this.#unresolved.delete(saga.metadata.name)
    const { revision, stepCount } = verdict
    if (inForce(newest) !== revision) await this.#publish(saga, verdict)
    const message = [`revision ${revision} is in force`, ...verdict.warnings].join('\n')
    await this.#setStatus(saga, {
      standing: { kind: 'ready', reason: reasons.published, message },
      ...{ revision, stepCount }
    })
    return {}
  }

  async #publish(saga: SagaResource, { revision, yaml, source }: Verdict & { isGood: true }): Promise<void> {
    const { client, ports } = this.#deps
    client.mayAct()
    const definition = { saga: saga.metadata.name, revision, yaml, source, retired: false }
    await this.#outside(saga, `revision ${revision} could not be published`, () =>
      ports.definitions.publish(definition)
    )
    client.tell(saga, 'Normal', {
      reason: reasons.published,
      action: 'Publish',
      note: `new instances follow revision ${revision}`
    })
  }

  /** What fails there is tried again, and the status says so where it has not said anything of this spec yet. */
  async #outside<T>(saga: SagaResource, what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const standing = { kind: 'working', reason: reasons.failing, message: `${what}: ${explain(error)}` } as const
      if (!isSettled(saga)) await this.#setStatus(saga, { standing, revision: saga.status?.revision })
      throw error
    }
  }

  async #refuse(
    saga: SagaResource,
    { message: said, mayResolve }: Verdict & { isGood: false },
    newest: PublishedSaga | undefined
  ): Promise<Result> {
    const revision = inForce(newest)
    const waitingMs = mayResolve ? this.#waitingMs(saga) : 0
    // A saga that was good does not become bad for a moment, each time that the operator starts.
    if (waitingMs > 0 && isSettled(saga)) return { requeueAfterMs: waitingMs }
    const message =
      revision === undefined ? said : `revision ${revision} stays in force, since the spec is refused:\n${said}`
    const standing: Standing =
      waitingMs > 0
        ? { kind: 'working', reason: reasons.waiting, message: said }
        : { kind: 'stalled', reason: reasons.invalid, message }
    await this.#setStatus(saga, { standing, revision })
    return waitingMs > 0 ? { requeueAfterMs: waitingMs } : {}
  }

  /** How long to wait before what is unknown is called wrong; 0 where that time is up. */
  #waitingMs(saga: SagaResource): number {
    if (this.#deps.pendingParticipants().length > 0) return waitMs
    const { name, uid, generation } = saga.metadata
    const spec = `${uid} ${generation}`
    const now = this.#deps.client.now()
    const known = this.#unresolved.get(name)
    const since = known?.spec === spec ? known.since : now
    this.#unresolved.set(name, { spec, since })
    return Math.max(0, since + graceMs - now)
  }

  /** Somebody has taken the finalizer away, so the resource went before its saga was retired. */
  async #retireOrphan(name: string): Promise<Result> {
    const { ports, namespace, client } = this.#deps
    this.#verdicts.forget(name)
    this.#unresolved.delete(name)
    const newest = await ports.definitions.newest(name)
    const isOurs = newest?.source === sourceOf(sagaNames.plural, namespace, name)
    if (newest === undefined || newest.retired || !isOurs || client.get(name) !== undefined) return {}
    client.mayAct()
    await ports.definitions.publish({ ...newest, saga: name, retired: true })
    return {}
  }

  #setStatus(saga: SagaResource, facts: Omit<SagaFacts, 'running'>): Promise<SagaResource> {
    const { client, runningOf } = this.#deps
    const running = runningOf(saga.metadata.name)
    return client.setStatus(saga, sagaStatus(saga, { ...facts, running }, client.now()))
  }
}

/** What new instances follow. */
const inForce = (newest: PublishedSaga | undefined): string | undefined =>
  newest === undefined || newest.retired ? undefined : newest.revision

/** Whether the status says of this very spec that it is in force, or that it is wrong. */
const isSettled = ({ status, metadata }: SagaResource): boolean => {
  const isTrue = (type: ConditionType): boolean => conditionOf(status?.conditions, type)?.status === 'True'
  return status?.observedGeneration === metadata.generation && (isTrue('Ready') || isTrue('Stalled'))
}
