import { type Instance } from './instance.ts'

/**
 * What an instance knows of one step, in one number: bits 0–3 its state, bit 4 parked, bit 5 answered, from bit 6 on
 * the attempt.
 *
 *                                    ┌──▶ rejected                     (no effect: no undo is owed)
 *   idle ──▶ sent ⇄ pausing ─────────┼──▶ succeeded ─┐
 *     │        └──▶ waiting (until) ─┤               ├──▶ undoing ⇄ undoPausing ──▶ undone
 *     └──▶ skipped                   └──▶ unknown ───┘
 *
 * From `sent` on an undo is owed, so `sent`, `pausing` and `waiting` lead to `undoing` as well. `unknown` may pause
 * again, or be answered late.
 */
const states = [
  'idle',
  'sent',
  'pausing',
  'waiting',
  'succeeded',
  'skipped',
  'rejected',
  'unknown',
  'undoing',
  'undoPausing',
  'undone'
] as const

export type SlotState = (typeof states)[number]

const stateBits = 0b1111
const parkedBit = 1 << 4
const answeredBit = 1 << 5
/** Attempts are counted by arithmetic: bits end at 32, and a command may be sent every two milliseconds for years. */
const attemptUnit = 1 << 6
/** As far as a record's `int` counts; from then on it stays. */
export const attemptMax = 2 ** 31 - 1

/** The slot of a step, or of the start (index -1). */
export const slotOf = (instance: Instance, index: number): number => instance.slots[index + 1] ?? 0

export const stateOf = (slot: number): SlotState => states[slot & stateBits]!

/** True where the step waits for an operator. */
export const isParked = (slot: number): boolean => (slot & parkedBit) !== 0

/** True once its reply has been seen. */
export const isAnswered = (slot: number): boolean => (slot & answeredBit) !== 0

/** The attempt that is under way or comes next; 0 before the first. */
export const attemptOf = (slot: number): number => Math.floor(slot / attemptUnit)

/** True while an answer to the step's command would settle something. */
export const isOpen = (slot: number): boolean => {
  const state = stateOf(slot)
  return state === 'sent' || state === 'pausing' || state === 'waiting' || state === 'unknown'
}

/** The slot in another state. It is no longer parked. */
export const moved = (slot: number, state: SlotState, attempt = attemptOf(slot)): number =>
  ((slot & answeredBit) | states.indexOf(state)) + attempt * attemptUnit

export const parked = (slot: number): number => (isParked(slot) ? slot : slot + parkedBit)

export const unparked = (slot: number): number => (isParked(slot) ? slot - parkedBit : slot)

export const answered = (slot: number): number => (isAnswered(slot) ? slot : slot + answeredBit)
