import { ParcomoloError } from '../base/index.ts'
import type { Intake } from './intake/index.ts'
import { stock } from './inventory/index.ts'
import type { ViewQuery, ViewRecord, Waiter } from '../view/index.ts'

/** Which SKUs there are and what the inventory answers, by the read model or, while it does not follow, the intake. */
export class Stockroom {
  readonly #view: ViewQuery
  readonly #intake: Intake

  constructor(view: ViewQuery, intake: Intake) {
    this.#view = view
    this.#intake = intake
  }

  /** Resolves when either can tell. */
  async known(caughtUp: Promise<void>): Promise<void> {
    await Promise.race([caughtUp, this.#intake.pricesRead()])
  }

  /** Undefined for a SKU that there is not; rejects, retryable, while that cannot be told. */
  async stock(sku: string): Promise<object | undefined> {
    if (this.#isFollowing) return this.#view.row(stock, sku)
    const priceCents = this.#intake.price(sku)
    if (priceCents !== undefined) return { sku, priceCents }
    if (this.#intake.hasAllPrices) return undefined
    throw new ParcomoloError(
      'PARCOMOLO_HTTP_NOT_READY',
      `it is not known yet whether there is a SKU '${sku}', as the prices are still being read; it is tried again`,
      { retryable: true }
    )
  }

  whenAnswered(commandId: string, timeoutMs: number): Waiter<ViewRecord> {
    return this.#isFollowing
      ? this.#view.whenAnswered(commandId, timeoutMs)
      : this.#intake.whenAnswered(commandId, timeoutMs)
  }

  get #isFollowing(): boolean {
    return this.#view.state() === 'following' && !this.#view.isStalled()
  }
}
