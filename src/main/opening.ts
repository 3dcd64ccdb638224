import { type Clock, insist } from '../base/index.ts'

export type OpeningDeps = {
  /** Aborted when the process is to stop. */
  readonly signal: AbortSignal
  /** Resolves with the error when something that is open already has failed for good. */
  readonly failed: Promise<unknown>
  readonly clock: Clock
  /** A step has taken long, and goes on. */
  readonly onSlow: (what: string) => void
}

const slowMs = 15_000

/**
 * A start, step by step, and what it has opened.
 *
 * O1. A stop, or a failure of what is open, ends the step under way at once, whatever that waits for.
 * O2. Everything that was opened is closed in the opposite order, also what turns out to be open only later. Where a
 *     failure ended the start, the close waits for that, so that nothing is closed that it still uses.
 */
export class Opening {
  readonly #deps: OpeningDeps
  readonly #opened = new AsyncDisposableStack()
  readonly #interrupted: Promise<never>
  /** The steps under way, in the order of their beginning. */
  readonly #steps: string[] = []
  #last: string | undefined = 'starting'

  constructor(deps: OpeningDeps) {
    this.#deps = deps
    const { signal, failed } = deps
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    void failed.then(reject)
    this.#interrupted = promise
  }

  /** The step under way, of several the one that began first; undefined once all is done. */
  get doing(): string | undefined {
    return this.#steps[0] ?? this.#last
  }

  /** `what` it does, as it stands after "it is". */
  async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { signal, clock, onSlow } = this.#deps
    signal.throwIfAborted()
    this.#steps.push(what)
    this.#last = what
    let cancel = (): void => undefined
    const watch = (): void => {
      cancel = clock.at(clock.now() + slowMs, () => {
        onSlow(what)
        watch()
      })
    }
    watch()
    try {
      return await Promise.race([work(), this.#interrupted])
    } finally {
      cancel()
      this.#steps.splice(this.#steps.indexOf(what), 1)
    }
  }

  /** The work of a step, tried until it is done or the process is to stop; `onWaiting` is told why it waits. */
  insist<T>(work: () => Promise<T>, onWaiting: (error: unknown) => void): Promise<T> {
    const { signal, clock } = this.#deps
    return insist(work, { signal, clock, onWaiting })
  }

  /** A step that opens something, and how that is closed. */
  async take<T>(what: string, open: () => Promise<T>, close: (opened: T) => Promise<unknown>): Promise<T> {
    let opening: Promise<T> | undefined
    try {
      const opened = await this.step(what, () => (opening = open()))
      this.#opened.defer(async () => void (await close(opened)))
      return opened
    } catch (error) {
      const undone = opening?.then(close).catch(() => undefined)
      if (!this.#deps.signal.aborted) this.#opened.defer(async () => void (await undone))
      throw error
    }
  }

  /** Something that is closed without waiting. */
  defer(close: () => void): void {
    this.#opened.defer(close)
  }

  done(): void {
    this.#last = undefined
  }

  close(): Promise<void> {
    return this.#opened.disposeAsync()
  }
}
