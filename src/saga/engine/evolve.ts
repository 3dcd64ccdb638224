import { timerOf } from './attempt.ts'
import {
  type About,
  type Failure,
  type Instance,
  type Payload,
  type SagaEvent,
  type SagaEvents,
  type Timer
} from './instance.ts'
import { answered, isOpen, moved, parked, slotOf, unparked } from './slot.ts'

/**
 * One event folded into an instance. `at` is when it was decided. It needs no definition, and neither checks nor
 * refuses: what is journaled has happened.
 */
export const evolve = (instance: Instance | undefined, event: SagaEvent, at: number): Instance | undefined => {
  if (event.type === 'SagaStarted') return begin(event.value, at)
  if (instance === undefined) return undefined
  const fold = folds[event.type] as (instance: Instance, value: SagaEvent['value'], at: number) => Instance
  return fold(instance, event.value, at)
}

const none: readonly never[] = []

const begin = (value: SagaEvents['SagaStarted'], startedAt: number): Instance => ({
  saga: value.saga,
  key: value.key,
  revision: value.revision,
  start: value.start,
  startedAt,
  deadlineAt: value.deadlineAt,
  phase: 'forward',
  slots: [moved(0, 'succeeded')],
  timers: none,
  replies: none,
  failure: null,
  cancel: null,
  cancelRefused: false
})

type Folds = {
  readonly [Type in Exclude<keyof SagaEvents, 'SagaStarted'>]: (
    instance: Instance,
    value: SagaEvents[Type],
    at: number
  ) => Instance
}

const folds: Folds = {
  CommandIssued: (instance, value, sentAt) => {
    const slot = moved(slotOf(instance, value.index), value.undo ? 'undoing' : 'sent', value.attempt)
    const { index, dueAt, inbox } = value
    const sent = withSlot(instance, value, slot, {
      index,
      dueAt,
      sentAt,
      inbox,
      ...keyOf(value.recordKey),
      ...expiry(value)
    })
    return value.pivot && instance.phase === 'forward' ? { ...sent, phase: 'pivoting' } : sent
  },
  RetryScheduled: (instance, value) => {
    const slot = moved(slotOf(instance, value.index), value.undo ? 'undoPausing' : 'pausing', value.attempt)
    const { index, dueAt, inbox } = value
    const before = timerOf(instance, index)
    return withSlot(instance, value, slot, { index, dueAt, inbox, ...keyOf(before?.key), ...expiry(before) })
  },
  StepProgressed: (instance, value) => withSlot(instance, value, moved(slotOf(instance, value.index), 'waiting')),
  StepSucceeded: (instance, value) => {
    const slot = answered(moved(slotOf(instance, value.index), 'succeeded'))
    return withReply(withSlot(instance, value, slot), value)
  },
  StepSkipped: (instance, value) => withSlot(instance, value, moved(slotOf(instance, value.index), 'skipped')),
  StepRejected: (instance, value) => {
    const rejected = withSlot(instance, value, moved(slotOf(instance, value.index), 'rejected'))
    return instance.phase === 'backward' ? rejected : { ...rejected, failure: rejection(value) }
  },
  StepUnknown: (instance, value) => withSlot(instance, value, moved(slotOf(instance, value.index), 'unknown')),
  PivotReached: (instance) => ({ ...instance, phase: 'committed' }),
  CompensationStarted: (instance, { failure }) => ({
    ...instance,
    phase: 'backward',
    failure,
    slots: instance.slots.map(unparked),
    timers: none
  }),
  ReplyCameLate: (instance, value) => {
    const slot = answered(slotOf(instance, value.index))
    const slots = (changed: number) => withItem(instance.slots, value.index + 1, changed, 0)
    // An undo that has been sent keeps its arguments at every attempt, so what it reads stays as it was.
    return isOpen(slot)
      ? withReply({ ...instance, slots: slots(unparked(slot)) }, value)
      : { ...instance, slots: slots(slot) }
  },
  StepCompensated: (instance, value) => withSlot(instance, value, moved(slotOf(instance, value.index), 'undone')),
  CancelRequested: (instance, { event }) => ({ ...instance, cancel: event }),
  CancelRefused: (instance) => ({ ...instance, cancelRefused: true }),
  SagaParked: (instance, value) =>
    value.step === ''
      ? { ...instance, standsStill: true }
      : withSlot(instance, value, parked(slotOf(instance, value.index))),
  SagaResumed: ({ standsStill: _, ...instance }) => instance,
  Emitted: (instance) => instance,
  SagaCompleted: (instance) => ({ ...instance, phase: 'completed', timers: none, replies: none }),
  SagaCompensated: (instance) => ({ ...instance, phase: 'compensated', timers: none, replies: none })
}

const rejection = ({ step, rejection: { type } }: SagaEvents['StepRejected']): Failure => ({
  type,
  step,
  message: `step '${step}' was rejected with '${type}'`
})

/** The slot changed, and its timer with it: none but the one given. */
const withSlot = (instance: Instance, { index }: About, slot: number, timer?: Timer): Instance => {
  const others: readonly Timer[] =
    instance.timers.length === 0 ? none : instance.timers.filter((other) => other.index !== index)
  const timers = timer === undefined ? others : others.concat([timer])
  return { ...instance, slots: withItem(instance.slots, index + 1, slot, 0), timers }
}

/** Of many instances each is the shorter for it that their commands have no key of their own. */
const keyOf = (key: string | null | undefined): Pick<Timer, 'key'> => (key == null ? {} : { key })

/** Earlier releases have journaled none. */
const expiry = (known: { readonly expiresAt?: number | null } | undefined): Pick<Timer, 'expiresAt'> =>
  known?.expiresAt == null ? {} : { expiresAt: known.expiresAt }

const withReply = (instance: Instance, value: About & { readonly reply: Payload; readonly kept: boolean }): Instance =>
  value.kept ? { ...instance, replies: withItem(instance.replies, value.index, value.reply, null) } : instance

/** A copy with one item set, and no longer than that needs, as there are many of them. */
const withItem = <T>(items: readonly T[], place: number, item: T, filler: T): readonly T[] => {
  if (place < items.length) return items.with(place, item)
  const gap = place === items.length ? none : Array.from({ length: place - items.length }, () => filler)
  return items.concat(gap, [item])
}
