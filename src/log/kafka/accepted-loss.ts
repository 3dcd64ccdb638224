import type { LogRecord, TopicPartition } from '../log.ts'
import type { TopicFacts } from './describe.ts'
import type { Range } from './position.ts'

/** That what a topic has lost is lost, by whom, when and why. */
export type Decision = {
  /** Its name in the cluster. */
  readonly topic: string
  readonly topicId: string
  /** What each partition had then. */
  readonly partitions: readonly Range[]
  readonly by: string
  readonly reason: string
  /** Milliseconds since 1970, UTC. */
  readonly at: number
}

/** A record that people can read with any tool. */
export const decisionRecord = ({ at, ...decided }: Decision): LogRecord => ({
  key: decided.topic,
  value: Buffer.from(JSON.stringify({ ...decided, at: new Date(at).toISOString() })),
  timestamp: at,
  headers: {}
})

/** Undefined for what somebody else has written there. */
export const decision = ({ value, timestamp }: Pick<LogRecord, 'value' | 'timestamp'>): Decision | undefined => {
  try {
    const said = JSON.parse(Buffer.from(value!).toString()) as Decision
    return Array.isArray(said.partitions) ? { ...said, at: timestamp } : undefined
  } catch {
    return undefined
  }
}

/**
 * Where whoever stands at `offset` goes on by the newest decision on the topic as it is now: at what was its start,
 * where that had come later than the reader, or the end sooner; or where the decision is none of the `before` first
 * ones, which were there when the loss was found. Undefined where there is none of that.
 */
export const goesOnAt = (
  { decisions, topics }: Known,
  { topic, partition }: TopicPartition,
  offset: number,
  before = Infinity
): number | undefined => {
  const now = topics.find(({ name }) => name === topic)
  if (now === undefined) return undefined
  const newest = decisions.findLastIndex((one) => one.topic === topic && one.topicId === now.id)
  const decided = decisions[newest]?.partitions[partition]
  if (decided === undefined) return undefined
  return offset < decided.start || offset > decided.end || newest >= before ? decided.start : undefined
}

/** All decisions in their order, and topics as they are. */
export type Known = { readonly decisions: readonly Decision[]; readonly topics: readonly TopicFacts[] }
