import { type Clock, ParcomoloError } from '../base/index.ts'
import type { Codec, Contracts } from '../contract/index.ts'
import { type Log, placeName, type StoredRecord } from '../log/index.ts'
import { type Definition, loadSaga } from '../saga/index.ts'
import { Patience, type TaskDeps } from '../task/index.ts'
import { type DefinitionPublished, definitionsTopic } from './definition-events.ts'

export type Revision = {
  readonly definition: Definition
  readonly source: string
  readonly yaml: string
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  readonly retired: boolean
}

export type Cancellable = Required<Pick<Definition, 'name' | 'cancel'>>

const place = { topic: definitionsTopic, partition: 0 }

/** Every published revision of every saga, and which of them is current. Follows the topic until closed. */
export class Definitions {
  readonly #log: Log
  readonly #codec: Codec
  readonly #contracts: Contracts
  readonly #onError: (error: unknown) => void
  readonly #learn: TaskDeps['learn']
  readonly #patience: Patience
  readonly #revisions = new Map<string, Revision>()
  readonly #current = new Map<string, Revision>()
  #close: (() => void) | undefined

  private constructor(deps: DefinitionDeps) {
    this.#log = deps.log
    this.#codec = deps.codec
    this.#contracts = deps.contracts
    this.#onError = deps.onError
    this.#learn = deps.learn
    this.#patience = new Patience(deps.clock, (error) => deps.onHeldUp?.(placeName(place), error))
  }

  /** Reads all that is published, then follows. */
  static async follow(deps: DefinitionDeps): Promise<Definitions> {
    const definitions = new Definitions(deps)
    await definitions.#follow()
    return definitions
  }

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
    return this.#revisions.get(`${saga}@${revision}`)
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
    const found = this.#revisions.get(`${saga}@${revision}`)
    if (found !== undefined) return found.definition
    throw new ParcomoloError(
      'PARCOMOLO_ORCHESTRATOR_REVISION_MISSING',
      `an instance runs on revision '${revision}' of saga '${saga}', which is not among the definitions; ` +
        'publish that revision again'
    )
  }

  /** Resolves when all that is published now has been taken in, so that a revision that others follow is known here. */
  async caughtUp(): Promise<void> {
    const end = await this.#log.end(place)
    while (this.#next < end) await this.#moved.promise
  }

  close(): void {
    this.#patience.stop()
    this.#close?.()
  }

  /** The next offset of the topic, and who waits for it to move. */
  #next = 0
  #moved = Promise.withResolvers<void>()
  #startable: readonly Definition[] = []
  #cancellable: readonly Cancellable[] = []

  async #follow(): Promise<void> {
    const end = await this.#log.end(place)
    for await (const records of this.#log.read(place, 0, end)) await this.#takeAll(records)
    this.#next = end
    const reader = this.#log.reader([{ ...place, offset: end }], 'visible')
    let closed = false
    this.#close = () => {
      closed = true
      reader.close()
    }
    const run = async (): Promise<void> => {
      for (;;) {
        await reader.ready()
        if (closed) return
        for (const { records } of reader.take(1000)) await this.#takeAll(records)
      }
    }
    run().catch((error: unknown) => {
      this.#moved.reject(error)
      this.#onError(error)
    })
  }

  async #takeAll(records: readonly StoredRecord[]): Promise<void> {
    const values = records.map(({ value }) => value)
    if ((await this.#patience.until(() => this.#learn?.(values))) === false) return
    for (const record of records) this.#take(record)
    this.#next = records.at(-1)!.offset + 1
    this.#moved.resolve()
    this.#moved = Promise.withResolvers()
    this.#moved.promise.catch(() => undefined)
  }

  /** A definition that no longer fits the contracts is reported and left out; its instances wait until it is mended. */
  #take(record: StoredRecord): void {
    if (record.value === null) return
    try {
      const published = this.#codec.decode(record.value).value as DefinitionPublished
      // The published name is what instances are pinned to, even where this version of the software would compute
      // another.
      const loaded = loadSaga({ path: published.source, text: published.yaml }, this.#contracts)
      const definition = { ...loaded, revision: published.revision }
      const { source, yaml, retired } = published
      const revision = { definition, source, yaml, retired, publishedAt: record.timestamp }
      this.#revisions.set(`${definition.name}@${definition.revision}`, revision)
      this.#current.set(definition.name, revision)
      this.#startable = [...this.#current.values()]
        .filter((current) => !current.retired)
        .map((current) => current.definition)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      this.#cancellable = cancellableOf(this.#revisions.values())
    } catch (error) {
      this.#onError(error)
    }
  }
}

export type DefinitionDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly contracts: Contracts
  readonly clock: Clock
  readonly learn?: TaskDeps['learn']
  readonly onHeldUp?: TaskDeps['onHeldUp']
  /** A published definition could not be used, or the topic cannot be followed any more. */
  readonly onError: (error: unknown) => void
}

/** Each way of being cancelled once, however many revisions share it. */
const cancellableOf = (revisions: Iterable<Revision>): readonly Cancellable[] => {
  const ways = new Map<string, Cancellable>()
  for (const { definition } of revisions) {
    const { name, cancel } = definition
    if (cancel !== undefined) ways.set(`${name} ${cancel.topic} ${cancel.event} ${cancel.key.source}`, { name, cancel })
  }
  return [...ways.values()]
}
