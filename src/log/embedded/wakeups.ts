/**
 * Gathers everything that is to be woken in a turn of the event loop, and wakes it once, at the turn's end: so
 * batches form by themselves.
 */
export class Wakeups {
  readonly #waking = new Set<{ look(): void }>()

  add(one: { look(): void }): void {
    if (this.#waking.size === 0) setImmediate(this.#wake)
    this.#waking.add(one)
  }

  readonly #wake = (): void => {
    const waking = [...this.#waking]
    this.#waking.clear()
    for (const one of waking) one.look()
  }
}
