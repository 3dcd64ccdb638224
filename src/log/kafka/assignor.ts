import { placeName, type TopicPartition } from '../log.ts'

export type Member = {
  readonly memberId: string
  /** `<topic>/<partition>` of what it held before this assignment. */
  readonly holds: readonly string[]
}

/**
 * Shares partitions out evenly (no two members differ by more than one), leaving as many as possible where they are.
 * The same for every order of the members, so that it does not matter who leads.
 */
export const assign = (
  places: readonly TopicPartition[],
  members: readonly Member[]
): ReadonlyMap<string, readonly TopicPartition[]> => {
  const ordered = [...members].sort((a, b) => b.holds.length - a.holds.length || (a.memberId < b.memberId ? -1 : 1))
  const least = Math.floor(places.length / ordered.length)
  let larger = places.length % ordered.length
  const free = new Map(places.map((place) => [placeName(place), place]))
  const shares = new Map<string, TopicPartition[]>()
  for (const { memberId, holds } of ordered) {
    const kept = holds.flatMap((name) => free.get(name) ?? []).slice(0, least + (larger > 0 ? 1 : 0))
    if (kept.length > least) larger--
    for (const place of kept) free.delete(placeName(place))
    shares.set(memberId, kept)
  }
  const rest = free.values()
  for (const share of shares.values()) take(rest, share, least)
  for (const share of shares.values()) if (share.length === least) take(rest, share, least + 1)
  return shares
}

const take = (rest: Iterator<TopicPartition>, share: TopicPartition[], count: number): void => {
  while (share.length < count) {
    const next = rest.next()
    if (next.done === true) return
    share.push(next.value)
  }
}
