/** What an entity was before an event that may have to be taken back. */
type Undo<S> = { key: string; before: S | undefined; version: number }

/** What the events that follow from one input have changed, the latest first; the places are used again. */
export class Undos<S> {
  readonly #undos: Undo<S>[] = []
  #count = 0
  #isOpen = false

  begin(): void {
    this.#count = 0
    this.#isOpen = true
  }

  /** Nothing is noted until the next begin. */
  end(): void {
    this.#isOpen = false
  }

  note(key: string, before: S | undefined, version: number): void {
    if (!this.#isOpen) return
    const undo = (this.#undos[this.#count++] ??= { key, before, version })
    undo.key = key
    undo.before = before
    undo.version = version
  }

  take(): Undo<S> | undefined {
    return this.#count === 0 ? undefined : this.#undos[--this.#count]
  }
}
