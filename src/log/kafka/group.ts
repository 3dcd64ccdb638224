import { type Membership, placeName, type TopicPartition } from '../log.ts'
import { brokerError, closedError, codeOf } from './broker-errors.ts'
import type { Cluster, Purpose } from './cluster.ts'
import { assign, type Member } from './assignor.ts'
import { assignerProtocol, isKafkaJsError, type Link } from './kafkajs.ts'
import type { KafkaStats } from './stats.ts'

export type GroupOptions = {
  /** The group's name in the cluster. */
  readonly group: string
  /** With the names that the topics have in the cluster. */
  readonly places: readonly TopicPartition[]
  readonly sessionTimeoutMs: number
  readonly onAssignment: (mine: readonly TopicPartition[]) => void
  /** Of a topic's name in this process, the one in the cluster. */
  readonly nameOf: (topic: string) => string
}

type Generation = { readonly id: number; readonly memberId: string }

const protocolName = 'parcomolo-sticky'
/** How long a rebalance waits for a member that does not come back before its session is over. */
const rebalanceTimeoutMs = 10_000
const farewellMsMax = 2_000

/**
 * One member of a consumer group (the classic protocol), by kafkajs' requests. kafkajs' own consumer is not used: it
 * cannot be a member without fetching, and shows signs of life only between two fetches.
 *
 *            joined, synced              heartbeat: rebalance, or not a member any more
 *   joining ───────────────▶ settled ────────────────────────────────────────────────▶ joining
 *
 * G1. An assignment is announced when it is another than before; over a rebalance the member keeps what it has until
 *     then, as the journals' fences make a late loser harmless.
 * G2. Each member tells what it holds, and the leader leaves it there as far as all get their share (assignor.ts).
 * G3. `confirm` is answered only by a heartbeat that was sent after the call, or by a new assignment.
 */
export class GroupMember implements Membership {
  readonly #cluster: Cluster
  readonly #stats: KafkaStats
  readonly #options: GroupOptions
  readonly #purpose: Purpose
  readonly #heartbeatMs: number
  #memberId = ''
  #generation: Generation | undefined
  #mine: readonly TopicPartition[] = []
  #hasAnnounced = false
  #hasLeft = false
  readonly #left = new AbortController()
  #confirmations: (() => void)[] = []

  constructor(cluster: Cluster, stats: KafkaStats, options: GroupOptions) {
    this.#cluster = cluster
    this.#stats = stats
    this.#options = options
    this.#purpose = `member ${++members}`
    this.#heartbeatMs = Math.max(50, Math.min(500, options.sessionTimeoutMs / 10))
  }

  /** Joins; resolves with the first assignment. `onFailure` hears what does not pass by itself later. */
  async start(onFailure: (error: unknown) => void): Promise<void> {
    await this.#join()
    this.#beat().catch((error: unknown) => {
      if (!this.#hasLeft && !this.#cluster.isClosed) onFailure(error)
    })
  }

  confirm(): Promise<void> {
    if (this.#hasLeft || this.#cluster.isClosed) return Promise.resolve()
    return new Promise((resolve) => this.#confirmations.push(resolve))
  }

  report(nexts: readonly (TopicPartition & { readonly offset: number })[]): void {
    const generation = this.#generation
    if (generation === undefined || nexts.length === 0 || this.#hasLeft) return
    const topics = [...Map.groupBy(nexts, ({ topic }) => topic)].map(([topic, partitions]) => ({
      topic: this.#options.nameOf(topic),
      partitions: partitions.map(({ partition, offset }) => ({ partition, offset: String(offset) }))
    }))
    const groupId = this.#options.group
    const commit = { groupId, groupGenerationId: generation.id, memberId: generation.memberId, topics }
    // It is for display only: the next report makes up for one that was lost.
    this.#atCoordinator((link) => link.offsetCommit(commit)).catch(() => undefined)
  }

  async leave(): Promise<void> {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#left.abort()
    this.#confirmed()
    const groupId = this.#options.group
    if (this.#memberId === '' || this.#cluster.isClosed) return
    const farewell = this.#atCoordinator((link) => link.leaveGroup({ groupId, memberId: this.#memberId }))
    // A member that cannot say farewell is missed when its session is over.
    await Promise.race([farewell, this.#cluster.pause(farewellMsMax)]).catch(() => undefined)
  }

  async #beat(): Promise<void> {
    while (!this.#hasLeft) {
      await this.#cluster.pause(this.#heartbeatMs, this.#left.signal)
      if (this.#hasLeft) return
      const confirmed = this.#confirmations.length
      if (await this.#isSettled()) for (const resolve of this.#confirmations.splice(0, confirmed)) resolve()
      else await this.#join()
    }
  }

  /** False where the group wants to be joined again. */
  async #isSettled(): Promise<boolean> {
    const { group } = this.#options
    const { id, memberId } = this.#generation!
    try {
      await this.#persist((link) => link.heartbeat({ groupId: group, groupGenerationId: id, memberId }))
      return true
    } catch (error) {
      if (!this.#mustRejoin(error)) throw error
      return false
    }
  }

  async #join(): Promise<void> {
    while (!this.#hasLeft) {
      try {
        const mine = await this.#joinOnce()
        this.#stats.rebalances++
        return this.#announce(mine)
      } catch (error) {
        if (!this.#mustRejoin(error)) throw error
      }
    }
  }

  async #joinOnce(): Promise<TopicPartition[]> {
    const { group, sessionTimeoutMs } = this.#options
    const joined = await this.#persist((link) =>
      link.joinGroup({
        groupId: group,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupProtocols: [{ name: protocolName, metadata: this.#metadata() }]
      })
    )
    this.#memberId = joined.memberId
    const isLeader = joined.leaderId === joined.memberId
    const groupAssignment = isLeader ? this.#share(joined.members) : []
    const { memberAssignment } = await this.#persist((link) =>
      link.syncGroup({ groupId: group, generationId: joined.generationId, memberId: joined.memberId, groupAssignment })
    )
    this.#generation = { id: joined.generationId, memberId: joined.memberId }
    const { assignment } = assignerProtocol.MemberAssignment.decode(memberAssignment) ?? { assignment: {} }
    return Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition }))
    )
  }

  #metadata(): Buffer {
    const topics = [...new Set(this.#options.places.map(({ topic }) => topic))]
    const userData = Buffer.from(JSON.stringify(this.#mine.map(placeName)))
    return assignerProtocol.MemberMetadata.encode({ version: 1, topics, userData })
  }

  #share(
    members: readonly { memberId: string; memberMetadata: Buffer }[]
  ): { memberId: string; memberAssignment: Buffer }[] {
    const shares = assign(this.#options.places, members.map(memberOf))
    return [...shares].map(([memberId, places]) => {
      const topics = Map.groupBy(places, ({ topic }) => topic)
      const assignment = Object.fromEntries(
        [...topics].map(([topic, list]) => [topic, list.map(({ partition }) => partition)])
      )
      return { memberId, memberAssignment: assignerProtocol.MemberAssignment.encode({ version: 1, assignment }) }
    })
  }

  #announce(mine: readonly TopicPartition[]): void {
    const isSame = namesOf(mine) === namesOf(this.#mine)
    this.#mine = mine
    if (!this.#hasLeft && !(isSame && this.#hasAnnounced)) {
      this.#hasAnnounced = true
      this.#options.onAssignment(mine)
    }
    this.#confirmed()
  }

  #confirmed(): void {
    for (const resolve of this.#confirmations.splice(0)) resolve()
  }

  #mustRejoin(error: unknown): boolean {
    const code = codeOf(error)
    if (code === brokerError.unknownMember) this.#memberId = ''
    if (isKafkaJsError(error) && error.memberId !== undefined) this.#memberId = error.memberId
    return rejoinCodes.has(code)
  }

  #persist<T>(work: (link: Link) => Promise<T>): Promise<T> {
    if (this.#cluster.isClosed) return Promise.reject(closedError())
    return this.#cluster.atCoordinator(this.#purpose, { kind: 0, key: this.#options.group }, work)
  }

  /** One try, beside the requests of the membership, which may be held up by a rebalance. */
  async #atCoordinator<T>(work: (link: Link) => Promise<T>): Promise<T> {
    const nodeId = await this.#cluster.coordinator(0, this.#options.group)
    return this.#cluster.at('write', nodeId, work)
  }
}

let members = 0

const rejoinCodes = new Set<number | undefined>([
  brokerError.unknownMember,
  brokerError.illegalGeneration,
  brokerError.rebalanceInProgress
])

const memberOf = ({ memberId, memberMetadata }: { memberId: string; memberMetadata: Buffer }): Member => {
  const { userData } = assignerProtocol.MemberMetadata.decode(memberMetadata)
  return { memberId, holds: heldIn(userData) }
}

/** A member of another version may say it in another way: it then holds nothing. */
const heldIn = (userData: Buffer): readonly string[] => {
  try {
    const held: unknown = JSON.parse(userData.toString())
    return Array.isArray(held) ? held.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}

const namesOf = (places: readonly TopicPartition[]): string => places.map(placeName).sort().join()
