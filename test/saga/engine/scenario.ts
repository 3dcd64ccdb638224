import {
  type Attempt,
  type AttemptOf,
  commandId,
  decide,
  type Definition,
  dueAt,
  evolve,
  type Instance,
  type Payload,
  type SagaEvent,
  type SagaEvents,
  type SagaInput,
  type SagaStatus,
  statusOf
} from '../../../src/saga/index.ts'

export const payload = (type: string, value: Payload['value'] = {}): Payload => ({
  type,
  value,
  bytes: new Uint8Array()
})

/**
 * One instance and its clock, which begins at 0. Each call hands the engine one input and tells what follows, one line
 * an event.
 */
export class Scenario {
  readonly definition: Definition
  readonly journal: { event: SagaEvent; at: number }[] = []
  instance: Instance | undefined
  now = 0
  /** By step (`start` is the start's undo): how the attempt stands. Who is not named has read it when it was sent. */
  readonly attempts = new Map<string, Attempt | AttemptOf>()

  constructor(definition: Definition) {
    this.definition = definition
  }

  start(value: Payload['value'] = {}): string[] {
    return this.give({ kind: 'start', key: 'k1', message: payload('TripBooked', value) })
  }

  /** An answer to a step's command; by default the reply. */
  answer(step: string, type = `${capital(step)}Done`, value: Payload['value'] = {}): string[] {
    return this.give({ kind: 'answer', commandId: commandId('trip', step, 'k1', false), message: payload(type, value) })
  }

  refuse(step: string): string[] {
    return this.answer(step, `${capital(step)}Refused`)
  }

  /** An answer to a step's undo. */
  undone(step: string, type = `${capital(step)}Undone`): string[] {
    return this.give({ kind: 'answer', commandId: commandId('trip', step, 'k1', true), message: payload(type) })
  }

  cancel(): string[] {
    return this.give({ kind: 'cancel', message: payload('TripCancelled') })
  }

  /** The clock moves on, and whatever timers it passes fire. */
  wait(ms: number): string[] {
    const until = this.now + ms
    const lines: string[] = []
    for (let due = this.dueAt(); due !== undefined && due <= until; due = this.dueAt()) {
      this.now = Math.max(this.now, due)
      lines.push(...this.give({ kind: 'timer' }))
    }
    this.now = until
    return lines
  }

  give(input: SagaInput): string[] {
    const before = this.instance
    const time = { now: this.now, attemptOf: this.#attemptOf }
    const events = decide(this.definition, before && freeze(before), input, time)
    for (const event of events) {
      this.journal.push({ event, at: this.now })
      this.instance = evolve(this.instance && freeze(this.instance), event, this.now)
    }
    return events.map(line)
  }

  dueAt(): number | undefined {
    return this.instance && dueAt(this.instance, this.#attemptOf)
  }

  readonly #attemptOf: AttemptOf = (timer) => {
    const given = this.attempts.get(this.definition.steps[timer.index]?.name ?? 'start')
    const attempt = typeof given === 'function' ? given(timer) : given
    return (attempt?.kind === 'held') === (timer.sentAt === undefined) ? attempt : undefined
  }

  status(): SagaStatus | undefined {
    return this.instance && statusOf(this.instance)
  }
}

export const scenario = (definition: Definition): Scenario => new Scenario(definition)

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1)

/** Makes a change of what must not change an error. */
const freeze = (instance: Instance): Instance => {
  for (const member of Object.values(instance)) if (Array.isArray(member)) Object.freeze(member)
  return Object.freeze(instance)
}

/** An event as a person reads it. */
export const line = ({ type, value }: SagaEvent): string =>
  (lines[type] as (value: SagaEvent['value']) => string)(value)

const lines: { readonly [Type in keyof SagaEvents]: (value: SagaEvents[Type]) => string } = {
  SagaStarted: () => 'started',
  CommandIssued: ({ undo, step, attempt }) => `${undo ? 'undo' : 'do'} ${step}${again(attempt)}`,
  RetryScheduled: ({ undo, step, attempt }) => `later ${undo ? 'undo' : 'do'} ${step}${again(attempt)}`,
  StepProgressed: ({ step }) => `progressed ${step}`,
  StepSucceeded: ({ step }) => `succeeded ${step}`,
  StepSkipped: ({ step }) => `skipped ${step}`,
  StepRejected: ({ step }) => `rejected ${step}`,
  StepUnknown: ({ step }) => `unknown ${step}`,
  PivotReached: ({ step }) => `pivot ${step}`,
  CompensationStarted: ({ failure }) => `back: ${failure.type}`,
  ReplyCameLate: ({ step }) => `late ${step}`,
  StepCompensated: ({ step }) => `undone ${step}`,
  CancelRequested: () => 'cancel',
  CancelRefused: () => 'cancel refused',
  SagaResumed: () => 'resumed',
  SagaParked: ({ undo, step }) => `parked ${undo ? 'undo' : 'do'} ${step}`,
  Emitted: ({ event }) => `emit ${event}`,
  SagaCompleted: () => 'completed',
  SagaCompensated: () => 'compensated'
}

const again = (attempt: number): string => (attempt === 1 ? '' : ` #${attempt}`)
