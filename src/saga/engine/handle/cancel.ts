import { type SagaEvent, type SagaInput } from '../instance.ts'
import { type Turn } from '../turn.ts'

/**
 * The cancel event: recorded once, and answered as soon as it can be (`forward.ts`). Where it already goes backward it
 * changes nothing.
 */
export const cancel = (
  { instance }: Turn,
  { message }: SagaInput & { readonly kind: 'cancel' }
): readonly SagaEvent[] => {
  if (instance.phase === 'backward' || instance.cancel !== null) return []
  return [{ type: 'CancelRequested', value: { event: message.type } }]
}
