import { ParcomoloError } from '../base/index.ts'
import type { Contracts } from '../contract/index.ts'
import { type Definition, loadSaga } from '../saga/index.ts'
import type { DefinitionPublished } from './definition-events.ts'

export type Revision = {
  readonly definition: Definition
  readonly source: string
  readonly yaml: string
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  readonly retired: boolean
}

export type Cancellable = Required<Pick<Definition, 'name' | 'cancel'>>

type Published = { readonly definition: DefinitionPublished; readonly at: number; isLoaded: boolean }

/** Every revision of every saga, and which of them is current: the one that was published last. */
export class Revisions {
  /** In the order in which they were published. */
  readonly #published = new Map<string, Published>()
  readonly #revisions = new Map<string, Revision>()
  readonly #current = new Map<string, Revision>()
  #startable: readonly Definition[] = []
  #cancellable: readonly Cancellable[] = []

  /** The newest revision of a saga, which new instances take; undefined where there is none, or it is retired. */
  current(saga: string): Definition | undefined {
    const revision = this.#current.get(saga)
    return revision === undefined || revision.retired ? undefined : revision.definition
  }

  /** The newest revision, also of a retired saga. */
  newest(saga: string): Revision | undefined {
    return this.#current.get(saga)
  }

  /** All sagas that may begin, in the order of their names. */
  startable(): readonly Definition[] {
    return this.#startable
  }

  revision(saga: string, revision: string): Revision | undefined {
    return this.#revisions.get(nameOf({ saga, revision }))
  }

  /** All revisions that name a cancel event, also of retired sagas: there may be instances on any of them. */
  cancellable(): readonly Cancellable[] {
    return this.#cancellable
  }

  /** All revisions of all sagas. */
  all(): Iterable<Revision> {
    return this.#revisions.values()
  }

  isCurrent(revision: Revision): boolean {
    return this.#current.get(revision.definition.name) === revision
  }

  /** The definition that an instance is pinned to. */
  pinned(saga: string, revision: string): Definition {
    const found = this.revision(saga, revision)
    if (found !== undefined) return found.definition
    throw new ParcomoloError(
      'PARCOMOLO_ORCHESTRATOR_REVISION_MISSING',
      `an instance runs on revision '${revision}' of saga '${saga}', which is not among the definitions; ` +
        'publish that revision again'
    )
  }

  /**
   * Takes what was published at a time (ms since 1970). Throws where it does not fit the contracts: its instances wait
   * until `reload` with some that it fits.
   */
  protected take(definition: DefinitionPublished, at: number, contracts: Contracts): void {
    const name = nameOf(definition)
    const published = { definition, at, isLoaded: false }
    this.#published.delete(name)
    this.#published.set(name, published)
    this.#load(published, contracts)
    this.#derive()
  }

  /** All anew, by other contracts. What no longer fits them stays as it was, and is told of. */
  protected reload(contracts: Contracts, onError: (error: unknown) => void): void {
    for (const published of this.#published.values()) {
      const wasLoaded = published.isLoaded
      try {
        this.#load(published, contracts)
      } catch (error) {
        if (wasLoaded) onError(error)
      }
    }
    this.#derive()
  }

  #load(published: Published, contracts: Contracts): void {
    const { saga, revision, source, yaml, retired } = published.definition
    // The published name is what instances are pinned to, even where this version of the software would compute
    // another.
    const definition = { ...loadSaga({ path: source, text: yaml }, contracts, { isPublished: true }), revision }
    const loaded = { definition, source, yaml, retired, publishedAt: published.at }
    this.#revisions.set(nameOf({ saga, revision }), loaded)
    this.#current.set(saga, loaded)
    published.isLoaded = true
  }

  #derive(): void {
    this.#startable = [...this.#current.values()]
      .filter((current) => !current.retired)
      .map((current) => current.definition)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    this.#cancellable = cancellableOf(this.#revisions.values())
  }
}

const nameOf = ({ saga, revision }: Pick<DefinitionPublished, 'saga' | 'revision'>): string => `${saga}@${revision}`

/** Each way of being cancelled once, however many revisions share it. */
const cancellableOf = (revisions: Iterable<Revision>): readonly Cancellable[] => {
  const ways = new Map<string, Cancellable>()
  for (const { definition } of revisions) {
    const { name, cancel } = definition
    if (cancel !== undefined) ways.set(`${name} ${cancel.topic} ${cancel.event} ${cancel.key.source}`, { name, cancel })
  }
  return [...ways.values()]
}
