import { SteadyClock } from '../../src/base/index.ts'

/** The clock that a process has, on a machine whose clocks are moved: its wall clock jumps, time passes by itself. */
export class JumpingClock extends SteadyClock {
  readonly jumps: number[] = []
  readonly #machine: Machine

  constructor(wall: number) {
    const machine = new Machine(wall)
    super(machine)
    this.#machine = machine
    this.onJump((ms) => this.jumps.push(ms))
  }

  /** As the machine has it. */
  get wall(): number {
    return this.#machine.wall()
  }

  /** Lets time pass, a timer after the other; somebody looks at the clock each second. */
  pass(ms: number): void {
    const until = this.#machine.monotonic() + ms
    for (let next = this.#machine.nextLook(); next <= until; next = this.#machine.nextLook()) {
      this.#machine.passUntil(next)
      this.look()
    }
    this.#machine.passUntil(until)
  }

  /** The wall clock is set, or the machine sleeps. */
  jump(ms: number): void {
    this.#machine.offsetMs += ms
  }
}

const lookEveryMs = 1000

type Timer = { readonly at: number; readonly call: () => void }

class Machine {
  offsetMs = 0
  #passedMs = 0
  readonly #wall: number
  readonly #timers = new Set<Timer>()

  constructor(wall: number) {
    this.#wall = wall
  }

  wall(): number {
    return this.#wall + this.#passedMs + this.offsetMs
  }

  monotonic(): number {
    return this.#passedMs
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#passedMs + ms, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  nextLook(): number {
    return (Math.floor(this.#passedMs / lookEveryMs) + 1) * lookEveryMs
  }

  passUntil(until: number): void {
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due)
      this.#passedMs = due.at
      due.call()
    }
    this.#passedMs = until
  }
}
