import { ParcomoloError } from '../../base/index.ts'
import { isKafkaJsError } from './kafkajs.ts'

/** Kafka's error codes that something here depends on. */
export const brokerError = {
  offsetOutOfRange: 1,
  messageTooLarge: 10,
  notLeader: 6,
  unknownTopicOrPartition: 3,
  notCoordinator: 16,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalanceInProgress: 27,
  topicAuthorization: 29,
  clusterAuthorization: 31,
  topicExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  transactionalIdAuthorization: 53,
  unknownProducerId: 59,
  fetchSessionUnknown: 70,
  fetchSessionEpoch: 71,
  producerFenced: 90
} as const

/**
 * What passes by itself: a partition that moves (3, 5, 6, 9, 56, 72, 74, 75, 76, 78), replicas that are missing (7, 19,
 * 20), a coordinator that moves or loads (14, 15, 16), a take-over that is being settled (51), the network (13).
 */
const passing = new Set([3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 51, 56, 72, 74, 75, 76, 78])

/** An error code that a broker has given for one partition or request. */
export class BrokerRefusal extends Error {
  readonly code: number
  readonly retriable: boolean

  constructor(code: number, what: string) {
    super(`${what}: the broker answered with error ${code}`)
    this.code = code
    this.retriable = passing.has(code)
  }
}

export const codeOf = (error: unknown): number | undefined => {
  if (error instanceof BrokerRefusal) return error.code
  if (!isKafkaJsError(error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}

/** True where the same request may succeed later, perhaps at another broker. */
export const passes = (error: unknown): boolean => {
  const code = codeOf(error)
  if (code !== undefined) return passing.has(code)
  if (!isKafkaJsError(error)) return false
  if (error.name === 'KafkaJSSASLAuthenticationError') return false
  return true
}

export const unreachable = (brokers: readonly string[], cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_UNREACHABLE',
    `no broker of '${brokers.join(',')}' can be reached (${reasonOf(cause)}); expected a Kafka cluster there; ` +
      'check KAFKA_BROKERS, and that the brokers advertise addresses that this machine can reach',
    { retryable: true, cause }
  )

/** An error for the users of the port; what came from it already stays as it is. */
export const asRefused = (what: string, cause: unknown): ParcomoloError =>
  cause instanceof ParcomoloError
    ? cause
    : new ParcomoloError(
        'PARCOMOLO_LOG_REFUSED',
        `the brokers refuse ${what} (${reasonOf(cause)}); expected the right to do it; check the ACLs and the credentials`,
        { cause }
      )

export const closedError = (): ParcomoloError => new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'the log is closed')

export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
