import { readProtocolText } from '../contract/index.ts'

/** The orchestrator's. */
export const sagaJournal = 'saga-events'

/**
 * The orchestrator's own records on `saga-events`, one for each event of the engine (saga/engine/instance.ts), each
 * with the instance that it belongs to.
 * `recordKey` is empty where a command goes under the key of the event that issues it.
 * A payload `x` of the engine is written as its record's name in `xType` and its bytes, as they came, in `x`.
 */
export const sagaProtocol = readProtocolText(
  `@namespace("parcomolo.saga")
protocol Saga {
  record SagaStarted {
    string saga; string key; string revision; string startType; bytes start;
    union { null, long } deadlineAt; }
  record CommandIssued {
    string saga; string key; string step; int index; boolean undo; boolean pivot; int attempt;
    string commandId; string command; string inbox; bytes arguments; long dueAt;
    union { null, long } expiresAt = null; string recordKey = "";
  }
  record RetryScheduled {
    string saga; string key; string step; int index; boolean undo; int attempt; long dueAt; string inbox = "";
  }
  record StepProgressed { string saga; string key; string step; int index; string replyType; bytes reply; }
  record StepSucceeded { string saga; string key; string step; int index; string replyType; bytes reply; boolean kept; }
  record StepSkipped { string saga; string key; string step; int index; }
  record StepRejected { string saga; string key; string step; int index; string rejectionType; bytes rejection; }
  record StepUnknown { string saga; string key; string step; int index; int attempts; }
  record PivotReached { string saga; string key; string step; int index; }
  record Failure { string type; string step; string message; }
  record CompensationStarted { string saga; string key; Failure failure; }
  record ReplyCameLate { string saga; string key; string step; int index; string replyType; bytes reply; boolean kept; }
  record StepCompensated { string saga; string key; string step; int index; }
  record CancelCameEarly { string saga; string key; string event; }
  record CancelRequested { string saga; string key; string event; }
  record CancelRefused { string saga; string key; string reason; }
  record SagaParked { string saga; string key; string step; int index; boolean undo; string reason; }
  record SagaResumed { string saga; string key; string step; int index; }
  record SagaCompleted { string saga; string key; }
  record SagaCompensated { string saga; string key; }
}`,
  'src/orchestrator/saga-events.ts'
)
