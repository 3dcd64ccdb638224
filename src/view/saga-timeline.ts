/** What an entry of a saga's timeline says beside type, time and place. */
export type SagaExtras = {
  readonly step?: string
  readonly undo?: true
  readonly attempt?: number
  /** The command, the reply's or rejection's record, the failure or the reason: whatever the event is about. */
  readonly detail?: string
}

/** Empty for an event that says no more than its type. */
export const extrasOf = (type: string, value: Readonly<Record<string, unknown>>): SagaExtras => {
  const { step, undo, tries, attempt = tries } = value
  const detail = detailOf(type, value)
  if (step === undefined && detail === undefined) return noExtras
  const extras: { -readonly [Member in keyof SagaExtras]: SagaExtras[Member] } = {}
  if (typeof step === 'string') extras.step = step
  if (undo === true) extras.undo = true
  if (typeof attempt === 'number') extras.attempt = attempt
  if (typeof detail === 'string') extras.detail = detail
  return extras
}

export const noExtras: SagaExtras = {}

/** By event: the member that says what it is about. */
const detailMembers: Readonly<Record<string, string>> = {
  SagaStarted: 'startType',
  CommandIssued: 'command',
  StepProgressed: 'replyType',
  StepSucceeded: 'replyType',
  ReplyCameLate: 'replyType',
  StepRejected: 'rejectionType',
  CancelRequested: 'event',
  CancelRefused: 'reason',
  SagaParked: 'reason',
  DeliveryStopped: 'reason'
}

const detailOf = (type: string, value: Readonly<Record<string, unknown>>): unknown => {
  if (type === 'CompensationStarted') return (value['failure'] as { type?: unknown }).type
  // Of most failures the reason says enough; what is in the answers of others is not for everybody.
  if (type === 'CallFailed') return value['reason'] === 'status' ? value['detail'] : value['reason']
  const member = detailMembers[type]
  return member === undefined ? undefined : value[member]
}
