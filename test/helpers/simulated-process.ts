import type { Clock } from '../../src/base/index.ts'
import type { VirtualTime } from './virtual-time.ts'

/**
 * A process: what it waits for comes through here. When it has crashed nothing comes any more, so whatever it was doing
 * has ended between two effects; while it is paused everything comes later, and it does not know.
 */
export class SimulatedProcess {
  readonly name: string
  readonly clock: Clock
  isAlive = true
  #pausedUntil = 0
  readonly #time: VirtualTime
  readonly #onCrash: (() => void)[] = []

  constructor(name: string, time: VirtualTime) {
    this.name = name
    this.#time = time
    this.clock = { now: () => time.now(), at: (atMs, call) => this.after(atMs - time.now(), call) }
  }

  get isPaused(): boolean {
    return this.#pausedUntil > this.#time.now()
  }

  after(delayMs: number, call: () => void): () => void {
    let cancel = this.#time.after(delayMs, () => fire())
    const fire = (): void => {
      if (!this.isAlive) return
      if (this.isPaused) cancel = this.#time.after(this.#pausedUntil - this.#time.now(), fire)
      else call()
    }
    return () => cancel()
  }

  /** Never resolves when the process crashes meanwhile. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve))
  }

  crash(): void {
    if (!this.isAlive) return
    this.#time.note(`${this.name} crashes`)
    this.isAlive = false
    for (const call of this.#onCrash) call()
  }

  pause(ms: number): void {
    this.#time.note(`${this.name} stands still for ${Math.round(ms)} ms`)
    this.#pausedUntil = this.#time.now() + ms
  }

  onCrash(call: () => void): void {
    this.#onCrash.push(call)
  }
}
