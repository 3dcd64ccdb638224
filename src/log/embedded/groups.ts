import { placeName, type TopicPartition } from '../log.ts'

type Member = {
  readonly places: readonly TopicPartition[]
  readonly onAssignment: (mine: readonly TopicPartition[]) => void
  /** Names of the places, as announced last. */
  mine: string
}

/**
 * Shares partitions among the members of a group within this process: dealt out in the order of joining, and
 * announced where it changes.
 */
export class Groups {
  readonly #groups = new Map<string, Member[]>()

  /** Gives the function that leaves. */
  join(
    group: string,
    places: readonly TopicPartition[],
    onAssignment: (mine: readonly TopicPartition[]) => void
  ): () => void {
    const members = this.#groups.get(group) ?? []
    this.#groups.set(group, members)
    const member: Member = { places, onAssignment, mine: '' }
    members.push(member)
    announce(members)
    return () => {
      if (!members.includes(member)) return
      members.splice(members.indexOf(member), 1)
      announce(members)
    }
  }
}

/** In the order of joining, so that a newcomer gets its share after the others have heard that they lose it. */
const announce = (members: readonly Member[]): void => {
  const shares = deal(members)
  for (const member of members.slice()) {
    const mine = shares.get(member)!
    if (namesOf(mine) === member.mine) continue
    member.mine = namesOf(mine)
    member.onAssignment(mine)
  }
}

const deal = (members: readonly Member[]): Map<Member, TopicPartition[]> => {
  const shares = new Map<Member, TopicPartition[]>(members.map((member) => [member, []]))
  const places = new Map(members.flatMap(({ places }) => places.map((place) => [placeName(place), place])))
  for (const [i, [name, place]] of [...places].entries()) {
    const takers = members.filter((member) => member.places.some((other) => placeName(other) === name))
    shares.get(takers[i % takers.length]!)!.push(place)
  }
  return shares
}

const namesOf = (places: readonly TopicPartition[]): string => places.map(placeName).join()
