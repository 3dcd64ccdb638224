import type { Clock } from '../base/index.ts'
import type { RunningCount, RunningPort } from './ports.ts'

export type RunningCountsDeps = {
  readonly running: RunningPort
  readonly clock: Clock
  /** These sagas have other counts than before; all may have where none are named. */
  readonly onChanged: (sagas: readonly string[] | undefined) => void
  readonly onError: (error: unknown) => void
}

/** A status is for people to look at: it need not follow each instance. */
const everyMs = 10_000

/** Asks the read model now and then what runs, so that no reconcile has to wait for it. */
export class RunningCounts {
  readonly #deps: RunningCountsDeps
  #counts: ReadonlyMap<string, readonly RunningCount[]> | undefined
  #cancel: (() => void) | undefined
  #isStopped = false
  #isFailing = false
  #asking: Promise<void> = Promise.resolve()

  constructor(deps: RunningCountsDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#asking = this.#ask()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#asking
  }

  /** As it was last said; undefined before that. */
  of(saga: string): readonly RunningCount[] | undefined {
    return this.#counts === undefined ? undefined : (this.#counts.get(saga) ?? [])
  }

  async #ask(): Promise<void> {
    try {
      this.#take(Map.groupBy(await this.#deps.running.count(), ({ saga }) => saga))
      this.#isFailing = false
    } catch (error) {
      // The read model may be away for long: that is said once.
      if (!this.#isFailing) this.#deps.onError(error)
      this.#isFailing = true
    }
    if (this.#isStopped) return
    this.#cancel = this.#deps.clock.at(this.#deps.clock.now() + everyMs, () => this.start())
  }

  #take(counts: ReadonlyMap<string, readonly RunningCount[]>): void {
    const before = this.#counts
    this.#counts = counts
    if (before === undefined) return this.#deps.onChanged(undefined)
    const changed = [...new Set([...before.keys(), ...counts.keys()])].filter(
      (saga) => JSON.stringify(before.get(saga)) !== JSON.stringify(counts.get(saga))
    )
    if (changed.length > 0) this.#deps.onChanged(changed)
  }
}
