import type { AtBoundary } from './snapshots.ts'

/** What is to be done between two rounds of a task. */
export class Boundary {
  readonly #onWork: () => void
  #waiting: ((journalEnd: number | undefined) => void)[] = []
  #closed = false

  /** `onWork`: there is something to be done. */
  constructor(onWork: () => void) {
    this.#onWork = onWork
  }

  readonly at: AtBoundary = <T>(work: (journalEnd: number) => T) =>
    new Promise<T | undefined>((resolve, reject) => {
      if (this.#closed) return resolve(undefined)
      this.#waiting.push((journalEnd) => {
        if (journalEnd === undefined) return resolve(undefined)
        try {
          resolve(work(journalEnd))
        } catch (error) {
          reject(error)
        }
      })
      this.#onWork()
    })

  /** A round has ended, and memory equals the journal, whose next offset this is. */
  run(journalEnd: number): void {
    for (const work of this.#waiting.splice(0)) work(journalEnd)
  }

  /** The task has stopped: nothing is done any more. */
  close(): void {
    this.#closed = true
    for (const work of this.#waiting.splice(0)) work(undefined)
  }
}
