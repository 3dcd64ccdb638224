import { ParcomoloError } from '../base/index.ts'
import type { Contracts } from '../contract/index.ts'
import { cancelTextIn, type Definition, keyMoved, standsUnderKey } from '../saga/index.ts'
import { carries, contractsOfText, loadPublished } from './contract-text.ts'
import type { DefinitionPublished } from './definition-events.ts'
import { fitting, inUse, type Judging } from './judging.ts'

export type Revision = DefinitionPublished & {
  /** Milliseconds since 1970. */
  readonly publishedAt: number
}

export type Cancellable = Required<Pick<Definition, 'name' | 'revision' | 'cancel'>>

/** A revision, compiled as soon as somebody needs it; `fault`: why that cannot be done by the contracts of now. */
type Published = {
  readonly revision: Revision
  compiled: Definition | undefined
  fault: unknown
  /** It is compiled with the contracts that it was published with, since those of now refuse it. */
  isAsPublished: boolean
}

/**
 * Every revision of every saga, and which of them is current: the one that was published last, whether or not it can be
 * loaded here. Only the current ones and those that instances of this process run on are ever compiled.
 */
export abstract class Revisions {
  /** In the order in which they were published. */
  readonly #published = new Map<string, Published>()
  readonly #newest = new Map<string, Published>()
  /** How many instances of this process run on each. */
  readonly #running = new Map<string, number>()
  readonly #texts = new Map<string, string>()
  /** By revision: how its saga says that it is cancelled. */
  readonly #ways = new Map<string, string>()
  /** Those that an instance has asked for in vain. */
  readonly #missed = new Set<string>()
  #startable: readonly Definition[] = []
  #cancellable: readonly Cancellable[] | undefined

  /** What sagas may name now. */
  abstract get contracts(): Contracts

  /** True where instances may live in other partitions than those of this process. */
  abstract get isSpread(): boolean

  /**
   * The newest revision of a saga, which new instances take; undefined where there is none, where it is retired, or
   * cannot be loaded.
   */
  current(saga: string): Definition | undefined {
    const newest = this.#newest.get(saga)
    return newest === undefined || newest.revision.retired ? undefined : newest.compiled
  }

  /** The newest revision, also of a retired saga, and also where it cannot be loaded. */
  newest(saga: string): Revision | undefined {
    return this.#newest.get(saga)?.revision
  }

  /** All sagas that may begin, in the order of their names. */
  startable(): readonly Definition[] {
    return this.#startable
  }

  revision(saga: string, revision: string): Revision | undefined {
    return this.#published.get(nameOf({ saga, revision }))?.revision
  }

  /**
   * Each way of being cancelled once: of what is current, of all revisions that instances run on here, and of those
   * that others may run, where it is here that the cancel is read.
   */
  cancellable(): readonly Cancellable[] {
    const here = [...this.#runningOnes(), ...this.#startable]
    return (this.#cancellable ??= cancellableOf([...here, ...(this.isSpread ? this.#elsewhere(here) : [])]))
  }

  /** All revisions of all sagas, loadable or not. */
  all(): readonly Revision[] {
    return [...this.#published.values()].map(({ revision }) => revision)
  }

  isCurrent(revision: Revision): boolean {
    return this.#newest.get(revision.saga)?.revision === revision
  }

  /** Whether instances of this process run on a revision. */
  isRunning({ name, revision }: Pick<Definition, 'name' | 'revision'>): boolean {
    return this.#running.has(nameOf({ saga: name, revision }))
  }

  /** Tells that so many instances more (or fewer, `by` below 0) run on a revision here. */
  runs(saga: string, revision: string, by: number): void {
    const name = nameOf({ saga, revision })
    const before = this.#running.get(name) ?? 0
    const count = before + by
    if (count > 0) this.#running.set(name, count)
    else this.#running.delete(name)
    if (before === 0 || count === 0) this.#cancellable = undefined
  }

  /** The definition of a revision, whoever wants to look at it; undefined where it cannot be loaded. */
  definitionOf({ saga, revision }: Pick<Revision, 'saga' | 'revision'>): Definition | undefined {
    const published = this.#published.get(nameOf({ saga, revision }))
    return published && this.#compiled(published)
  }

  /** The definition that an instance is pinned to, or why that cannot be loaded. */
  pinned(saga: string, revision: string): Definition | ParcomoloError {
    const published = this.#published.get(nameOf({ saga, revision }))
    const definition = published && this.#compiled(published)
    if (definition === undefined) this.#missed.add(nameOf({ saga, revision }))
    return definition ?? revisionMissing(saga, revision, published?.fault)
  }

  /**
   * Throws PARCOMOLO_CONTRACT_IN_USE where a revision that is in force, or has instances, can be loaded now and could
   * not be with these contracts. Gives the sagas that have to come into force together with them.
   */
  judge(contracts: Contracts, { hasInstances, sagas, withdrawn }: Judging = {}): readonly DefinitionPublished[] {
    const needing = this.#needing(contracts, hasInstances)
    const beside = needing.length === 0 || sagas === undefined ? undefined : fitting(sagas(), contracts)
    return needing.map(({ revision, isInForce, isPinned, fault }) => {
      const next = isInForce ? beside?.get(revision.saga) : undefined
      if (next !== undefined && !isPinned) return next
      throw inUse(revision, { isInForce, isReplaced: next !== undefined, withdrawn }, fault)
    })
  }

  /** Whether any revision at all can be loaded with what it may name now, and could not be with these. */
  isAnyLost(contracts: Contracts): boolean {
    return [...this.#published.values()].some((published) => this.#faultBy(published, contracts, false) !== undefined)
  }

  #needing(contracts: Contracts, hasInstances: Judging['hasInstances']) {
    return [...this.#published].flatMap(([name, published]) => {
      const { revision } = published
      const isInForce = this.isCurrent(revision) && !revision.retired
      const isPinned = this.#running.has(name) || hasInstances?.(revision) === true
      const fault = isInForce || isPinned ? this.#faultBy(published, contracts, isPinned) : undefined
      return fault === undefined ? [] : [{ revision, isInForce, isPinned, fault }]
    })
  }

  /** Why these contracts would take from it what it has now; from its instances the keys of what they have sent. */
  #faultBy(published: Published, contracts: Contracts, isPinned: boolean): unknown {
    const definition = this.#compiled(published)
    if (definition === undefined) return undefined
    try {
      const next = this.#load(published, contracts)
      return isPinned ? keyMoved(definition, next) : undefined
    } catch (error) {
      return published.isAsPublished && !this.#losesBy(definition, contracts) ? undefined : error
    }
  }

  /** True where an older revision, or one of a retired saga, may have instances that only other processes know of. */
  get hasOlder(): boolean {
    return this.#published.size > this.#startable.length
  }

  /** Takes what was published at a time (ms since 1970); `settle` brings it into force. */
  protected take(definition: DefinitionPublished, at: number): void {
    const contracts = this.#interned(definition.contracts ?? '')
    const published = {
      revision: { ...definition, contracts, publishedAt: at },
      compiled: undefined,
      fault: undefined,
      isAsPublished: false
    }
    const name = nameOf(definition)
    this.#published.delete(name)
    this.#published.set(name, published)
    this.#newest.set(definition.saga, published)
  }

  /** One text for all revisions that were published with the same. */
  #interned(text: string): string {
    const known = this.#texts.get(text) ?? text
    this.#texts.set(known, known)
    return known
  }

  /** The contracts have changed. What no longer fits them stays as it was, and is told of. */
  protected reload(onError: (error: unknown) => void): void {
    for (const [name, published] of this.#published) {
      published.fault = undefined
      if (published.compiled === undefined) continue
      if (!this.#isNeeded(name, published)) published.compiled = undefined
      else {
        try {
          published.compiled = this.#load(published)
          published.isAsPublished = false
        } catch (error) {
          published.isAsPublished = true
          onError(error)
        }
      }
    }
  }

  /**
   * Brings into force what was taken, or has come to fit the contracts; what does not fit them is told of once. True
   * where instances may go on that have asked for their definition in vain.
   */
  protected settle(onError: (error: unknown) => void): boolean {
    for (const published of this.#newest.values()) {
      if (published.revision.retired) continue
      const wasKnown = published.fault !== undefined
      if (this.#compiled(published) === undefined && !wasKnown) onError(published.fault)
    }
    this.#startable = [...this.#newest.keys()].flatMap((saga) => this.current(saga) ?? []).sort(byName)
    this.#cancellable = undefined
    const found = [...this.#missed].filter((name) => {
      const published = this.#published.get(name)
      return published !== undefined && this.#compiled(published) !== undefined
    })
    for (const name of found) this.#missed.delete(name)
    return found.length > 0
  }

  /** Of one that the contracts of now refuse already. */
  #losesBy(definition: Definition, contracts: Contracts): boolean {
    return carries(definition, this.contracts) && !carries(definition, contracts)
  }

  #isNeeded(name: string, published: Published): boolean {
    const { revision } = published
    return this.#running.has(name) || (this.isCurrent(revision) && !revision.retired)
  }

  #runningOnes(): readonly Definition[] {
    return [...this.#running.keys()].flatMap((name) => {
      const published = this.#published.get(name)
      return (published && this.#compiled(published)) ?? []
    })
  }

  /** One revision for each way that is in none of these, and whose cancels may stand in another partition. */
  *#elsewhere(here: readonly Definition[]): Iterable<Definition> {
    const ways = new Set(here.map(({ name, revision }) => this.#wayOf(nameOf({ saga: name, revision }))))
    for (const [name, published] of this.#published) {
      const way = this.#wayOf(name)
      if (ways.has(way)) continue
      ways.add(way)
      const definition = this.#compiled(published)
      if (definition?.cancel !== undefined && !standsUnderKey(definition.cancel)) yield definition
      if (!this.#isNeeded(name, published)) published.compiled = undefined
    }
  }

  /** Told by its text, as most revisions of a saga share it, and to compile each takes long. */
  #wayOf(name: string): string {
    const { saga = '', yaml = '' } = this.#published.get(name)?.revision ?? {}
    const known = this.#ways.get(name) ?? `${saga} ${cancelTextIn(yaml)}`
    this.#ways.set(name, known)
    return known
  }

  #compiled(published: Published): Definition | undefined {
    if (published.compiled !== undefined || published.fault !== undefined) return published.compiled
    try {
      published.compiled = this.#load(published)
    } catch (error) {
      published.compiled = this.#loadAsPublished(published)
      if (published.compiled === undefined) published.fault = error
    }
    return published.compiled
  }

  /** With the contracts that it was published with, where those of now still have what it sends and hears. */
  #loadAsPublished(published: Published): Definition | undefined {
    const { contracts = '' } = published.revision
    if (contracts === '') return undefined
    try {
      const definition = this.#load(published, contractsOfText(contracts))
      published.isAsPublished = carries(definition, this.contracts)
      return published.isAsPublished ? definition : undefined
    } catch {
      // Then it is not the contracts of now that are in the way.
      return undefined
    }
  }

  #load({ revision }: Published, contracts = this.contracts): Definition {
    return loadPublished(revision, contracts)
  }
}

const nameOf = ({ saga, revision }: Pick<DefinitionPublished, 'saga' | 'revision'>): string => `${saga}@${revision}`

const byName = (one: Definition, other: Definition): number => (one.name < other.name ? -1 : 1)

/** Each way once, however many revisions share it. */
const cancellableOf = (definitions: Iterable<Definition>): readonly Cancellable[] => {
  const ways = new Map<string, Cancellable>()
  for (const { name, revision, cancel } of definitions) {
    if (cancel === undefined) continue
    const way = `${name} ${cancel.topic} ${cancel.event} ${cancel.key.source}`
    if (!ways.has(way)) ways.set(way, { name, revision, cancel })
  }
  return [...ways.values()]
}

const revisionMissing = (saga: string, revision: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_ORCHESTRATOR_REVISION_MISSING',
    cause instanceof Error
      ? `revision '${revision}' of saga '${saga}' does not fit the contracts any more: ${cause.message}; ` +
          'expected what it needs to be in them; give the contract back what the message names'
      : `revision '${revision}' of saga '${saga}' is not among the definitions; publish that revision again`,
    { cause }
  )
