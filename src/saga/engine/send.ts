import { type Emission, limitText, sagaLimits, type Scope } from '../definition/index.ts'
import { timerOf } from './attempt.ts'
import { pauseMs } from './backoff.ts'
import { commandId } from './command-id.ts'
import { type About, type Failure, type Instance, type SagaEvent } from './instance.ts'
import { InstanceScope } from './scope.ts'
import { attemptMax } from './slot.ts'
import { type Target, type Turn } from './turn.ts'

/**
 * The command is issued, or its arguments cannot be had. The arguments are the same at every attempt, as nothing that
 * they read changes meanwhile.
 */
export const send = (turn: Turn, target: Target, attempt: number): SagaEvent => {
  const { step, index, call, undo, pivot } = target
  const made = evaluate(turn, call.arguments)
  if (typeof made === 'string') return expressionFailed(turn, target, made)
  const key = call.key === undefined ? { value: null } : keyIn(made.value, call.key.field, call.command)
  if (typeof key === 'string') return expressionFailed(turn, target, key)
  return {
    type: 'CommandIssued',
    value: {
      step,
      index,
      undo,
      pivot,
      attempt,
      commandId: idOf(turn.instance, target),
      command: call.command,
      commandFullName: call.commandFullName,
      inbox: call.inbox,
      recordKey: key.value,
      arguments: made.value,
      dueAt: turn.now + call.timeoutMs,
      expiresAt: timerOf(turn.instance, index)?.expiresAt ?? expiryOf(turn, target)
    }
  }
}

/** What names the entity, or the message of the error: nobody could be told by an empty key, nor by one without end. */
const keyIn = (
  value: Readonly<Record<string, unknown>>,
  field: string,
  command: string
): { readonly value: string } | string => {
  const key = value[field]
  const { keyChars } = sagaLimits
  if (typeof key === 'string' && key.length > 0 && key.length <= keyChars.value) return { value: key }
  const found = typeof key === 'string' && key !== '' ? `has ${key.length} characters` : 'is empty'
  return `the key '${field}' of ${command} ${found}; expected the name of what it is for; ${limitText(keyChars)}`
}

export const sendAgainLater = (turn: Turn, target: Target, next: number): SagaEvent => {
  const attempt = Math.min(next, attemptMax)
  const { step, index, call, undo } = target
  const dueAt = turn.now + pauseMs(call.retry, idOf(turn.instance, target), attempt)
  return { type: 'RetryScheduled', value: { step, index, undo, attempt, dueAt, inbox: call.inbox } }
}

/** Its own time, and the saga's, which ends for what goes forward where the pivot is sent. */
const expiryOf = ({ instance, now }: Turn, { call, undo, pivot }: Target): number | null => {
  const within = call.withinMs === undefined ? Infinity : now + call.withinMs
  const deadline = undo || pivot || instance.phase !== 'forward' ? null : instance.deadlineAt
  const earliest = Math.min(within, deadline ?? Infinity)
  return earliest === Infinity ? null : earliest
}

/** The last events: what `complete` or `abort` asks for, and the end. */
export const finish = (
  turn: Turn,
  about: About & { readonly undo: boolean },
  emission: Emission | undefined,
  end: 'SagaCompleted' | 'SagaCompensated'
): readonly SagaEvent[] => {
  if (emission === undefined) return [{ type: end, value: {} }]
  const made = evaluate(turn, emission.arguments)
  if (typeof made === 'string') return [expressionFailed(turn, about, made)]
  const { event, eventFullName } = emission
  return [
    { type: 'Emitted', value: { event, eventFullName, arguments: made.value } },
    { type: end, value: {} }
  ]
}

/**
 * The value, or the message of the error: whatever an expression throws is about the data that it met, never a fault of
 * the engine.
 */
export const evaluate = <T>(turn: Turn, expression: { evaluate(scope: Scope): T }): { readonly value: T } | string => {
  try {
    return { value: expression.evaluate(new InstanceScope(turn)) }
  } catch (error) {
    return (error as Error).message
  }
}

/** Going forward it turns the saga back; in an undo, and where there is no way back, it needs an operator. */
export const expressionFailed = (turn: Turn, about: About & { readonly undo: boolean }, message: string): SagaEvent =>
  turn.instance.phase === 'forward'
    ? compensationStarted({ type: 'ExpressionFailed', step: about.step, message })
    : sagaParked(about, message)

export const compensationStarted = (failure: Failure): SagaEvent => ({
  type: 'CompensationStarted',
  value: { failure }
})

export const sagaParked = ({ step, index, undo }: About & { readonly undo: boolean }, reason: string): SagaEvent => ({
  type: 'SagaParked',
  value: { step, index, undo, reason }
})

const idOf = ({ saga, key }: Instance, { step, undo }: Target): string => commandId(saga, step, key, undo)
