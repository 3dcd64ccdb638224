import { type SagaEvent } from '../instance.ts'
import { sagaParked, sendAgainLater } from '../send.ts'
import { attemptOf, slotOf, stateOf } from '../slot.ts'
import { about, commandOf, start, type Target, type Turn, undoOf } from '../turn.ts'

/**
 * Answers that are overdue. Pauses that are over and the deadline need nothing here: they follow from the time alone
 * (`forward.ts`, `backward.ts`). What was answered in time waits for no timer, so one that fires early, late or twice
 * finds nothing.
 */
export const fireTimers = (turn: Turn): readonly SagaEvent[] =>
  turn.instance.timers.flatMap(({ index, dueAt }) => {
    const state = stateOf(slotOf(turn.instance, index))
    if (dueAt > turn.now || (state !== 'sent' && state !== 'undoing')) return []
    return [
      state === 'sent' ? giveUp(turn, commandOf(turn.definition.steps[index]!)) : giveUpUndo(turn, undoAt(turn, index))
    ]
  })

const undoAt = ({ definition }: Turn, index: number): Target => {
  const step = definition.steps[index]
  return step === undefined ? undoOf(start, definition.start.compensate!) : undoOf(about(step), step.compensate!)
}

/** At the end of each round of attempts it is for `onUnknown` to say what follows. */
const giveUp = (turn: Turn, target: Target): SagaEvent => {
  const attempts = attemptOf(slotOf(turn.instance, target.index))
  if (attempts % target.call.retry.attempts > 0) return sendAgainLater(turn, target, attempts + 1)
  const { step, index } = target
  return { type: 'StepUnknown', value: { step, index, attempts } }
}

const giveUpUndo = (turn: Turn, target: Target): SagaEvent => {
  const attempts = attemptOf(slotOf(turn.instance, target.index))
  if (attempts < target.call.retry.attempts) return sendAgainLater(turn, target, attempts + 1)
  return sagaParked(target, `the undo of '${target.step}' was not answered in ${attempts} attempts`)
}
