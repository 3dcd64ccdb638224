import { clockOf } from '../attempt.ts'
import { type SagaEvent, type Timer } from '../instance.ts'
import { sagaParked, sendAgainLater } from '../send.ts'
import { attemptOf, slotOf, type SlotState, stateOf } from '../slot.ts'
import { about, commandOf, start, type Target, type Turn, undoOf } from '../turn.ts'

/**
 * Answers that are overdue, and commands whose time is over, read or not. Pauses that are over and the deadline need
 * nothing here: they follow from the time alone (`forward.ts`, `backward.ts`). What was answered in time waits for no
 * timer, so one that fires early, late or twice finds nothing.
 */
export const fireTimers = (turn: Turn): readonly SagaEvent[] =>
  turn.instance.timers.flatMap((timer) => {
    const state = stateOf(slotOf(turn.instance, timer.index))
    if (isExpired(turn, timer)) return [expire(turn, timer, state)]
    if (clockOf(timer, turn.attemptOf) > turn.now || (state !== 'sent' && state !== 'undoing')) return []
    return [state === 'sent' ? giveUp(turn, stepAt(turn, timer), timer) : giveUpUndo(turn, undoAt(turn, timer), timer)]
  })

/** Where the deadline has come, it says what follows. */
const isExpired = ({ instance: { phase, deadlineAt }, now }: Turn, { expiresAt = Infinity }: Timer): boolean =>
  expiresAt <= now && (phase !== 'forward' || deadlineAt === null || deadlineAt > now)

const expire = (turn: Turn, timer: Timer, state: SlotState): SagaEvent =>
  state === 'undoing' || state === 'undoPausing'
    ? parkUndo(turn, undoAt(turn, timer), 'in its time')
    : unknown(turn, stepAt(turn, timer))

const stepAt = ({ definition }: Turn, { index }: Timer): Target => commandOf(definition.steps[index]!)

const undoAt = ({ definition }: Turn, { index }: Timer): Target => {
  const step = definition.steps[index]
  return step === undefined ? undoOf(start, definition.start.compensate!) : undoOf(about(step), step.compensate!)
}

/** At the end of each round of attempts it is for `onUnknown` to say what follows. */
const giveUp = (turn: Turn, target: Target, timer: Timer): SagaEvent => {
  const attempts = attemptsOf(turn, target)
  const goesOn = attempts % target.call.retry.attempts > 0 || isUnread(turn, timer)
  return goesOn ? sendAgainLater(turn, target, attempts + 1) : unknown(turn, target)
}

const giveUpUndo = (turn: Turn, target: Target, timer: Timer): SagaEvent => {
  const attempts = attemptsOf(turn, target)
  const goesOn = attempts < target.call.retry.attempts || isUnread(turn, timer)
  return goesOn ? sendAgainLater(turn, target, attempts + 1) : parkUndo(turn, target, `in ${attempts} attempts`)
}

const attemptsOf = ({ instance }: Turn, { index }: Target): number => attemptOf(slotOf(instance, index))

/** Then its attempts are no sign of anything. */
const isUnread = (turn: Turn, timer: Timer): boolean => {
  const attempt = turn.attemptOf?.(timer)
  return attempt?.kind === 'probe' && attempt.isUnread
}

const unknown = (turn: Turn, target: Target): SagaEvent => {
  const { step, index } = target
  return { type: 'StepUnknown', value: { step, index, attempts: attemptsOf(turn, target) } }
}

const parkUndo = (turn: Turn, target: Target, when: string): SagaEvent =>
  sagaParked(target, `the undo of '${target.step}' was not answered ${when}`)
