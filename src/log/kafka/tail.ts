import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Account, Budget } from '../../base/index.ts'
import { placeName, type TopicPartition } from '../log.ts'
import { heldBytesOf } from '../record-bytes.ts'
import { brokerError, closedError, codeOf, concernsTopic, passes } from './broker-errors.ts'
import type { Cluster } from './cluster.ts'
import { type Fetched, sessionFetchRequest } from './fetch.ts'
import { FetchSession } from './fetch-session.ts'
import type { Appended } from './partition-writer.ts'
import { type Arrived, arrived, nothing, StartGone, startOf } from './position.ts'
import type { KafkaStats } from './stats.ts'

/** Who follows the end of a partition. */
export type Follower = {
  /** Records in order; some may be below what the follower has already. */
  arrive(arrived: Arrived): void
  /** The topic is not there any more: whoever waits for it does so by itself, and nobody else for both. */
  missing(): void
  fail(error: unknown): void
}

type Feed = {
  readonly place: TopicPartition
  next: number
  /** It is not fetched before this time (ms, monotonic), as this process writes it itself. */
  quietUntil: number
  readonly followers: Set<Follower>
}

/** A Fetch is answered as soon as there is anything, so the wait only bounds how late a new feed is heard of. */
const waitMs = 250
/**
 * Of one answer, and of one partition in it, so that many which are far behind come on side by side; a batch comes
 * whole all the same.
 */
const answerBytesMax = 4 * 1024 * 1024
const partitionBytesMax = 256 * 1024

/**
 * The ends of all partitions that this process follows: one Fetch a broker is under way, for all of them together, and
 * each partition is fetched and decoded once, however many readers it has here.
 */
export class Tail {
  readonly #cluster: Cluster
  readonly #stats: KafkaStats
  /** While an answer is under way. */
  readonly #account: Account
  readonly #feeds = new Map<string, Feed>()
  readonly #fetching = new Set<number>()
  #isLooking = false

  constructor(cluster: Cluster, stats: KafkaStats, budget: Budget) {
    this.#cluster = cluster
    this.#stats = stats
    this.#account = budget.account('fetch')
  }

  /** The offset that comes next at the end that is followed; undefined where nobody follows it. */
  next(place: TopicPartition): number | undefined {
    return this.#feeds.get(placeName(place))?.next
  }

  /** Follows from `offset` on, or from where others are if that is later: the caller has read up to there. */
  follow(place: TopicPartition, offset: number, follower: Follower): void {
    const name = placeName(place)
    const feed = this.#feeds.get(name) ?? { place, next: offset, quietUntil: 0, followers: new Set() }
    this.#feeds.set(name, feed)
    feed.followers.add(follower)
    this.#fetchAll()
  }

  leave(place: TopicPartition, follower: Follower): void {
    const name = placeName(place)
    const feed = this.#feeds.get(name)
    feed?.followers.delete(follower)
    if (feed?.followers.size === 0) this.#feeds.delete(name)
  }

  /**
   * This process has appended to a journal that it owns: its followers need no Fetch to have it, and while it goes on
   * so the partition is left out of the Fetch. Now and then it is in it all the same, as another may own it by then.
   */
  appended(place: TopicPartition, appended: Appended): void {
    const feed = this.#feeds.get(placeName(place))
    if (feed === undefined) return
    feed.quietUntil = feed.next === appended.base ? performance.now() + quietMs : 0
    this.#handOver(feed, appended)
  }

  /** The same for a partition that others write, too, so that it stays in the Fetch: its followers have it sooner. */
  sent(place: TopicPartition, appended: Appended): void {
    const feed = this.#feeds.get(placeName(place))
    if (feed !== undefined) this.#handOver(feed, appended)
  }

  /** Where something lies before it that is not here yet, the Fetch brings both. */
  #handOver(feed: Feed, { base, records, bytes }: Appended): void {
    if (feed.next !== base) return
    feed.next = base + records.length
    const stored = records.map(({ key, value, timestamp, headers }, i) => ({
      ...{ key, value, timestamp, headers },
      offset: base + i
    }))
    const heldBytes = heldBytesOf(bytes, stored.length)
    const what = { records: stored, next: feed.next, isAtEnd: true, fetchedBytes: 0, heldBytes }
    for (const follower of [...feed.followers]) follower.arrive(what)
  }

  /** Starts a loop for each broker that leads something that is followed. */
  #fetchAll(): void {
    for (const { place } of this.#feeds.values()) {
      const node = this.#cluster.leader(place)
      if (node === undefined) void this.#lookAgain()
      else if (!this.#fetching.has(node)) void this.#run(node)
    }
  }

  async #run(node: number): Promise<void> {
    this.#fetching.add(node)
    const session = new FetchSession()
    try {
      // A follower that is added in this turn is in the first request.
      await Promise.resolve()
      for (let feeds = this.#ledBy(node); feeds.length > 0; feeds = this.#ledBy(node)) {
        const now = performance.now()
        const wanted = feeds.filter(({ quietUntil }) => quietUntil <= now)
        await (wanted.length === 0 ? this.#cluster.pause(idleMs) : this.#fetch(node, session, wanted))
        // Whoever was woken appends first, and the next Fetch finds that too.
        await nextTurn()
      }
    } catch (error) {
      if (!this.#cluster.isClosed) void this.#lookAgain(error)
    } finally {
      this.#fetching.delete(node)
    }
  }

  #ledBy(node: number): Feed[] {
    if (this.#cluster.isClosed) return []
    return [...this.#feeds.values()].filter(({ place }) => this.#cluster.leader(place) === node)
  }

  async #fetch(node: number, session: FetchSession, feeds: readonly Feed[]): Promise<void> {
    const wanted = session.next(feeds.map(({ place, next }) => ({ place, offset: next })))
    this.#stats.fetchRequests++
    // Once decoded, what comes takes twice as much. In a session a partition that has not moved keeps its older bound.
    const bytesMax = Math.floor(Math.min(answerBytesMax, this.#account.bytesMax / 2))
    const request = sessionFetchRequest(wanted, {
      waitMs,
      bytesMax,
      partitionBytesMax: Math.min(partitionBytesMax, bytesMax)
    })
    this.#account.hold(bytesMax)
    try {
      const answer = await this.#cluster.at('tail', node, (link) => link.connectionPool.send(request))
      session.answered(answer.session)
      this.#deliverAll(feeds, answer.fetched)
    } catch (error) {
      if (!isSessionLost(error)) throw error
      session.reset()
    } finally {
      this.#account.release(bytesMax)
    }
  }

  #deliverAll(feeds: readonly Feed[], fetched: ReadonlyMap<string, Fetched>): void {
    for (const feed of feeds) {
      const name = placeName(feed.place)
      const ofFeed = fetched.get(name)
      if (ofFeed === undefined || this.#feeds.get(name) !== feed) continue
      // To the end of the next request: the broker fills an answer in its order, as far as there is room.
      this.#feeds.delete(name)
      this.#feeds.set(name, feed)
      this.#deliver(feed, ofFeed)
    }
  }

  #deliver(feed: Feed, fetched: Fetched): void {
    try {
      const what = arrived(feed.place, feed.next, fetched)
      this.#stats.fetchedRecords += what.records.length
      this.#stats.fetchedBytes += fetched.batches.length
      feed.next = what.next
      for (const follower of [...feed.followers]) follower.arrive(what)
    } catch (error) {
      if (concernsTopic(error)) return this.#leaveAll(feed)
      if (passes(error)) return void this.#lookAgain(error)
      if (error instanceof StartGone) return void this.#beginAtStart(feed)
      this.#fail(feed, error)
    }
  }

  async #beginAtStart(feed: Feed): Promise<void> {
    const { place } = feed
    feed.quietUntil = Infinity
    try {
      const asking = { what: `the start of '${placeName(place)}'`, scope: 'topic' } as const
      feed.next = await this.#cluster.atLeader('tail', place, asking, (link) => startOf(link, place))
      feed.quietUntil = 0
      for (const follower of [...feed.followers]) follower.arrive(nothing(feed.next))
    } catch (error) {
      this.#fail(feed, this.#cluster.isClosed ? closedError() : error)
    }
  }

  #leaveAll(feed: Feed): void {
    this.#feeds.delete(placeName(feed.place))
    for (const follower of [...feed.followers]) follower.missing()
  }

  #fail(feed: Feed, error: unknown): void {
    this.#feeds.delete(placeName(feed.place))
    for (const follower of [...feed.followers]) follower.fail(error)
  }

  /** The leaders have changed, or cannot be reached: they are looked up until all that is followed has one again. */
  async #lookAgain(error?: unknown): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      if (error !== undefined && !passes(error)) throw error as Error
      await this.#cluster.persist('the leaders of what is read', async () => {
        await this.#cluster.pause(leaderPauseMs)
        await this.#cluster.refresh()
      })
      this.#isLooking = false
      this.#fetchAll()
    } catch (failure) {
      this.#failAll(failure)
    } finally {
      this.#isLooking = false
    }
  }

  #failAll(error: unknown): void {
    const reason = this.#cluster.isClosed ? closedError() : error
    for (const { followers } of this.#feeds.values()) for (const follower of [...followers]) follower.fail(reason)
    this.#feeds.clear()
  }
}

/** Brokers forget sessions that they have no room for. */
const isSessionLost = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === brokerError.fetchSessionUnknown || code === brokerError.fetchSessionEpoch
}

/** How late a take-over of a journal is noticed by those who follow it here. */
const quietMs = 1_000
/** The pause of a loop that has nothing to fetch at the moment. */
const idleMs = 20
/** Electing a leader takes longer than this; asking at once would only be asking twice. */
const leaderPauseMs = 50
