import type { AtBoundary } from './snapshots.ts'

/** What is to be done between two rounds of a task. */
export class Boundary {
  readonly #onWork: () => void
  #waiting: ((journalEnd: number | undefined) => void)[] = []
  #settledAt: number | undefined
  #closed = false

  /** `onWork`: there is something to be done. */
  constructor(onWork: () => void) {
    this.#onWork = onWork
  }

  readonly at: AtBoundary = <T>(work: (journalEnd: number) => T) =>
    new Promise<T | undefined>((resolve, reject) => {
      this.#waiting.push((journalEnd) => {
        if (journalEnd === undefined) return resolve(undefined)
        try {
          resolve(work(journalEnd))
        } catch (error) {
          reject(error)
        }
      })
      if (this.#closed) this.#do(undefined)
      else if (this.#settledAt !== undefined) this.#do(this.#settledAt)
      else this.#onWork()
    })

  /** A round has ended, and memory equals the journal, whose next offset this is. */
  run(journalEnd: number): void {
    this.#do(journalEnd)
  }

  /** There is no other round: from now on all is done at once. */
  settle(journalEnd: number): void {
    this.#settledAt = journalEnd
    this.#do(journalEnd)
  }

  /** Nothing is done any more. */
  close(): void {
    this.#closed = true
    this.#do(undefined)
  }

  #do(journalEnd: number | undefined): void {
    for (const work of this.#waiting.splice(0)) work(journalEnd)
  }
}
