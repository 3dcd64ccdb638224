import { ParcomoloError } from '../../src/base/index.ts'
import { hasSpecChanged } from '../../src/operator/kube/resource.ts'
import type { Resource } from '../../src/operator/resource-client.ts'

/** The resources of one kind on an API server in memory: versions, conflicts, finalizers. */
export class MemoryResources<T extends Resource> {
  readonly #objects = new Map<string, T>()
  readonly #onChange: (name: string) => void
  #version = 1
  /** Writes that were done, as `name status` or `name finalizers`. */
  readonly writes: string[] = []

  constructor(onChange: (name: string) => void) {
    this.#onChange = onChange
  }

  get(name: string): T | undefined {
    return this.#objects.get(name)
  }

  all(): readonly T[] {
    return [...this.#objects.values()]
  }

  /** As a person does: the generation grows where the spec is another. */
  apply(resource: T): void {
    const known = this.#objects.get(resource.metadata.name)
    const isSame = JSON.stringify(specOf(known)) === JSON.stringify(specOf(resource))
    const generation = (known?.metadata.generation ?? 0) + (isSame ? 0 : 1)
    const metadata = { ...(known?.metadata ?? resource.metadata), generation }
    const uid = known?.metadata.uid ?? `${metadata.uid} ${this.#version}`
    this.#put({ ...known, ...resource, metadata: { ...metadata, uid } })
  }

  delete(name: string): void {
    const known = this.#objects.get(name)!
    this.#put({ ...known, metadata: { ...known.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
  }

  setFinalizers(name: string, finalizers: readonly string[]): void {
    const known = this.#objects.get(name)!
    this.#put({ ...known, metadata: { ...known.metadata, finalizers } })
  }

  async patchStatus<O>(_kind: unknown, object: O, status: object): Promise<O> {
    const known = this.#known(object as unknown as T)
    this.writes.push(`${known.metadata.name} status`)
    return this.#put({ ...known, status } as T) as unknown as O
  }

  async patchFinalizers<O>(_kind: unknown, object: O, finalizers: readonly string[]): Promise<O> {
    const { metadata } = object as unknown as T
    const known = this.#known(object as unknown as T)
    if (known.metadata.resourceVersion !== metadata.resourceVersion) throw refusal(409)
    this.writes.push(`${known.metadata.name} finalizers`)
    return this.#put({ ...known, metadata: { ...known.metadata, finalizers } }) as unknown as O
  }

  learn(): void {
    // What was written is here already.
  }

  #known(object: T): T {
    const known = this.#objects.get(object.metadata.name)
    if (known === undefined) throw refusal(404)
    if (known.metadata.uid !== object.metadata.uid) throw refusal(409)
    return known
  }

  #put(object: T): T {
    const { name, deletionTimestamp, finalizers = [] } = object.metadata
    const before = this.#objects.get(name)
    const put = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    if (deletionTimestamp !== undefined && finalizers.length === 0) this.#objects.delete(name)
    else this.#objects.set(name, put)
    if (hasSpecChanged(before, this.#objects.get(name))) this.#onChange(name)
    return put
  }
}

const specOf = (resource: unknown): unknown => (resource as { spec?: unknown } | undefined)?.spec

const refusal = (status: number): ParcomoloError =>
  new ParcomoloError('PARCOMOLO_OPERATOR_API_REFUSED', `status ${status}`, { details: { status } })
