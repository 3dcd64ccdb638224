import { type Clock, insist } from '../../base/index.ts'
import type { Codec } from '../../contract/index.ts'
import type { Log } from '../../log/index.ts'
import type { ViewRecord, Waiter } from '../../view/index.ts'
import { Answers } from './answers.ts'
import { Catalogue, type PriceSource } from './catalogue.ts'

export type { PriceSource }

export type IntakeDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly clock: Clock
  /** The journals in which answers come. */
  readonly topics: readonly string[]
  readonly prices: PriceSource
  readonly learn?: (values: Iterable<Uint8Array | null>) => Promise<void> | undefined
  /** How far the read model has come at a place, if it has followed until now: who waits is told from there on. */
  readonly followedTo?: (place: string) => number | undefined
  /** Whether the read model does not follow: looked at now and then while somebody waits and this rests. */
  readonly isNeeded?: () => boolean
  /** Prices or answers cannot be read for now; it is tried again. */
  readonly onError: (error: unknown) => void
  readonly limits?: Partial<IntakeLimits>
}

export type IntakeLimits = {
  /** Who may wait for answers at once. */
  readonly waitersMax: number
  /** How far before its end a journal is read for answers that somebody still waits for. */
  readonly behindMax: number
}

const intakeLimits: IntakeLimits = { waitersMax: 4_000, behindMax: 100_000 }

/** As long may somebody wait for a read model that stands still before that is noticed, where no request comes. */
const lookEveryMs = 1_000

type Session = { readonly catalogue: Catalogue; readonly end: AbortController }

/**
 * What it takes to accept orders without the read model: prices and the answers to commands, from the journals.
 *
 *            ready, open            follows
 *   resting ─────────────▶ opening ────────▶ open
 *      ▲                                      │ rest, and nobody waits
 *      └──────────────────────────────────────┘
 *
 * I1. While the read model follows, it rests and reads nothing. It opens at the first request that finds it needed, or
 *     a moment later where somebody waits.
 * I2. Whoever waits is told by whichever sees the answer first, this or the read model.
 * I3. Nothing of it is stored, and it holds a price for each SKU: it opens within a second behind any journal that has
 *     snapshots.
 */
export class Intake {
  readonly #deps: IntakeDeps
  readonly #answers: Answers
  #session: Session | undefined
  #opening: Promise<void> | undefined
  #cancelLook: (() => void) | undefined
  #isClosed = false

  constructor(deps: IntakeDeps) {
    this.#deps = deps
    const { log, codec, clock, topics, followedTo } = deps
    const limits = { ...intakeLimits, ...deps.limits }
    this.#answers = new Answers({
      ...{ log, codec, clock, topics, ...limits },
      learn: this.#learn,
      from: (place) => followedTo?.(place)
    })
  }

  /** Whether it can answer; where it rests, it begins to open. */
  ready(): boolean {
    if (this.#session !== undefined) return true
    if (!this.#isClosed) this.open().catch(this.#deps.onError)
    return false
  }

  /** Resolves when answers are followed; prices may still be read. */
  open(): Promise<void> {
    if (this.#session !== undefined) return Promise.resolve()
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  /** The read model follows: nothing more is read here once nobody waits. */
  rest(): void {
    if (this.#session !== undefined && this.#answers.waitingCount === 0) this.#end()
  }

  /** Resolves when the price of every SKU is known that had one at the opening. */
  async pricesRead(): Promise<void> {
    await this.open()
    await this.#session?.catalogue.complete
  }

  /** False while a SKU that is not known may only not have been read yet. */
  get hasAllPrices(): boolean {
    return this.#session?.catalogue.isComplete === true
  }

  /** In cents. */
  price(sku: string): number | undefined {
    return this.#session?.catalogue.price(sku)
  }

  skus(): readonly string[] {
    return this.#session?.catalogue.skus() ?? []
  }

  /** Ask before the command is sent. While it rests, nothing is seen. */
  whenAnswered(commandId: string, timeoutMs: number): Waiter<ViewRecord> {
    if (this.#session === undefined) this.#lookLater()
    return this.#answers.when(commandId, timeoutMs)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelLook?.()
    this.#end()
    this.#answers.end()
  }

  #lookLater(): void {
    const { clock, isNeeded } = this.#deps
    if (isNeeded === undefined || this.#isClosed) return
    this.#cancelLook ??= clock.at(clock.now() + lookEveryMs, () => {
      this.#cancelLook = undefined
      if (this.#answers.waitingCount === 0 || this.#session !== undefined) return
      if (isNeeded()) this.ready()
      else this.#lookLater()
    })
  }

  async #open(): Promise<void> {
    const { ended } = await this.#answers.open()
    const session = { catalogue: new Catalogue(this.#catalogueDeps()), end: new AbortController() }
    this.#session = session
    if (this.#isClosed) return this.#end()
    void this.#guard(session, ended)
    void this.#guard(session, this.#readPrices(session))
  }

  /** A part that cannot go on ends the session; the next request that needs it opens another. */
  async #guard(session: Session, part: Promise<void>): Promise<void> {
    try {
      await part
    } catch (error) {
      if (this.#session !== session || session.end.signal.aborted) return
      this.#end()
      this.#deps.onError(error)
    }
  }

  #readPrices({ catalogue, end }: Session): Promise<void> {
    const { clock, onError } = this.#deps
    return insist(() => catalogue.follow(), { clock, signal: end.signal, onWaiting: onError })
  }

  #catalogueDeps() {
    const { log, codec, prices } = this.#deps
    return { log, codec, source: prices, learn: this.#learn }
  }

  readonly #learn = (value: Uint8Array): Promise<void> | undefined => this.#deps.learn?.([value])

  #end(): void {
    const session = this.#session
    this.#session = undefined
    session?.end.abort()
    session?.catalogue.close()
    this.#answers.close()
  }
}
