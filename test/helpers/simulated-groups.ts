import { placeName, type TopicPartition } from '../../src/log/index.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { VirtualTime } from './virtual-time.ts'

type Member = {
  readonly process: SimulatedProcess
  readonly places: readonly TopicPartition[]
  readonly onAssignment: (mine: readonly TopicPartition[]) => void
  /** Assignments reach a member in order. */
  announced: number
  hasLeft: boolean
}

type Group = { members: Member[]; generation: number }

/** After this long without a sign of life a member counts as dead. */
const sessionMs = 3000

/**
 * Shares partitions among the members of groups. Each member hears of a new share by itself and with a delay, so for a
 * while two may both take a partition for theirs; that is what the journal's fence is for.
 */
export class SimulatedGroups {
  readonly #time: VirtualTime
  /** The longest delay until a member hears of its share. */
  readonly #delayMsMax: number
  readonly #groups = new Map<string, Group>()

  constructor(time: VirtualTime, delayMsMax: number) {
    this.#time = time
    this.#delayMsMax = delayMsMax
  }

  /** Gives the function that leaves. */
  join(name: string, member: Omit<Member, 'announced' | 'hasLeft'>): () => void {
    const group = this.#groups.get(name) ?? { members: [], generation: 0 }
    this.#groups.set(name, group)
    const joined: Member = { ...member, announced: 0, hasLeft: false }
    group.members.push(joined)
    const leave = (): void => {
      joined.hasLeft = true
      if (!group.members.includes(joined)) return
      group.members = group.members.filter((other) => other !== joined)
      this.#share(name, group)
    }
    const expire = (): unknown => this.#time.after(sessionMs, leave)
    // The request may have outlived its sender.
    if (member.process.isAlive) member.process.onCrash(expire)
    else expire()
    this.#share(name, group)
    return leave
  }

  /** A process will not be heard of for so long. */
  suspend(process: SimulatedProcess, ms: number): void {
    if (ms <= sessionMs) return
    for (const [name, group] of this.#groups) {
      const absent = group.members.filter((member) => member.process === process)
      if (absent.length === 0) continue
      this.#time.after(sessionMs, () => {
        group.members = group.members.filter((member) => member.process !== process)
        this.#share(name, group)
      })
      this.#time.after(ms, () => {
        if (!process.isAlive) return
        group.members.push(...absent.filter((member) => !member.hasLeft && !group.members.includes(member)))
        this.#share(name, group)
      })
    }
  }

  /** Shares a group anew, as if a member had come and gone. */
  rebalance(name: string): void {
    this.#share(name, this.#groups.get(name)!)
  }

  names(): string[] {
    return [...this.#groups.keys()]
  }

  #share(name: string, group: Group): void {
    const generation = ++group.generation
    const places = new Map(group.members.flatMap(({ places }) => places.map((place) => [placeName(place), place])))
    const shares = new Map<Member, TopicPartition[]>(group.members.map((member) => [member, []]))
    for (const place of places.values())
      if (group.members.length > 0) shares.get(this.#time.pick(group.members))!.push(place)
    for (const [member, mine] of shares) {
      const text = `${member.process.name} is given ${mine.map(placeName).join(' ') || 'nothing'} (${name})`
      member.process.after(this.#time.between(1, this.#delayMsMax), () => {
        if (member.announced > generation || !group.members.includes(member)) return
        member.announced = generation
        this.#time.note(text)
        member.onAssignment(mine)
      })
    }
  }
}
