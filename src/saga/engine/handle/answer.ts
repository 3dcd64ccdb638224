import { type Call, type Step } from '../../definition/index.ts'
import { parseCommandId } from '../command-id.ts'
import { type About, type Payload, type SagaEvent, type SagaInput } from '../instance.ts'
import { sagaParked } from '../send.ts'
import { isAnswered, isOpen, isParked, slotOf, stateOf } from '../slot.ts'
import { about, start, type Turn, undoOf } from '../turn.ts'

/**
 * What a participant says to a command. The step's contract tells whether it is a reply, a rejection, or nothing that
 * the saga waits for.
 */
export const answer = (
  turn: Turn,
  { commandId, message }: SagaInput & { readonly kind: 'answer' }
): readonly SagaEvent[] => {
  const address = parseCommandId(commandId)
  if (address === undefined || address.saga !== turn.instance.saga || address.key !== turn.instance.key) return []
  const { definition } = turn
  if (address.undo && address.step === start.step)
    return undoAnswered(turn, start, definition.start.compensate, message)
  const step = definition.steps.find(({ name }) => name === address.step)
  if (step === undefined) return []
  return address.undo ? undoAnswered(turn, about(step), step.compensate, message) : stepAnswered(turn, step, message)
}

const stepAnswered = (turn: Turn, step: Step, message: Payload): readonly SagaEvent[] => {
  const slot = slotOf(turn.instance, step.index)
  switch (meaningOf(step, message)) {
    case 'success':
      return turn.instance.phase === 'backward' ? succeededLate(step, slot, message) : succeeded(step, slot, message)
    case 'progress':
      return progressed(turn, step, message)
    case 'rejection':
      return isOpen(slot) ? [{ type: 'StepRejected', value: { ...about(step), rejection: message } }] : []
    case 'nothing':
      return []
  }
}

/** Where there is an `until`, its event is the success, whether the reply has come before it or not. */
const meaningOf = (step: Step, { type }: Payload): 'success' | 'progress' | 'rejection' | 'nothing' => {
  if (type === step.until) return 'success'
  if (step.replies.includes(type)) return step.until === undefined ? 'success' : 'progress'
  return step.rejections.includes(type) ? 'rejection' : 'nothing'
}

const succeeded = (step: Step, slot: number, reply: Payload): readonly SagaEvent[] =>
  isOpen(slot) ? [{ type: 'StepSucceeded', value: { ...about(step), reply, kept: step.keepsReply } }] : []

const progressed = ({ instance }: Turn, step: Step, reply: Payload): readonly SagaEvent[] => {
  const slot = slotOf(instance, step.index)
  const isAwaited = isOpen(slot) && stateOf(slot) !== 'waiting' && instance.phase !== 'backward'
  return isAwaited ? [{ type: 'StepProgressed', value: { ...about(step), reply } }] : []
}

/** Its undo has been sent already, or waits for what this reply says. */
const succeededLate = (step: Step, slot: number, reply: Payload): readonly SagaEvent[] => {
  const state = stateOf(slot)
  const wasSent = isOpen(slot) || state === 'undoing' || state === 'undoPausing' || state === 'undone'
  if (!wasSent || isAnswered(slot)) return []
  return [{ type: 'ReplyCameLate', value: { ...about(step), reply, kept: step.keepsReply } }]
}

const undoAnswered = (turn: Turn, undone: About, call: Call | undefined, { type }: Payload): readonly SagaEvent[] => {
  const slot = slotOf(turn.instance, undone.index)
  const state = stateOf(slot)
  if (call === undefined || (state !== 'undoing' && state !== 'undoPausing')) return []
  if (call.replies.includes(type)) return [{ type: 'StepCompensated', value: undone }]
  if (isParked(slot) || !call.rejections.includes(type)) return []
  return [sagaParked(undoOf(undone, call), `the undo of '${undone.step}' was rejected with '${type}'`)]
}
