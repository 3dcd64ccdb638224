/**
 * The brokers as this process sees them: who leads which partition, and connections to them.
 *
 * C1. A connection on which a request has failed is never used again: late answers and half-closed sockets go with it.
 * C2. What passes by itself is tried again until it is done or the log is closed; who is told of a failure meanwhile is
 *     `health`.
 */
import type { ParcomoloError } from '../../base/index.ts'
import { placeName, type TopicPartition } from '../log.ts'
import {
  BrokerRefusal,
  brokerError,
  closedError,
  codeOf,
  concernsTopic,
  passes,
  reasonOf,
  unreachable
} from './broker-errors.ts'
import type { Concerns } from './concerns.ts'
import { describeRequest, type TopicFacts } from './describe.ts'
import { type Connector, fetchMetadata, type Link, type Metadata, type Node, retire } from './kafkajs.ts'

/** One request at a time is served on a connection, so what may wait there for long has one of its own. */
export type Purpose = 'write' | 'tail' | 'read' | 'disk' | `member ${number}`

/** `topic`: where the fault is one topic's, only who needs that topic waits, and the log itself is well. */
export type Scope = 'log' | 'topic'

type Trouble = { readonly what: string; readonly topic: string | undefined; readonly since: number; error: unknown }

const pauseMsMin = 20
const pauseMsMax = 1_000
/** What has failed for so long is no passing thing any more for those who look at the health. */
const unhealthyAfterMs = 2_000

export class Cluster {
  readonly #connector: Connector
  readonly #seeds: readonly string[]
  readonly #topics = new Set<string>()
  readonly #leaders = new Map<string, number>()
  readonly #links = new Map<string, Promise<Link>>()
  readonly #troubles = new Set<Trouble>()
  /** Each ends one that is under way. */
  readonly #pauses = new Set<(error: unknown) => void>()
  /** What one topic alone suffers from. */
  readonly #concerns: Concerns | undefined
  #nodes: readonly Node[] = []
  #refreshing: Promise<void> | undefined
  #closedBy: ParcomoloError | undefined

  constructor(connector: Connector, seeds: readonly string[], concerns?: Concerns) {
    this.#connector = connector
    this.#seeds = seeds
    this.#concerns = concerns
  }

  get isClosed(): boolean {
    return this.#closedBy !== undefined
  }

  /** Follows the leaders of these topics from now on; resolves when each partition has one. */
  async follow(topics: readonly { readonly name: string; readonly partitions: number }[]): Promise<void> {
    for (const { name } of topics) this.#topics.add(name)
    const places = topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
    )
    await this.persist('the leaders of new topics', async () => {
      await this.refresh()
      const missing = places.find((place) => this.leader(place) === undefined)
      if (missing !== undefined)
        throw new BrokerRefusal(brokerError.leaderNotAvailable, `the leader of '${placeName(missing)}'`)
    })
  }

  /** The node that leads a partition, as far as is known. */
  leader(place: TopicPartition): number | undefined {
    return this.#leaders.get(placeName(place))
  }

  /** Nodes and leaders anew; calls at the same time share one request. Rejects where no broker can be reached. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined))
    return this.#refreshing
  }

  /** Does something at the leader of a partition, until it is done. Rejects with what does not pass by itself. */
  atLeader<T>(
    purpose: Purpose,
    place: TopicPartition,
    { what, scope }: { readonly what: string; readonly scope: Scope },
    work: (link: Link) => Promise<T>
  ): Promise<T> {
    const attempt = async (): Promise<T> => {
      const nodeId = this.leader(place)
      if (nodeId === undefined) throw new BrokerRefusal(brokerError.leaderNotAvailable, what)
      return this.at(purpose, nodeId, work)
    }
    return this.persist(what, attempt, scope === 'topic' ? place.topic : undefined)
  }

  /** Does something at whoever coordinates a group (0) or a transactional id (1), until it is done. */
  atCoordinator<T>(
    purpose: Purpose,
    { kind, key }: { readonly kind: 0 | 1; readonly key: string },
    work: (link: Link) => Promise<T>
  ): Promise<T> {
    return this.persist(`the coordinator of '${key}'`, async () =>
      this.at(purpose, await this.coordinator(kind, key), work)
    )
  }

  /** The node that coordinates a group (0) or a transactional id (1). */
  async coordinator(kind: 0 | 1, key: string): Promise<number> {
    const found = await this.#anywhere((link) => link.findGroupCoordinator({ groupId: key, coordinatorType: kind }))
    const { nodeId } = found.coordinator
    if (!this.#nodes.some((node) => node.nodeId === nodeId)) this.#nodes = [...this.#nodes, found.coordinator]
    return nodeId
  }

  /** One try at one node; its connection is given up where it fails. */
  async at<T>(purpose: Purpose, nodeId: number, work: (link: Link) => Promise<T>): Promise<T> {
    const name = `${purpose}/${nodeId}`
    const linking = this.#link(name, nodeId)
    const link = await linking
    try {
      return await work(link)
    } catch (error) {
      if (codeOf(error) === undefined) {
        this.#forget(name, linking)
        retire(link)
      }
      throw error
    }
  }

  /**
   * Tries until it is done; between two tries the leaders are looked up anew. `topic`: whose fault it may be, where
   * nothing else waits for it.
   */
  async persist<T>(what: string, attempt: () => Promise<T>, topic?: string): Promise<T> {
    const outcome = await this.#tried(attempt)
    if ('done' in outcome) return outcome.done
    const trouble: Trouble = { what, topic, since: performance.now(), error: outcome.error }
    this.#troubles.add(trouble)
    try {
      for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
        await this.pause(pauseMs)
        await this.refresh().catch(() => undefined)
        const again = await this.#tried(attempt)
        if ('done' in again) return again.done
        trouble.error = again.error
        if (isOfTopic(trouble) && isLasting(trouble)) this.#concerns?.raise(what, topic!, again.error)
      }
    } finally {
      this.#troubles.delete(trouble)
      this.#concerns?.settle(what)
    }
  }

  /** Rejects with what does not pass by itself. */
  async #tried<T>(attempt: () => Promise<T>): Promise<{ readonly done: T } | { readonly error: unknown }> {
    if (this.isClosed) throw closedError()
    try {
      return { done: await attempt() }
    } catch (error) {
      if (this.isClosed) throw closedError()
      if (passes(error)) return { error }
      throw error
    }
  }

  /** Ends early with `signal`; rejects when the log is closed. Nothing is kept of it when it is over. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#closedBy !== undefined) throw this.#closedBy
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = (): void => resolve()
    const timer = setTimeout(end, signal?.aborted === true ? 0 : ms)
    signal?.addEventListener('abort', end)
    this.#pauses.add(reject)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      this.#pauses.delete(reject)
    }
  }

  /** What has been failing for longer than a moment, and not for one topic's fault; undefined where nothing has. */
  trouble(): string | undefined {
    const now = performance.now()
    const lasting = [...this.#troubles].find((trouble) => isLasting(trouble) && !isOfTopic(trouble))
    return lasting === undefined
      ? undefined
      : `${lasting.what} has failed for ${Math.round(now - lasting.since)} ms: ${reasonOf(lasting.error)}`
  }

  async close(error: ParcomoloError): Promise<void> {
    if (this.isClosed) return
    this.#closedBy = error
    for (const end of this.#pauses) end(error)
    const links = [...this.#links.values()]
    this.#links.clear()
    for (const link of links) link.then(retire, () => undefined)
  }

  /** What topics are, whether they are followed or not: those that there are. */
  describe(topics: readonly string[]): Promise<readonly TopicFacts[]> {
    return this.persist(`what '${topics.join("', '")}' is`, () =>
      this.#anywhere((link) => link.connectionPool.send(describeRequest(topics)))
    )
  }

  async #refresh(): Promise<void> {
    const { brokers, topicMetadata } = await this.#anywhere((link) => fetchMetadata(link, [...this.#topics]))
    this.#nodes = brokers
    this.#note(topicMetadata)
  }

  /** What has no leader now keeps the one that it had: whoever asks there is told. */
  #note(topics: Metadata['topicMetadata']): void {
    for (const { topic, partitionMetadata } of topics) {
      for (const { partitionId, leader } of partitionMetadata)
        if (leader >= 0) this.#leaders.set(placeName({ topic, partition: partitionId }), leader)
    }
  }

  /** Asks one node after the other, the known ones first, then those that the configuration names. */
  async #anywhere<T>(work: (link: Link) => Promise<T>): Promise<T> {
    let failure: Error = unreachable(this.#seeds, 'none is named')
    for (const { nodeId } of shuffled(this.#nodes)) {
      try {
        return await this.at('write', nodeId, work)
      } catch (error) {
        failure = error as Error
      }
    }
    for (const seed of shuffled(this.#seeds)) {
      const colon = seed.lastIndexOf(':')
      const link = this.#connector.link({ host: seed.slice(0, colon), port: Number(seed.slice(colon + 1)) })
      try {
        await link.connect()
        return await work(link)
      } catch (error) {
        failure = error as Error
      } finally {
        retire(link)
      }
    }
    if (this.isClosed) throw closedError()
    throw failure
  }

  #link(name: string, nodeId: number): Promise<Link> {
    const known = this.#links.get(name)
    if (known !== undefined) return known
    const linking = this.#connect(nodeId)
    this.#links.set(name, linking)
    linking.catch(() => this.#forget(name, linking))
    return linking
  }

  async #connect(nodeId: number): Promise<Link> {
    if (this.isClosed) throw closedError()
    const node = this.#nodes.find((candidate) => candidate.nodeId === nodeId)
    if (node === undefined) throw new BrokerRefusal(brokerError.leaderNotAvailable, `node ${nodeId}`)
    const link = this.#connector.link(node)
    try {
      await link.connect()
    } catch (error) {
      retire(link)
      throw error
    }
    if (this.isClosed) retire(link)
    return link
  }

  #forget(name: string, linking: Promise<Link>): void {
    if (this.#links.get(name) === linking) this.#links.delete(name)
  }
}

const isLasting = ({ since }: Trouble): boolean => performance.now() - since >= unhealthyAfterMs

const isOfTopic = ({ topic, error }: Trouble): boolean => topic !== undefined && concernsTopic(error)

const shuffled = <T>(list: readonly T[]): readonly T[] => {
  const start = Math.floor(Math.random() * list.length)
  return [...list.slice(start), ...list.slice(0, start)]
}
