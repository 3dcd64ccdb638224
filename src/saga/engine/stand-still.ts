import { type Instance, type SagaEvent } from './instance.ts'
import { hasEnded } from './status.ts'

/**
 * The instance as a whole is parked, since its definition cannot be had, for this reason; its attempts and undos stay
 * as they are. Nothing where it has ended, or stands still already.
 */
export const standStill = (instance: Instance, reason: string): readonly SagaEvent[] =>
  hasEnded(instance) || instance.standsStill === true
    ? []
    : [{ type: 'SagaParked', value: { step: '', index: -1, undo: false, reason } }]

/** Its definition can be had again. */
export const goOn = ({ standsStill }: Instance): readonly SagaEvent[] =>
  standsStill === true ? [{ type: 'SagaResumed', value: { step: '', index: -1 } }] : none

const none: readonly never[] = []
