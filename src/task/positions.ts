/**
 * How far a task has read: the next offset by `<topic>/<partition>`, and the next sequence of each source of commands
 * (headers.ts).
 */
export class Positions {
  readonly #next = new Map<string, number>()
  readonly #changed = new Set<string>()

  get(name: string): number {
    return this.#next.get(name) ?? 0
  }

  /** True when something is not yet covered by a batch. */
  get hasChanged(): boolean {
    return this.#changed.size > 0
  }

  /** False where it has come this far already. */
  advance(name: string, next: number): boolean {
    if (next <= this.get(name)) return false
    this.#next.set(name, next)
    this.#changed.add(name)
    return true
  }

  /** A partition is read again from an earlier place: it was made anew, and somebody has accepted what was lost. */
  beginAnew(name: string, next: number): void {
    this.#next.set(name, next)
    this.#changed.add(name)
  }

  /** Takes in what the journal says after all that was taken in before. */
  follow(positions: Readonly<Record<string, number>>): void {
    for (const [name, next] of Object.entries(positions)) this.#next.set(name, next)
  }

  /**
   * Takes in positions that the journal covers, in any order, or those of a snapshot, which may stand for what no batch
   * has said yet.
   */
  restore(positions: Readonly<Record<string, number>>, isJournaled: boolean): void {
    for (const [name, next] of Object.entries(positions)) {
      if (!isJournaled) this.advance(name, next)
      else if (next > this.get(name)) this.#next.set(name, next)
    }
  }

  /** What has changed since the last batch, for the next one. */
  takeChanged(): Record<string, number> {
    const changed: Record<string, number> = {}
    for (const name of this.#changed) changed[name] = this.get(name)
    this.#changed.clear()
    return changed
  }

  all(): Record<string, number> {
    return Object.fromEntries(this.#next)
  }
}
