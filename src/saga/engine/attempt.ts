import { type Instance, type Timer } from './instance.ts'

/**
 * The clock of an attempt, on which `timeout` counts: it runs from when the participant has read the command. What lies
 * in an inbox that is not read yet is not lost, so its silence means nothing, and it is not sent again.
 * Who has read how far is told to the engine with each input (`Time`); it is no part of an instance.
 */
export type Attempt =
  /** Its command was read at this time, in ms since 1970. */
  | { readonly kind: 'read'; readonly at: number }
  /** Its command waits in the inbox. */
  | { readonly kind: 'unread' }
  /**
   * Nothing tells that its command was read, and it is the one that is sent again all the same, by the usual clock from
   * this time on, so that a lost trace of reading holds nothing up for ever. `isUnread`: its inbox is known not to be
   * read so far, so however many attempts say nothing of the outcome.
   */
  | { readonly kind: 'probe'; readonly at: number; readonly isUnread: boolean }
  /** Of a pause before the next attempt: the participant is sent nothing again before this time. */
  | { readonly kind: 'held'; readonly until: number }

/**
 * How the attempt stands that a timer is of; undefined: its command was read when it was sent, its pause is as it was
 * planned.
 */
export type AttemptOf = (timer: Timer) => Attempt | undefined

/** The time of a decision, in ms since 1970, and how the attempts under way stand then. */
export type Time = { readonly now: number; readonly attemptOf?: AttemptOf | undefined }

export const timerOf = ({ timers }: Instance, index: number): Timer | undefined =>
  timers.find((timer) => timer.index === index)

/** When the answer of an attempt is overdue, or the pause before the next one over; Infinity while its clock stands. */
export const clockOf = (timer: Timer, attemptOf: AttemptOf | undefined): number => {
  const attempt = attemptOf?.(timer)
  switch (attempt?.kind) {
    case undefined:
      return timer.dueAt
    case 'unread':
      return Infinity
    case 'held':
      return Math.max(timer.dueAt, attempt.until)
    case 'read':
    case 'probe':
      // What was sent alone can have been read; a pause is held, if anything.
      return attempt.at + timer.dueAt - timer.sentAt!
  }
}

/** When something is to be done about it: its clock is over, or the time that the command is of use at all. */
export const dueOf = (timer: Timer, attemptOf: AttemptOf | undefined): number =>
  Math.min(clockOf(timer, attemptOf), timer.expiresAt ?? Infinity)
