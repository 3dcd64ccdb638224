/**
 * One budget of bytes for all that a process has read, or waits to write, and still holds. Who holds something has an
 * account; nobody has to know of the others.
 *
 * B3. An account may hold as much as a quarter of what nobody holds: so one alone has a fifth of the budget, any number
 *     of busy ones have even parts of nearly all of it, and whoever comes late finds room. (Dynamic thresholds for
 *     shared buffers, Choudhury and Hahne 1998.)
 * B4. An account that holds nothing may always have one batch. That is the only way over the budget, and why nobody
 *     ever waits for room: there is no deadlock, and nobody to be woken.
 */
export class Budget {
  readonly bytesMax: number
  #heldBytes = 0
  readonly #holders = new Map<string, Holder>()
  readonly #accountBytesMin: number

  constructor(bytesMax: number, leastOfAccount = accountBytesMin) {
    this.bytesMax = bytesMax
    this.#accountBytesMin = leastOfAccount
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** What fills it, by the names that the accounts were opened under. */
  get holders(): ReadonlyMap<string, Readonly<Holder>> {
    return this.#holders
  }

  /** `name`: what it is for, as a metric says it; any number of accounts may have the same. */
  account(name: string): Account {
    let holder = this.#holders.get(name)
    if (holder === undefined) this.#holders.set(name, (holder = { heldBytes: 0 }))
    return new Account(this, holder, this.#accountBytesMin, (bytes) => (this.#heldBytes += bytes))
  }
}

type Holder = { heldBytes: number }

/** What the smallest account may hold (B4): some dozens of records. */
export const accountBytesMin = 64 * 1024

export class Account {
  #heldBytes = 0
  readonly #budget: Budget
  readonly #holder: Holder
  readonly #bytesMin: number
  readonly #add: (bytes: number) => void

  constructor(budget: Budget, holder: Holder, bytesMin: number, add: (bytes: number) => void) {
    this.#budget = budget
    this.#holder = holder
    this.#bytesMin = bytesMin
    this.#add = add
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** How many bytes it may hold in all, at this moment. */
  get bytesMax(): number {
    return Math.max(this.#bytesMin, (this.#budget.bytesMax - this.#budget.heldBytes) / 4)
  }

  hold(bytes: number): void {
    this.#heldBytes += bytes
    this.#holder.heldBytes += bytes
    this.#add(bytes)
  }

  release(bytes: number): void {
    this.hold(-bytes)
  }

  /** Holds nothing any more. */
  clear(): void {
    this.release(this.#heldBytes)
  }
}
