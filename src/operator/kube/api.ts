import type { Call, Connection } from './connection.ts'
import { framesOf, type WatchFrame } from './frames.ts'
import type { Lease, LeaseStore } from './lease.ts'
import { apiVersionOf, eventKind, type KubeObject, leaseKind, pathOf, type ResourceKind } from './resource.ts'

export type Page<T> = {
  readonly items: readonly T[]
  readonly resourceVersion: string
  /** There is more: ask for it with this. */
  readonly next?: string
}

/** Who owns the fields of a status that is applied. */
export const fieldManager = 'parcomolo-operator'

/** As much of the API as the operator needs, in one namespace. Rejects as `Connection` does. */
export class KubeApi {
  readonly namespace: string
  readonly #connection: Connection

  constructor(connection: Connection, namespace: string) {
    this.#connection = connection
    this.namespace = namespace
  }

  /** One page of all objects; the first one where no `next` is given. */
  async list<T extends KubeObject>(
    kind: ResourceKind,
    { limit, next, signal }: { limit: number; next?: string | undefined; signal: AbortSignal }
  ): Promise<Page<T>> {
    type Body = { items: T[]; metadata: { resourceVersion: string; continue?: string } }
    const path = pathOf(kind, this.namespace)
    const query = { limit, continue: next }
    const { items, metadata } = await this.#connection.json<Body>({ method: 'GET', path, query, signal })
    const { resourceVersion } = metadata
    return { items, resourceVersion, ...(metadata.continue ? { next: metadata.continue } : {}) }
  }

  /** All changes after a version, until the server or the signal ends it. */
  async watch<T extends KubeObject>(
    kind: ResourceKind,
    options: { resourceVersion: string; timeoutSeconds: number; signal: AbortSignal }
  ): Promise<AsyncIterable<WatchFrame<T>>> {
    const { signal, ...version } = options
    const path = pathOf(kind, this.namespace)
    const query = { watch: 'true', allowWatchBookmarks: 'true', ...version }
    return framesOf<T>(await this.#connection.stream({ method: 'GET', path, query, signal }), `watch of '${path}'`)
  }

  /**
   * Makes `status` all that the operator says of an object, by server-side apply. The uid keeps it off an object of the
   * same name that was made since.
   */
  patchStatus<T extends KubeObject>(kind: ResourceKind, object: T, status: object): Promise<T> {
    const { name, uid } = object.metadata
    return this.#connection.json({
      method: 'PATCH',
      path: pathOf(kind, this.namespace, name, 'status'),
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name, uid }, status }
    })
  }

  /** Sets the finalizers of an object, unless it was changed since it was read: then it rejects with a conflict. */
  patchFinalizers<T extends KubeObject>(kind: ResourceKind, object: T, finalizers: readonly string[]): Promise<T> {
    const { name, uid, resourceVersion } = object.metadata
    return this.#connection.json({
      method: 'PATCH',
      path: pathOf(kind, this.namespace, name),
      query: { fieldManager },
      contentType: 'application/merge-patch+json',
      body: { metadata: { uid, resourceVersion, finalizers } }
    })
  }

  createEvent(event: object): Promise<KubeObject> {
    return this.#connection.json({ method: 'POST', path: pathOf(eventKind, this.namespace), body: event })
  }

  patchEvent(name: string, patch: object): Promise<KubeObject> {
    const path = pathOf(eventKind, this.namespace, name)
    return this.#connection.json({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body: patch })
  }

  /** One Lease, for those who elect a leader by it. */
  leaseStore(name: string): LeaseStore {
    const path = pathOf(leaseKind, this.namespace, name)
    const json = (call: Omit<Call, 'path'>, at = path): Promise<Lease> => this.#connection.json({ ...call, path: at })
    return {
      get: (signal) => json({ method: 'GET', signal }),
      create: (spec, signal) => {
        const body = { apiVersion: apiVersionOf(leaseKind), kind: leaseKind.kind, metadata: { name }, spec }
        return json({ method: 'POST', body, signal }, pathOf(leaseKind, this.namespace))
      },
      update: (lease, spec, signal) => json({ method: 'PUT', body: { ...lease, spec }, signal })
    }
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
