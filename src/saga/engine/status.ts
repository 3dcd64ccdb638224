import { type AttemptOf, dueOf } from './attempt.ts'
import { type Instance, type SagaStatus } from './instance.ts'
import { attemptOf, isParked, type SlotState, stateOf } from './slot.ts'

/** What an operator sees. Of several at once the first of: parked, compensating, retrying, running, waiting. */
export const statusOf = (instance: Instance): SagaStatus => {
  const { phase, slots } = instance
  if (phase === 'completed' || phase === 'compensated') return phase
  if (instance.standsStill === true || slots.some(isParked)) return 'parked'
  if (phase === 'backward') return 'compensating'
  if (slots.some(isRetrying)) return 'retrying'
  if (has(slots, 'waiting') && !has(slots, 'sent')) return 'waiting'
  return 'running'
}

/** True when nothing more will ever follow from any input. A parked instance has not ended. */
export const hasEnded = (instance: Instance): boolean =>
  instance.phase === 'completed' || instance.phase === 'compensated'

/**
 * When the instance next wants a timer input: an overdue answer, a pause that is over, a command whose time is over, or
 * the deadline, which counts until the pivot's command is sent.
 */
export const dueAt = (instance: Instance, attemptOf?: AttemptOf): number | undefined => {
  let earliest = instance.phase === 'forward' ? (instance.deadlineAt ?? Infinity) : Infinity
  for (const timer of instance.timers) earliest = Math.min(earliest, dueOf(timer, attemptOf))
  return earliest === Infinity ? undefined : earliest
}

const isRetrying = (slot: number): boolean => {
  const state = stateOf(slot)
  return state === 'pausing' || (state === 'sent' && attemptOf(slot) > 1)
}

const has = (slots: readonly number[], state: SlotState): boolean => slots.some((slot) => stateOf(slot) === state)
