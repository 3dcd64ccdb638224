import { type Definition } from '../../definition/index.ts'
import { type SagaEvent, type SagaInput } from '../instance.ts'

/** The start event, for a key that has no instance yet. */
export const begin = (
  { name, revision, deadlineMs }: Definition,
  { key, message, cancelledBy }: SagaInput & { readonly kind: 'start' },
  now: number
): readonly SagaEvent[] => {
  const deadlineAt = deadlineMs === undefined ? null : now + deadlineMs
  const started: SagaEvent = { type: 'SagaStarted', value: { saga: name, key, revision, start: message, deadlineAt } }
  return cancelledBy === undefined ? [started] : [started, { type: 'CancelRequested', value: { event: cancelledBy } }]
}
