import { type Step } from '../definition/index.ts'
import { type SagaEvent } from './instance.ts'
import { compensationStarted, evaluate, expressionFailed, finish, sagaParked, send, sendAgainLater } from './send.ts'
import { attemptOf, isParked, slotOf, stateOf } from './slot.ts'
import { about, commandOf, isDue, start, type Turn } from './turn.ts'
import { type Found, walk } from './walk.ts'

/** What follows while the saga goes forward. Whatever turns it back comes before anything that sends it further. */
export const forward = (turn: Turn): readonly SagaEvent[] => {
  const turning = reachPivot(turn) ?? answerCancel(turn) ?? keepDeadline(turn) ?? faceFailure(turn)
  if (turning !== undefined) return [turning]
  const { definition, instance } = turn
  const found = walk(definition.body, 'forward', (index) => goOn(turn, definition.steps[index]!))
  if (typeof found === 'object') return [found]
  if (found === 'busy' || isParked(slotOf(instance, start.index))) return []
  return finish(turn, { step: 'complete', index: start.index, undo: false }, definition.complete, 'SagaCompleted')
}

/** A pivot that is skipped has been passed all the same: the steps after it have no undo. */
const reachPivot = ({ definition, instance }: Turn): SagaEvent | undefined => {
  if (instance.phase === 'committed') return undefined
  const pivot = definition.steps.find((step) => step.pivot && isDone(slotOf(instance, step.index)))
  return pivot && { type: 'PivotReached', value: about(pivot) }
}

/**
 * A cancel waits while the pivot is in flight. Where the pivot is then rejected, the failure is the cancel: it is why.
 */
const answerCancel = (turn: Turn): SagaEvent | undefined => {
  const { cancel, cancelRefused, phase } = turn.instance
  if (cancel === null || cancelRefused) return undefined
  if (phase === 'committed') return { type: 'CancelRefused', value: { reason: 'the pivot has been reached' } }
  return mayTurnBack(turn) ? compensationStarted({ type: cancel, step: '', message: `'${cancel}' came` }) : undefined
}

const keepDeadline = ({ instance: { phase, deadlineAt }, now }: Turn): SagaEvent | undefined =>
  phase === 'forward' && deadlineAt !== null && now >= deadlineAt
    ? compensationStarted({ type: 'DeadlineExceeded', step: '', message: 'the deadline has passed' })
    : undefined

const faceFailure = (turn: Turn): SagaEvent | undefined => {
  for (const step of turn.definition.steps) {
    const slot = slotOf(turn.instance, step.index)
    const event = isParked(slot) ? undefined : faceStep(turn, step, slot)
    if (event !== undefined) return event
  }
  return undefined
}

const faceStep = (turn: Turn, step: Step, slot: number): SagaEvent | undefined => {
  switch (stateOf(slot)) {
    case 'rejected':
      return faceRejection(turn, step)
    case 'unknown':
      return faceUnknown(turn, step, attemptOf(slot))
    default:
      return undefined
  }
}

/** A failure that would turn it back waits while the pivot is in flight. */
const faceRejection = (turn: Turn, step: Step): SagaEvent | undefined => {
  if (step.onRejection === 'park' || turn.instance.phase === 'committed') {
    // A rejection is faced in the turn that it comes in, so the latest is this step's.
    return sagaParked(commandOf(step), turn.instance.failure!.message)
  }
  return mayTurnBack(turn) ? compensationStarted(turn.instance.failure!) : undefined
}

/** How the pivot went, or a step after it, only an answer can tell: it is asked for again and again. */
const faceUnknown = (turn: Turn, step: Step, attempts: number): SagaEvent | undefined => {
  const message = `step '${step.name}' was not answered in ${attempts} attempts`
  if (step.onUnknown === 'park') return sagaParked(commandOf(step), message)
  if (step.onUnknown === 'retry' || step.pivot || turn.instance.phase === 'committed') {
    return sendAgainLater(turn, commandOf(step), attempts + 1)
  }
  return mayTurnBack(turn) ? compensationStarted({ type: 'Unknown', step: step.name, message }) : undefined
}

const mayTurnBack = ({ definition, instance }: Turn): boolean =>
  instance.phase === 'forward' ||
  definition.steps.some((step) => step.pivot && stateOf(slotOf(instance, step.index)) === 'rejected')

const goOn = (turn: Turn, step: Step): Found => {
  const slot = slotOf(turn.instance, step.index)
  if (isParked(slot)) return 'busy'
  switch (stateOf(slot)) {
    case 'idle':
      return begin(turn, step)
    case 'pausing':
      return isDue(turn, step.index) ? send(turn, commandOf(step), attemptOf(slot)) : 'busy'
    default:
      return isDone(slot) ? 'through' : 'busy'
  }
}

const begin = (turn: Turn, step: Step): SagaEvent => {
  const wanted = step.when === undefined ? { value: true } : evaluate(turn, step.when)
  if (typeof wanted === 'string') return expressionFailed(turn, commandOf(step), wanted)
  return wanted.value === false ? { type: 'StepSkipped', value: about(step) } : send(turn, commandOf(step), 1)
}

const isDone = (slot: number): boolean => stateOf(slot) === 'succeeded' || stateOf(slot) === 'skipped'
