import { type Call } from '../definition.ts'
import { type SagaEvent } from '../instance.ts'
import { sagaParked, sendAgainLater } from '../send.ts'
import { attemptOf, dueOf, slotOf, stateOf } from '../slot.ts'
import { about, commandOf, start, type Target, type Turn, undoOf } from '../turn.ts'

/**
 * Answers that are overdue. Pauses that are over and the deadline need nothing here: they follow from the time alone (`forward.ts`, `backward.ts`).
 * What was answered in time waits for no timer, so one that fires early, late or twice finds nothing.
 */
export const fireTimers = (turn: Turn): readonly SagaEvent[] => {
  const { definition, instance } = turn
  const events: SagaEvent[] = []
  if (isOverdue(turn, start.index)) events.push(giveUpUndo(turn, undoOf(start, definition.start.compensate!)))
  for (const step of definition.steps) {
    if (!isOverdue(turn, step.index)) continue
    const isUndo = stateOf(slotOf(instance, step.index)) === 'undoing'
    events.push(isUndo ? giveUpUndo(turn, undoOf(about(step), step.compensate!)) : giveUp(turn, commandOf(step)))
  }
  return events
}

const isOverdue = ({ instance, now }: Turn, index: number): boolean => {
  const due = dueOf(instance, index)
  const state = stateOf(slotOf(instance, index))
  return due !== 0 && due <= now && (state === 'sent' || state === 'undoing')
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
