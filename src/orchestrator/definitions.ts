import type { Clock } from '../base/index.ts'
import { type Codec, type Contract, type Contracts, contractSet, readContract } from '../contract/index.ts'
import { type Log, placeName, type StoredRecord } from '../log/index.ts'
import { Patience, type TaskDeps } from '../task/index.ts'
import { contractsOfText } from './contract-text.ts'
import {
  type DefinitionPublished,
  definitionsTopic,
  type ParticipantPublished,
  type ReleaseStarted
} from './definition-events.ts'
import { Revisions } from './revisions.ts'
import { sagaJournal } from './saga-events.ts'

const place = { topic: definitionsTopic, partition: 0 }

type PublishedContract = { readonly contract: Contract; readonly source: string }

/**
 * Every published revision of every saga, and the participants that they may name: those of this release and those that
 * were published. Follows the topic until closed.
 */
export class Definitions extends Revisions {
  readonly #deps: DefinitionDeps
  readonly #patience: Patience
  readonly #published = new Map<string, PublishedContract>()
  /** Published, and refused here for what another one has. */
  readonly #outvoted = new Map<string, Contract>()
  #release: Contracts | undefined
  readonly #listeners = new Set<() => void>()
  readonly #foundListeners = new Set<() => void>()
  #contracts: Contracts
  /** Those that come into force when all that was published together has been taken in. */
  #nextContracts: Contracts
  #close: (() => void) | undefined
  /** False until all has been read: most of it is of no use any more by then. */
  #isSettling = false
  /** The next offset of the topic, and who waits for it to move. */
  #next = 0
  #moved = awaitable()

  private constructor(deps: DefinitionDeps) {
    super()
    this.#deps = deps
    this.#contracts = deps.contracts
    this.#nextContracts = deps.contracts
    this.#patience = new Patience(deps.clock, (error) => deps.onHeldUp?.(placeName(place), error))
  }

  /** Reads all that is published, then follows. */
  static async follow(deps: DefinitionDeps): Promise<Definitions> {
    const definitions = new Definitions(deps)
    await definitions.#follow()
    return definitions
  }

  /** What sagas may name now. */
  get contracts(): Contracts {
    return this.#contracts
  }

  get isSpread(): boolean {
    try {
      return this.#deps.log.partitionCount(sagaJournal) > 1
    } catch {
      // Where nobody has declared it, no task runs.
      return false
    }
  }

  /** True where a published contract of this participant is in force, not that of this release. */
  isPublished(participant: string): boolean {
    return this.#published.has(participant)
  }

  /** What the services of the release have started with last, where one process runs all of them. */
  get release(): Contracts | undefined {
    return this.#release
  }

  /** The published contracts that are in force, and where each came from. */
  published(): readonly PublishedContract[] {
    return [...this.#published.values()]
  }

  /** The published participants that are not in force here and claim what this one has. */
  outvotedBy({ participant, namespace, inbox, events }: Contract): string[] {
    const topics = [inbox, events]
    return [...this.#outvoted.values()]
      .filter((it) => it.participant !== participant)
      .filter((it) => it.namespace === namespace || topics.includes(it.inbox) || topics.includes(it.events))
      .map((it) => it.participant)
  }

  /** Calls whenever `contracts` has changed; gives a function that ends it. */
  onContracts(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls when instances may go on whose definition could not be had; gives a function that ends it. */
  onFound(listener: () => void): () => void {
    this.#foundListeners.add(listener)
    return () => this.#foundListeners.delete(listener)
  }

  /** Resolves when all that is published now has been taken in, so that a revision that others follow is known here. */
  async caughtUp(): Promise<void> {
    const end = await this.#deps.log.end(place)
    while (this.#next < end) await this.#moved.promise
  }

  /** What sagas may name where this participant is withdrawn; one of this release keeps the contract of that. */
  without(participant: string): Contracts {
    return contractSet(this.#all(participant, undefined))
  }

  close(): void {
    this.#patience.stop()
    this.#close?.()
  }

  async #follow(): Promise<void> {
    const { log, onError } = this.#deps
    const end = await log.end(place)
    for await (const records of log.read(place, 0, end)) await this.#takeAll(records)
    this.#next = end
    this.#isSettling = true
    this.#settle()
    const reader = log.reader([{ ...place, offset: end }], 'visible')
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
      onError(error)
    })
  }

  async #takeAll(records: readonly StoredRecord[]): Promise<void> {
    const values = records.map(({ value }) => value)
    if ((await this.#patience.until(() => this.#deps.learn?.(values))) === false) return
    for (const record of records) {
      try {
        if ((await this.#takeOne(record)) === false) return
      } catch (error) {
        this.#deps.onError(error)
      }
    }
    this.#bringIntoForce()
    this.#next = records.at(-1)!.offset + 1
    this.#moved.resolve()
    this.#moved = awaitable()
  }

  /** What was published together comes into force as a whole: one may not fit what is there without the others. */
  #bringIntoForce(): void {
    if (this.#contracts === this.#nextContracts) return this.#settle()
    this.#contracts = this.#nextContracts
    this.reload(this.#deps.onError)
    this.#settle()
    for (const listener of this.#listeners) listener()
  }

  #settle(): void {
    if (this.#isSettling && this.settle(this.#deps.onError)) for (const listener of this.#foundListeners) listener()
  }

  /** False where the stop came first. */
  async #takeOne({ value: bytes, timestamp }: StoredRecord): Promise<boolean | void> {
    if (bytes === null) return
    const { type, value } = this.#deps.codec.decode(bytes)
    if (type === 'DefinitionPublished') return this.take(value as DefinitionPublished, timestamp)
    if (type === 'ParticipantPublished') return this.#takeParticipant(value as ParticipantPublished)
    if (type === 'ReleaseStarted') this.#release = contractsOfText((value as ReleaseStarted).contracts)
  }

  async #takeParticipant({ participant, source, yaml, withdrawn }: ParticipantPublished): Promise<boolean> {
    const contract = withdrawn ? undefined : readContract({ path: source, text: yaml })
    this.#outvoted.delete(participant)
    const contracts = this.#contractsWith(participant, contract)
    if (contract !== undefined) {
      if ((await this.#patience.until(() => this.#deps.adopt?.(contract))) === false) return false
      this.#published.set(participant, { contract, source })
    } else this.#published.delete(participant)
    this.#nextContracts = contracts
    return true
  }

  #all(participant: string, contract: Contract | undefined): Contract[] {
    const own = this.#deps.contracts.participant(participant)
    const instead = contract ?? ('found' in own ? own.found : undefined)
    const others = this.#nextContracts.all.filter(isNot(participant))
    return instead === undefined ? others : [...others, instead]
  }

  /** Throws PARCOMOLO_CONTRACT_CONFLICT where it would take what another has. */
  #contractsWith(participant: string, contract: Contract | undefined): Contracts {
    try {
      return contractSet(this.#all(participant, contract))
    } catch (error) {
      if (contract !== undefined) this.#outvoted.set(participant, contract)
      throw error
    }
  }
}

const isNot =
  (name: string) =>
  ({ participant }: Contract): boolean =>
    participant !== name

/** Whether somebody waits for it or not when it fails. */
const awaitable = (): PromiseWithResolvers<void> => {
  const awaited = Promise.withResolvers<void>()
  awaited.promise.catch(() => undefined)
  return awaited
}

export type DefinitionDeps = {
  readonly log: Log
  readonly codec: Codec
  /** The participants of this release. */
  readonly contracts: Contracts
  readonly clock: Clock
  readonly learn?: TaskDeps['learn']
  /**
   * Makes this process able to write to and read from a participant that was published. Rejects, retryable, where that
   * cannot be done now.
   */
  readonly adopt?: (contract: Contract) => Promise<void>
  readonly onHeldUp?: TaskDeps['onHeldUp']
  /** A published definition could not be used, or the topic cannot be followed any more. */
  readonly onError: (error: unknown) => void
}
