/** A saga instance's inputs, its events, and its state. The events are also the records of `saga-events` (protocol: `src/orchestrator/saga-events.ts`). */

/** A message as the engine keeps it: its type, and its value (decoded when first asked for). */
export type Payload = {
  readonly type: string
  readonly value: Readonly<Record<string, unknown>>
  /** Wire format. */ readonly bytes: Uint8Array
}

export type SagaInput =
  /** The start event. */
  | { readonly kind: 'start'; readonly key: string; readonly message: Payload }
  /** Anything that a participant says with a command's id as its cause: reply, rejection, or the `until` event. The step's contract tells which. */
  | { readonly kind: 'answer'; readonly commandId: string; readonly message: Payload }
  /** The cancel event. */
  | { readonly kind: 'cancel'; readonly message: Payload }
  /** The time that `dueAt` asked for has come (or an earlier one; then nothing follows). */
  | { readonly kind: 'timer' }

export type SagaEvent =
  | {
      readonly type: 'SagaStarted'
      readonly value: { saga: string; key: string; revision: string; start: Payload; deadlineAt: number | null }
    }
  | {
      readonly type: 'CommandIssued'
      /** `dueAt`: when the answer is overdue. `attempt` counts from 1. `undo`: a compensation. `step` is 'start' for the compensation of the start. */
      readonly value: {
        step: string
        undo: boolean
        attempt: number
        commandId: string
        command: string
        inbox: string
        arguments: Readonly<Record<string, unknown>>
        commandFullName: string
        dueAt: number
      }
    }
  /** The command has gone unanswered or failed for now; the next attempt is at `dueAt`. */
  | { readonly type: 'RetryScheduled'; readonly value: { step: string; undo: boolean; attempt: number; dueAt: number } }
  /** The reply of a step with `until`: from now on it waits for that event without a timeout. */
  | { readonly type: 'StepProgressed'; readonly value: { step: string; reply: Payload } }
  | { readonly type: 'StepSucceeded'; readonly value: { step: string; reply: Payload } }
  | { readonly type: 'StepSkipped'; readonly value: { step: string } }
  | { readonly type: 'StepRejected'; readonly value: { step: string; rejection: Payload } }
  | { readonly type: 'StepUnknown'; readonly value: { step: string; attempts: number } }
  | { readonly type: 'PivotReached'; readonly value: { step: string } }
  /** From here on it goes backwards. `failure.type`: the rejection's record, the cancel event's record, 'Unknown' or 'DeadlineExceeded'. */
  | {
      readonly type: 'CompensationStarted'
      readonly value: { failure: { type: string; step: string; message: string } }
    }
  | { readonly type: 'StepCompensated'; readonly value: { step: string } }
  | { readonly type: 'CancelRefused'; readonly value: { reason: string } }
  | { readonly type: 'SagaParked'; readonly value: { step: string; undo: boolean; reason: string } }
  /** What `complete.emit` / `abort.emit` asks for: journaled under its own record. */
  | {
      readonly type: 'Emitted'
      readonly value: { event: string; eventFullName: string; arguments: Readonly<Record<string, unknown>> }
    }
  | { readonly type: 'SagaCompleted'; readonly value: Record<never, never> }
  | { readonly type: 'SagaCompensated'; readonly value: Record<never, never> }

export type SagaStatus =
  'running' | 'retrying' | 'waiting' | 'compensating' | 'parked' | 'completed' | 'compensated' | 'aborted'
