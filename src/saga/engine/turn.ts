import { type Call, type CostBudget, type Definition, type Step } from '../definition/index.ts'
import { clockOf, type Time, timerOf } from './attempt.ts'
import { type About, type Instance } from './instance.ts'

/** What one microstep of `decide` looks at. */
export type Turn = Time & {
  readonly definition: Definition
  readonly instance: Instance
  /** Of all expressions that one input has evaluated. */
  readonly budget: CostBudget
}

/** A command and whose it is: a step's own, or the undo of a step or of the start. */
export type Target = About & { readonly call: Call; readonly undo: boolean; readonly pivot: boolean }

/** The start's name and place among the steps. Its undo is a step like the others, only the last. */
export const start: About = { step: 'start', index: -1 }

export const about = ({ name, index }: Step): About => ({ step: name, index })

export const commandOf = (step: Step): Target => ({ ...about(step), call: step, undo: false, pivot: step.pivot })

export const undoOf = ({ step, index }: About, call: Call): Target => ({ step, index, call, undo: true, pivot: false })

/** True when the pause of this step is over. */
export const isDue = ({ instance, now, attemptOf }: Turn, index: number): boolean => {
  const timer = timerOf(instance, index)
  return timer !== undefined && clockOf(timer, attemptOf) <= now
}
