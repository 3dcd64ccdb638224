/**
 * A saga instance: its inputs, its events, its state. The events are also the records of `saga-events` (protocol:
 * `src/orchestrator/saga-events.ts`).
 */

/** A message as the engine keeps it: its type, and its value (decoded when first asked for). */
export type Payload = {
  readonly type: string
  readonly value: Readonly<Record<string, unknown>>
  /** Wire format. */ readonly bytes: Uint8Array
}

export type SagaInput =
  /** The start event. */
  | {
      readonly kind: 'start'
      readonly key: string
      readonly message: Payload
      /** The cancel event's record, where that has come before the start. */
      readonly cancelledBy?: string | undefined
    }
  /**
   * Anything that a participant says with a command's id as its cause: reply, rejection, or the `until` event. The
   * step's contract tells which.
   */
  | { readonly kind: 'answer'; readonly commandId: string; readonly message: Payload }
  /** The cancel event. */
  | { readonly kind: 'cancel'; readonly message: Payload }
  /** The time that `dueAt` asked for has come (or an earlier one; then nothing follows). */
  | { readonly kind: 'timer' }

/**
 * Which step an event is about: its name, and its place among the definition's steps. -1: the start, or what `complete`
 * and `abort` emit.
 */
export type About = { readonly step: string; readonly index: number }

/**
 * `type`: the rejection's record, the cancel event's record, 'Unknown', 'ExpressionFailed' or 'DeadlineExceeded'.
 * `step` is empty where none failed.
 */
export type Failure = { readonly type: string; readonly step: string; readonly message: string }

type Fields = Readonly<Record<string, unknown>>

/**
 * What each event says. Nothing else is needed to fold a journal, so that old ones are read without their definitions.
 */
export type SagaEvents = {
  SagaStarted: {
    readonly saga: string
    readonly key: string
    readonly revision: string
    readonly start: Payload
    readonly deadlineAt: number | null
  }
  /** A command for a participant's inbox. */
  CommandIssued: About & {
    /** True for a compensation. */
    readonly undo: boolean
    /** True for the pivot's command: until it is answered, nothing turns back. */
    readonly pivot: boolean
    /** Counts from 1; the command's id is the same each time. */
    readonly attempt: number
    readonly commandId: string
    readonly command: string
    readonly commandFullName: string
    readonly inbox: string
    /** The entity that it is for. Null where its contract names none: then it goes under the key of the instance. */
    readonly recordKey: string | null
    readonly arguments: Fields
    /** When the answer is overdue, if the command is read the moment it is sent. */
    readonly dueAt: number
    /** When the command is of no use any more, read or not; anew where its outcome was unknown before. */
    readonly expiresAt: number | null
  }
  /** The command has gone unanswered; it is sent again at `dueAt`, as this attempt. */
  RetryScheduled: About & {
    readonly undo: boolean
    readonly attempt: number
    readonly dueAt: number
    readonly inbox: string
  }
  /** The reply of a step with `until`: from now on it waits for that event without a timeout. */
  StepProgressed: About & { readonly reply: Payload }
  /** `kept`: an expression may read the reply later. Where it is false, only the reply's type matters from here on. */
  StepSucceeded: About & { readonly reply: Payload; readonly kept: boolean }
  StepSkipped: About
  /** The participant says no: the command has had no effect, so no undo is owed. */
  StepRejected: About & { readonly rejection: Payload }
  /** A round of attempts has gone unanswered. */
  StepUnknown: About & { readonly attempts: number }
  PivotReached: About
  /** From here on it goes backwards. */
  CompensationStarted: { readonly failure: Failure }
  /**
   * The reply of a step that was given up, after compensation had begun: it changes nothing, but an undo that could not
   * be sent for want of it now can.
   */
  ReplyCameLate: About & { readonly reply: Payload; readonly kept: boolean }
  StepCompensated: About
  /** The cancel event, by its record's name. */
  CancelRequested: { readonly event: string }
  CancelRefused: { readonly reason: string }
  /** This step waits for an operator; where `step` is empty, the whole instance does: its definition cannot be had. */
  SagaParked: About & { readonly undo: boolean; readonly reason: string }
  /** The whole instance, which was parked, goes on. */
  SagaResumed: About
  /** What `complete.emit` / `abort.emit` asks for: journaled under its own record. */
  Emitted: { readonly event: string; readonly eventFullName: string; readonly arguments: Fields }
  SagaCompleted: Readonly<Record<never, never>>
  SagaCompensated: Readonly<Record<never, never>>
}

export type SagaEvent = {
  [Type in keyof SagaEvents]: { readonly type: Type; readonly value: SagaEvents[Type] }
}[keyof SagaEvents]

/** Drawn above `decide`. */
export type Phase = 'forward' | 'pivoting' | 'committed' | 'backward' | 'completed' | 'compensated'

/** Of a command that is under way: a time of its attempt, as `attempt.ts` reads it. */
export type Timer = {
  readonly index: number
  /** When the answer is overdue, if the command was read the moment it was sent; or the pause is over. */
  readonly dueAt: number
  /** Absent in a pause. */
  readonly sentAt?: number
  /** Where the command goes; absent in what earlier releases have stored. */
  readonly inbox?: string
  /** The key of its record; absent where that is the instance's. */
  readonly key?: string
  /** When the command is of no use any more. */
  readonly expiresAt?: number
}

/** The fold of an instance's events. Plain data, and small: there may be a million. */
export type Instance = {
  readonly saga: string
  readonly key: string
  readonly revision: string
  readonly start: Payload
  readonly startedAt: number
  readonly deadlineAt: number | null
  readonly phase: Phase
  /**
   * The start first, then the steps as the definition numbers them; each a number that `slot.ts` explains. Those beyond
   * the end are idle.
   */
  readonly slots: readonly number[]
  /** One for each command that is under way. */
  readonly timers: readonly Timer[]
  /** By step: the replies that expressions may read. */
  readonly replies: readonly (Payload | null)[]
  /** The latest rejection; from `CompensationStarted` on what made it turn back. */
  readonly failure: Failure | null
  /** The cancel event's record, once it has come. */
  readonly cancel: string | null
  readonly cancelRefused: boolean
  /** True while its definition cannot be had: nothing follows from anything then. */
  readonly standsStill?: boolean | undefined
}

export type SagaStatus =
  'running' | 'retrying' | 'waiting' | 'compensating' | 'parked' | 'completed' | 'compensated' | 'aborted'
