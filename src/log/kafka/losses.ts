import { ParcomoloError } from '../../base/index.ts'
import { type LogRecord, placeName, type TopicPartition } from '../log.ts'
import type { Cluster } from './cluster.ts'
import type { Concerns } from './concerns.ts'
import { type Range, rangeOf } from './position.ts'
import type { RangeReader } from './range-reader.ts'
import { decision, type Decision, decisionRecord, goesOnAt, type Known } from './accepted-loss.ts'

/** Where decisions stand, of all topics of an installation. It is made when there is the first. */
export const decisionsTopic = 'accepted-losses'

export type LossesDeps = {
  readonly cluster: Cluster
  readonly ranges: RangeReader
  readonly concerns: Concerns
  readonly prefix: string
}

/** How long a decision may be unknown to those who wait for it. */
const lookMs = 1_000

/**
 * Partitions that have lost what their readers had not read yet: each waits for a person, and nobody else for it.
 *
 * X1. Nothing is passed over silently: a reader goes on only where a record in the log says who has decided that it
 *     may, when and why.
 * X2. A decision is of one topic as it was then, by its id: what happens to a later one of the same name is a new loss.
 */
export class Losses {
  readonly #deps: LossesDeps
  /** Shared by all that wait, for as long as a look is good. */
  #looked: { readonly at: number; readonly found: Promise<readonly Decision[]> } | undefined

  constructor(deps: LossesDeps) {
    this.#deps = deps
  }

  /** Where the reader that stands at `offset` goes on, once somebody has decided it. Rejects when the log is closed. */
  async accepted(place: TopicPartition, offset: number): Promise<number> {
    const { cluster, concerns } = this.#deps
    const about = `read of '${placeName(place)}' from '${offset}'`
    try {
      for (let before: number | undefined; ;) {
        const known = await this.#known(place.topic)
        const next = goesOnAt(known, place, offset, (before ??= known.decisions.length))
        if (next !== undefined) return next
        concerns.tell(about, this.#lost(place, offset, await this.#rangeOf(place)))
        await cluster.pause(lookMs)
      }
    } finally {
      concerns.settle(about)
    }
  }

  /** What is to be accepted of a topic as it is now. Rejects where it is not there. */
  async decide(topic: string, facts: Pick<Decision, 'by' | 'reason' | 'at'>): Promise<Decision> {
    const [found] = await this.#deps.cluster.describe([topic])
    if (found === undefined) throw gone(topic)
    await this.#deps.cluster.follow([found])
    const partitions = await Promise.all(
      Array.from({ length: found.partitions }, (_, partition) => this.#rangeOf({ topic, partition }))
    )
    return { ...facts, topic, topicId: found.id, partitions }
  }

  record(decided: Decision): LogRecord & TopicPartition {
    return { ...decisionRecord(decided), topic: this.#deps.prefix + decisionsTopic, partition: 0 }
  }

  #rangeOf(place: TopicPartition): Promise<Range> {
    const asking = { what: `the range of '${placeName(place)}'`, scope: 'topic' } as const
    return this.#deps.cluster.atLeader('read', place, asking, (link) => rangeOf(link, place))
  }

  async #known(topic: string): Promise<Known> {
    const now = performance.now()
    if (this.#looked === undefined || now - this.#looked.at >= lookMs) this.#looked = { at: now, found: this.#look() }
    return { decisions: await this.#looked.found, topics: await this.#deps.cluster.describe([topic]) }
  }

  async #look(): Promise<readonly Decision[]> {
    const { cluster, ranges, prefix } = this.#deps
    const place = { topic: prefix + decisionsTopic, partition: 0 }
    const [topic] = await cluster.describe([place.topic])
    if (topic === undefined) return []
    await cluster.follow([topic])
    const decisions: Decision[] = []
    for await (const records of ranges.all(place, 0, await ranges.end(place)))
      decisions.push(...records.flatMap((record) => decision(record) ?? []))
    return decisions
  }

  #lost(place: TopicPartition, offset: number, { start, end }: Range): ParcomoloError {
    const topic = place.topic.slice(this.#deps.prefix.length)
    return new ParcomoloError(
      'PARCOMOLO_LOG_OUT_OF_RANGE',
      `'${placeName(place)}' cannot be read from '${offset}', as it has '${start}' to '${end}': records were deleted ` +
        'before they were read, or the topic was made anew; expected what was not read yet to be there; all else goes ' +
        `on; restore the topic, or run 'parcomolo accept-loss ${topic} --reason WHY', and it is read from '${start}' on`
    )
  }
}

const gone = (topic: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_LOG_TOPIC_MISSING',
    `topic '${topic}' is not there; expected one whose loss is to be accepted; make it again first`
  )
