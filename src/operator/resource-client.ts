import type { Clock } from '../base/index.ts'
import { conditionOf } from './conditions.ts'
import type { Condition } from './crd/index.ts'
import type { KubeApi, KubeObject, Occurrence, Reflector, ResourceKind } from './kube/index.ts'
import { isSameStatus } from './status.ts'

/** A resource of ours: with a spec, and a status of conditions. */
export type Resource = KubeObject & {
  readonly metadata: KubeObject['metadata'] & { readonly generation: number; readonly namespace: string }
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] }
}

export type ResourceClientDeps<T> = {
  readonly kind: ResourceKind
  readonly api: Pick<KubeApi, 'patchStatus' | 'patchFinalizers'>
  readonly copy: Pick<Reflector<KubeObject>, 'learn'> & { get(name: string): T | undefined; all(): readonly T[] }
  readonly record: (occurrence: Occurrence) => void
  readonly clock: Clock
  /** Throws where another process leads: then nothing may be written any more. */
  readonly mayAct: () => void
}

/** Reads the resources of one kind, and writes what the operator may write of them: status, finalizers, Events. */
export class ResourceClient<T extends Resource> {
  readonly #deps: ResourceClientDeps<T>

  constructor(deps: ResourceClientDeps<T>) {
    this.#deps = deps
  }

  get(name: string): T | undefined {
    return this.#deps.copy.get(name)
  }

  all(): readonly T[] {
    return this.#deps.copy.all()
  }

  now(): number {
    return this.#deps.clock.now()
  }

  mayAct(): void {
    this.#deps.mayAct()
  }

  /**
   * Writes a status that differs from what is there, and gives the resource as it is then. A condition that comes to
   * stand otherwise is told as an Event, if it is one of `told`.
   */
  async setStatus(resource: T, status: NonNullable<T['status']>): Promise<T> {
    if (isSameStatus(resource.status, status)) return resource
    this.#deps.mayAct()
    const written = await this.#deps.api.patchStatus(this.#deps.kind, resource, status)
    this.#deps.copy.learn(written)
    this.#tellOfFault(resource, status)
    return written
  }

  async setFinalizer(resource: T, finalizer: string, isWanted: boolean): Promise<T> {
    const others = (resource.metadata.finalizers ?? []).filter((other) => other !== finalizer)
    this.#deps.mayAct()
    const finalizers = isWanted ? [...others, finalizer] : others
    const written = await this.#deps.api.patchFinalizers(this.#deps.kind, resource, finalizers)
    this.#deps.copy.learn(written)
    return written
  }

  tell(resource: T, type: Occurrence['type'], said: Pick<Occurrence, 'reason' | 'action' | 'note'>): void {
    this.#deps.record({ kind: this.#deps.kind, object: resource, type, ...said })
  }

  /** Once for each fault, not each time that it is found again. */
  #tellOfFault(before: T, { conditions }: NonNullable<T['status']>): void {
    const stalled = conditionOf(conditions, 'Stalled')
    const known = conditionOf(before.status?.conditions, 'Stalled')
    if (stalled?.status !== 'True') return
    if (known?.status === 'True' && known.reason === stalled.reason && known.message === stalled.message) return
    this.tell(before, 'Warning', { reason: stalled.reason, action: 'Verify', note: stalled.message })
  }
}
