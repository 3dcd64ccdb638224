import { type ElapsedClock, SteadyClock } from '../../src/base/index.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Each looks at its clock so often; here only where there may be something to see. */
const lookEveryMs = 1000

/**
 * A process: what it waits for comes through here. When it has crashed nothing comes any more, so whatever it was doing
 * has ended between two effects; while it is paused everything comes later, and it does not know.
 */
export class SimulatedProcess {
  readonly name: string
  /** Whose wall clock it has: several processes, and one after the other, run on one machine. */
  readonly machine: string
  readonly clock: ElapsedClock
  isAlive = true
  #pausedUntil = 0
  readonly #time: VirtualTime
  readonly #onCrash: (() => void)[] = []

  constructor(name: string, time: VirtualTime) {
    this.name = name
    this.#time = time
    this.machine = name.replace(/[./].*/, '')
    const clock = new SteadyClock({
      wall: () => time.wallOf(this.machine),
      monotonic: () => time.now(),
      after: (ms, call) => this.after(ms, call)
    })
    this.clock = clock
    time.onWallMoved(() => this.after(time.between(0, lookEveryMs), () => clock.look()))
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
