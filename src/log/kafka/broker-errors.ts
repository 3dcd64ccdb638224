import { ParcomoloError } from '../../base/index.ts'
import { errorNames, isKafkaJsError } from './kafkajs.ts'

/** Kafka's error codes that something here depends on. */
export const brokerError = {
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  messageTooLarge: 10,
  notCoordinator: 16,
  recordListTooLarge: 18,
  illegalGeneration: 22,
  inconsistentGroupProtocol: 23,
  unknownMember: 25,
  rebalanceInProgress: 27,
  topicAuthorization: 29,
  groupAuthorization: 30,
  clusterAuthorization: 31,
  topicExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidProducerIdMapping: 49,
  transactionalIdAuthorization: 53,
  unknownProducerId: 59,
  fetchSessionUnknown: 70,
  fetchSessionEpoch: 71,
  producerFenced: 90,
  unknownTopicId: 100
} as const

/**
 * What passes by itself: a partition that moves (5, 6, 9, 56, 72, 74, 75, 76, 78), replicas that are missing (7, 19,
 * 20), a coordinator that moves or loads (14, 15, 16), a take-over that is being settled (51), the network (13). What a
 * topic suffers from that is not there, or takes less than it has to (`ofTopic`), passes when somebody cures it.
 */
const passing = new Set([3, 5, 6, 7, 9, 10, 13, 14, 15, 16, 18, 19, 20, 51, 56, 72, 74, 75, 76, 78, 100, 103])

/** What is wrong with one topic alone. */
const ofTopic = new Set<number | undefined>([
  brokerError.unknownTopicOrPartition,
  brokerError.unknownTopicId,
  brokerError.messageTooLarge,
  brokerError.recordListTooLarge
])

export const concernsTopic = (error: unknown): boolean => ofTopic.has(codeOf(error))

/** Later than those that kafkajs knows. */
const laterNames: ReadonlyMap<number, string> = new Map([
  [89, 'THROTTLING_QUOTA_EXCEEDED'],
  [brokerError.producerFenced, 'PRODUCER_FENCED'],
  [brokerError.unknownTopicId, 'UNKNOWN_TOPIC_ID'],
  [103, 'INCONSISTENT_TOPIC_ID']
])

/** As Kafka's documentation and its tools name it: `UNKNOWN_TOPIC_OR_PARTITION (error 3)`. */
export const errorName = (code: number): string => {
  const name = errorNames.get(code) ?? laterNames.get(code)
  return name === undefined ? `error ${code}` : `${name} (error ${code})`
}

/** An error code that a broker has given for one partition or request. */
export class BrokerRefusal extends Error {
  readonly code: number
  readonly retriable: boolean

  constructor(code: number, what: string) {
    super(`${what}: the broker answered with ${errorName(code)}`)
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

/** Rights that are missing, and a log-in that is not known. */
const authorization = new Set<number | undefined>([
  brokerError.topicAuthorization,
  brokerError.groupAuthorization,
  brokerError.clusterAuthorization,
  brokerError.transactionalIdAuthorization
])

/** An error for the users of the port; what came from it already stays as it is. */
export const asRefused = (what: string, cause: unknown): ParcomoloError =>
  cause instanceof ParcomoloError
    ? cause
    : new ParcomoloError('PARCOMOLO_LOG_REFUSED', `the brokers refuse ${what} (${reasonOf(cause)}); ${cureOf(cause)}`, {
        cause
      })

const cureOf = (cause: unknown): string => {
  const code = codeOf(cause)
  if (code === brokerError.inconsistentGroupProtocol)
    return (
      'expected a group in which only processes of this installation are; find the other program with ' +
      'kafka-consumer-groups --describe --members, and end it, or choose another KAFKA_PREFIX'
    )
  return code === undefined || authorization.has(code)
    ? 'expected the right to do it; check the ACLs and the credentials'
    : "expected no refusal, as nothing is wrong with the log-in; the brokers' own logs say more of it"
}

export const closedError = (): ParcomoloError => new ParcomoloError('PARCOMOLO_LOG_CLOSED', 'the log is closed')

export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
