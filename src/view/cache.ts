/**
 * The rows of one table that are in memory: those changed since the last write to the store, those being written, those that a round needs,
 * and a bounded number of recent ones.
 *
 * C1. A changed row leaves memory only after the store has it.
 */
export class RowCache<T> {
  #changed = new Map<string, T>()
  #writing = new Map<string, T>()
  #pinned: ReadonlyMap<string, T> = new Map()
  readonly #recent = new Map<string, T>()
  readonly #recentMax: number

  constructor(recentMax: number) {
    this.#recentMax = recentMax
  }

  get changedCount(): number {
    return this.#changed.size + this.#writing.size
  }

  get(key: string): T | undefined {
    return this.#changed.get(key) ?? this.#writing.get(key) ?? this.#pinned.get(key) ?? this.#recent.get(key)
  }

  change(key: string, row: T): void {
    this.#changed.set(key, row)
  }

  /** Keeps these rows, as the store has them, in memory for one round of folding, whatever a write meanwhile pushes out. */
  pin(rows: ReadonlyMap<string, T>): void {
    this.#pinned = rows
  }

  /** After the round: what is pinned would soon be out of date. */
  unpin(): void {
    this.#pinned = new Map()
  }

  /** A row as the store has it. */
  remember(key: string, row: T): void {
    this.#recent.delete(key)
    this.#recent.set(key, row)
    if (this.#recent.size <= this.#recentMax) return
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      return
    }
  }

  /** What has changed, for one write, which `written` or `failed` must follow. */
  startWrite(): ReadonlyMap<string, T> {
    this.#writing = this.#changed
    this.#changed = new Map()
    return this.#writing
  }

  written(): void {
    for (const [key, row] of this.#writing) this.remember(key, row)
    this.#writing = new Map()
  }

  failed(): void {
    this.#changed = new Map([...this.#writing, ...this.#changed])
    this.#writing = new Map()
  }
}
