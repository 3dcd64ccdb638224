import { isNewer, type KubeObject } from './resource.ts'

/** One of `before` and `after` is missing where the object has come or gone. */
export type Change<T> = { readonly name: string; readonly before: T | undefined; readonly after: T | undefined }

/**
 * All objects of one kind as far as they are known, by name. `onChange` hears of each change once, after it is here.
 */
export class ObjectCopy<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #onChange: (change: Change<T>) => void

  constructor(onChange: (change: Change<T>) => void) {
    this.#onChange = onChange
  }

  get size(): number {
    return this.#objects.size
  }

  get(name: string): T | undefined {
    return this.#objects.get(name)
  }

  all(): readonly T[] {
    return [...this.#objects.values()]
  }

  /** An older version than the known one is left out. */
  put(object: T): void {
    const { name } = object.metadata
    const before = this.#objects.get(name)
    if (before !== undefined && !isNewer(object, before)) return
    const after = withoutManagedFields(object)
    this.#objects.set(name, after)
    this.#onChange({ name, before, after })
  }

  /** Takes what a write has answered, unless the object has gone since. */
  learn(object: T): void {
    if (this.#objects.get(object.metadata.name)?.metadata.uid === object.metadata.uid) this.put(object)
  }

  remove(name: string): void {
    const before = this.#objects.get(name)
    if (before === undefined) return
    this.#objects.delete(name)
    this.#onChange({ name, before, after: undefined })
  }

  /** These are all that there are. */
  replace(objects: ReadonlyMap<string, T>): void {
    for (const name of [...this.#objects.keys()]) if (!objects.has(name)) this.remove(name)
    for (const object of objects.values()) this.put(object)
  }
}

/** They are the greater part of an object, and nobody here reads them. */
const withoutManagedFields = <T extends KubeObject>(object: T): T => {
  const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown }
  return { ...object, metadata }
}
