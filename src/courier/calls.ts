import type { Clock } from '../base/index.ts'
import { isPatient } from './delivery.ts'
import type { Call } from './component.ts'

export type CallsDeps = {
  readonly clock: Clock
  /** Calls at a time, and a second, as it is now. */
  readonly limits: () => { readonly concurrency: number; readonly perSecond?: number }
  /** Makes the call and tells what came of it; never rejects. */
  readonly make: (call: Call) => Promise<void>
}

/**
 * The calls of one participant that this process makes: so many at a time and a second, those first that were not tried
 * often yet. Those that were have half of the places, so that a call that hangs each time cannot have them all.
 */
export class Calls {
  readonly #deps: CallsDeps
  readonly #waiting = { eager: new Map<string, Call>(), patient: new Map<string, Call>() }
  readonly #underWay = { eager: new Set<string>(), patient: new Set<string>() }
  #nextAt = 0
  #cancelAlarm: (() => void) | undefined
  #isStopped = false

  constructor(deps: CallsDeps) {
    this.#deps = deps
  }

  /** Nothing happens where this command waits to be called, or is. */
  begin(call: Call): void {
    const { eager, patient } = this.#underWay
    if (eager.has(call.id) || patient.has(call.id)) return
    this.#waiting[isPatient(call) ? 'patient' : 'eager'].set(call.id, call)
    this.#next()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelAlarm?.()
  }

  #next(): void {
    while (!this.#isStopped && this.#isInTime()) {
      const kind = this.#kindOfNext()
      if (kind === undefined) return
      const [id, call] = this.#waiting[kind].entries().next().value!
      this.#waiting[kind].delete(id)
      this.#underWay[kind].add(id)
      this.#countCall()
      void this.#deps.make(call).finally(() => {
        this.#underWay[kind].delete(id)
        this.#next()
      })
    }
  }

  #kindOfNext(): 'eager' | 'patient' | undefined {
    const { concurrency } = this.#deps.limits()
    const [waiting, underWay] = [this.#waiting, this.#underWay]
    if (underWay.eager.size + underWay.patient.size >= concurrency) return undefined
    if (waiting.eager.size > 0) return 'eager'
    const patientMost = Math.max(1, Math.floor(concurrency / 2))
    return waiting.patient.size > 0 && underWay.patient.size < patientMost ? 'patient' : undefined
  }

  #isInTime(): boolean {
    const { clock } = this.#deps
    if (this.#cancelAlarm !== undefined) return false
    if (clock.now() >= this.#nextAt) return true
    if (this.#waiting.eager.size + this.#waiting.patient.size === 0) return true
    this.#cancelAlarm = clock.at(this.#nextAt, () => {
      this.#cancelAlarm = undefined
      this.#next()
    })
    return false
  }

  #countCall(): void {
    const { perSecond } = this.#deps.limits()
    if (perSecond === undefined) return
    // Rounded, since alarms are: what was too early by a part of a millisecond is made up for by the next.
    this.#nextAt = Math.max(this.#nextAt, this.#deps.clock.now() - 1) + 1_000 / perSecond
  }
}
