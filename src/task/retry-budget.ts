/** How much of what is sent for the first time may be sent again. */
const share = 0.1
/** What may be sent again at once, however little is sent for the first time. */
const burst = 100
/** And in the long run, in a second. */
const perSecond = 10

/**
 * What may be sent again to one inbox partition. A participant that is in trouble would else be sent all that it has
 * not answered, again and again, and the more the worse it gets. Whoever comes when the budget is used up gets a time
 * of its own, each a little later than the one before.
 */
export class RetryBudget {
  #left = burst
  #refilledAt: number
  #lastTurnAt = 0
  /** When each of those who have been put off may go on. */
  readonly #turns = new Map<string, number>()

  constructor(now: number) {
    this.#refilledAt = now
  }

  sentFirst(): void {
    this.#left = Math.min(burst, this.#left + share)
  }

  sentAgain(id: string): void {
    if (!this.#turns.delete(id)) this.#left = Math.max(0, this.#left - 1)
  }

  /** It is not to be sent again any more. */
  forget(id: string): void {
    this.#turns.delete(id)
  }

  /** Until when this one is put off; undefined: it may go. */
  heldUntil(id: string, now: number): number | undefined {
    const turn = this.#turns.get(id)
    if (turn !== undefined) return turn
    this.#refill(now)
    if (this.#left >= 1) return undefined
    this.#lastTurnAt = Math.max(this.#lastTurnAt, now) + 1000 / perSecond
    this.#turns.set(id, this.#lastTurnAt)
    return this.#lastTurnAt
  }

  #refill(now: number): void {
    const passedMs = Math.max(0, now - this.#refilledAt)
    this.#left = Math.min(burst, this.#left + (passedMs / 1000) * perSecond)
    this.#refilledAt = now
  }
}
