import { type Clock, ParcomoloError } from '../base/index.ts'
import type { Moment, Position, Positions } from './store.ts'

/** How far the journals have been folded in memory, and who waits for that. */
export class Progress {
  readonly #positions: Map<string, Position>
  readonly #clock: Clock
  readonly #patienceMs: number
  readonly #waits = new Set<Wait>()
  /** The one that was asked about last, and reached: nearly always the one that is asked about next. */
  #reached: Moment | undefined

  constructor(start: Positions, clock: Clock, patienceMs: number) {
    this.#positions = new Map(start)
    this.#clock = clock
    this.#patienceMs = patienceMs
  }

  get positions(): Positions {
    return this.#positions
  }

  /** The offset of this partition that comes next. */
  next(place: string): number {
    return this.#positions.get(place)?.next ?? 0
  }

  advance(place: string, position: Position): void {
    this.#positions.set(place, position)
  }

  /** After a round: whoever waits for a moment that has been reached goes on. */
  onRound(): void {
    for (const wait of this.#waits) if (this.hasReached(wait.moment)) wait.end()
  }

  /** All that the rows of this moment have been folded from has been folded here too. */
  hasReached(moment: Moment): boolean {
    if (moment === this.#reached) return true
    if (!covers(this.#positions, moment.positions)) return false
    this.#reached = moment
    return true
  }

  /**
   * Resolves when the moment has been reached, which takes as long as this view is behind the one that wrote last; in a
   * store of its own, no time.
   */
  async reach(moment: Moment | undefined): Promise<void> {
    if (moment === undefined || this.hasReached(moment)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stopTimer = this.#clock.at(this.#clock.now() + this.#patienceMs, () =>
      wait.end(behind(`within ${this.#patienceMs} ms`))
    )
    const wait: Wait = {
      moment,
      end: (error) => {
        stopTimer()
        this.#waits.delete(wait)
        if (error === undefined) resolve()
        else reject(error)
      }
    }
    this.#waits.add(wait)
    await promise
  }

  /** Nothing more is folded: nobody waits any longer. */
  stop(): void {
    for (const wait of this.#waits) wait.end(behind('before it stopped'))
  }
}

type Wait = { readonly moment: Moment; end(error?: ParcomoloError): void }

/** True where the first has come as far as the second in every place. */
export const covers = (positions: Positions, others: Positions): boolean => {
  for (const [place, { next }] of others) if ((positions.get(place)?.next ?? 0) < next) return false
  return true
}

const behind = (when: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_VIEW_BEHIND',
    `this process has not folded ${when} what another one has stored already; ` + 'ask again shortly, or ask the other',
    { retryable: true }
  )
