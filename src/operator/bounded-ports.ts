import { type Clock, inTime, ParcomoloError } from '../base/index.ts'
import type { Ports } from './ports.ts'

/** What is outside may be away for long; nobody waits for one answer longer than this, and the status says so. */
const answerMsMax = 10_000

/**
 * The same ports, each call of which ends in time. One that was given up may still be carried out: all can be repeated.
 */
export const boundedPorts = ({ definitions, participants, running }: Ports, clock: Clock): Ports => {
  const bounded = <T>(what: string, answer: Promise<T>): Promise<T> =>
    inTime(clock, answerMsMax, answer, () => overdue(what))
  return {
    definitions: {
      newest: (saga) => bounded('the log', definitions.newest(saga)),
      sagas: () => definitions.sagas(),
      publish: (definition) => bounded('the log', definitions.publish(definition))
    },
    participants: {
      contracts: () => participants.contracts(),
      published: () => participants.published(),
      accept: (participant, beside) =>
        bounded('the schema registry or the log', participants.accept(participant, beside)),
      withdraw: (name) => bounded('the log', participants.withdraw(name)),
      onChanged: (listener) => participants.onChanged(listener)
    },
    running: { count: () => bounded('the read model', running.count()) }
  }
}

const overdue = (what: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_OPERATOR_OVERDUE',
    `${what} has not answered for ${answerMsMax} ms; expected an answer at once`,
    { retryable: true }
  )
