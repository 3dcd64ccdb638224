import type { Clock } from '../base/index.ts'
import { group, type ResourceNames, version } from './crd/index.ts'
import { Controller, hasSpecChanged, type KubeApi, type Occurrence, Reflector, type Result } from './kube/index.ts'
import { type Resource, ResourceClient } from './resource-client.ts'

/** What does the work for the resources of one kind. */
export type Reconciler = {
  reconcile(name: string): Promise<Result>
  /** Of all that there is work for. */
  names(): readonly string[]
}

/** One kind of resources: the copy of them, and the controller that reconciles each. */
export type WatchedKind<T extends Resource, R extends Reconciler> = {
  readonly plural: string
  readonly reflector: Reflector<T>
  readonly controller: Controller
  readonly reconciler: R
}

export type WatchDeps<T extends Resource, R extends Reconciler> = {
  readonly names: ResourceNames
  readonly api: KubeApi
  readonly clock: Clock
  readonly random: () => number
  readonly record: (occurrence: Occurrence) => void
  readonly mayAct: () => void
  readonly onError: (error: unknown, where: string) => void
  readonly makeReconciler: (client: ResourceClient<T>) => R
  /** How many resources are reconciled at once. */
  readonly workers: number
  /** A spec has changed, or a resource has come or gone. */
  readonly onChanged: () => void
}

/** Puts them together; nothing runs before they are started. */
export const watchKind = <T extends Resource, R extends Reconciler>(deps: WatchDeps<T, R>): WatchedKind<T, R> => {
  const { names, api, clock, random, onError } = deps
  const kind = { group, version, kind: names.kind, plural: names.plural }
  const reflector: Reflector<T> = new Reflector<T>({
    source: { list: (page) => api.list(kind, page), watch: (from) => api.watch(kind, from) },
    ...{ clock, random },
    onChange: ({ name, before, after }) => {
      // The own writes of a status wake nobody.
      if (!hasSpecChanged(before, after)) return
      controller.enqueue(name)
      deps.onChanged()
    },
    onError: (error) => onError(error, `watch of ${names.plural}`)
  })
  const { record, mayAct } = deps
  const reconciler = deps.makeReconciler(new ResourceClient<T>({ kind, api, copy: reflector, record, clock, mayAct }))
  const controller = new Controller({
    name: names.singular,
    reconcile: (name) => reconciler.reconcile(name),
    keys: () => reconciler.names(),
    ...{ clock, random, workers: deps.workers },
    onError: (error, name) => onError(error, `${names.singular} '${name}'`)
  })
  return { plural: names.plural, reflector, controller, reconciler }
}
