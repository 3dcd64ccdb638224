/** Milliseconds: of the wall, which jumps, and since some start, which stands still while some machines sleep. */
export type Clocks = { readonly wall: () => number; readonly sinceStart: () => number }

export const systemClocks: Clocks = { wall: () => Date.now(), sinceStart: () => performance.now() }

/**
 * How long a proof is good, where nobody says otherwise: well below what brokers keep ids for when nobody uses them
 * (`transactional.id.expiration.ms`, 7 days, and `producer.id.expiration.ms`, 1 day), and long enough not to be felt.
 */
export const proofMsStandard = 60 * 60 * 1000

/** When a writer has last proved that it is the one. By whichever clock says that it is too long ago, it is. */
export class Proof {
  readonly #clocks: Clocks
  readonly #goodMs: number
  #wall = 0
  #sinceStart = 0

  constructor(goodMs: number, clocks: Clocks) {
    this.#goodMs = goodMs
    this.#clocks = clocks
    this.give()
  }

  give(): void {
    this.#wall = this.#clocks.wall()
    this.#sinceStart = this.#clocks.sinceStart()
  }

  get isStale(): boolean {
    const passed = Math.abs(this.#clocks.wall() - this.#wall)
    return passed > this.#goodMs || this.#clocks.sinceStart() - this.#sinceStart > this.#goodMs
  }
}
