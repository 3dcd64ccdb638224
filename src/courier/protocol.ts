import { readProtocolText } from '../contract/index.ts'

/** What has happened to the commands of a participant that speaks HTTP. */
export const courierProtocol = readProtocolText(
  `@namespace("parcomolo.courier")
protocol Courier {
  record DeliveryBegun {
    string commandId; string command; string correlationId; int attempt; bytes arguments;
    union { null, long } expiresAt; union { null, long } heldUntil; string by; string cause;
  }
  record DeliveryAskedAgain { string commandId; int attempt; }
  record CallBegun { string commandId; string by; }
  record CallFailed {
    string commandId; string correlationId; string step; boolean undo; string cause;
    int tries; string reason; string detail; long nextTryAt;
  }
  record CallAccepted { string commandId; string correlationId; string step; boolean undo; string cause; }
  record DeliveryAnswered { string commandId; string answer; }
  record DeliveryStopped {
    string commandId; string correlationId; string step; boolean undo; string cause; int attempt; string reason;
  }
  record EventTaken { string eventId; }
  record CallOutcome {
    string commandId; int tries; boolean accepted; string reason; string detail; long retryAfterMs; double jitter;
  }
}`,
  'src/courier/protocol.ts'
)

/** Where the records of the courier are registered; they stand on the topics of many participants. */
export const courierSubject = 'courier'

/** What a participant has posted, and what came of its calls: the courier reads it beside the inbox. */
export const postsTopic = (participant: string): string => `courier-${participant}`

/** What came of calls, for whoever shows it to people: copies of what the events topics of participants say of them. */
export const callsTopic = 'http-calls'

export const courierSource = '/courier'
