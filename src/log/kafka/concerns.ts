import type { ParcomoloError } from '../../base/index.ts'

/** Hears of what concerns one topic alone; undefined: it is over. */
export type OnConcern = (about: string, error: ParcomoloError | undefined) => void

/** An error in the words of the port: `about` is what was to be done. */
type Wording = (about: string, topic: string, cause: unknown) => ParcomoloError

/**
 * What is wrong with single topics, and waits for somebody to cure it while all else goes on. Each is told once, and
 * once when it is over.
 */
export class Concerns {
  readonly #open = new Map<string, ParcomoloError>()
  readonly #onConcern: OnConcern
  readonly #wording: Wording

  constructor(onConcern: OnConcern, wording: Wording) {
    this.#onConcern = onConcern
    this.#wording = wording
  }

  /** `topic`: its name in the cluster. */
  raise(about: string, topic: string, cause: unknown): void {
    if (!this.#open.has(about)) this.tell(about, this.#wording(about, topic, cause))
  }

  tell(about: string, error: ParcomoloError): void {
    if (this.#open.has(about)) return
    this.#open.set(about, error)
    this.#onConcern(about, error)
  }

  settle(about: string): void {
    if (this.#open.delete(about)) this.#onConcern(about, undefined)
  }

  all(): readonly ParcomoloError[] {
    return [...this.#open.values()]
  }
}
