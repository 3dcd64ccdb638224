/** Something that a partition's owner was asked, and the batch that answered it; in ms since 1970. */
export type Demand = { readonly place: string; readonly askedAt: number; readonly answeredAt: number }

/** For each place the times of its own batches, in their order. */
export type Batches = ReadonlyMap<string, readonly number[]>

export type Stall = { readonly place: string; readonly ms: number }

/**
 * How long each partition has stood still at most, of those that were asked something: the longest time between two of
 * its own batches in which a demand was waiting. A demand waits until the batch that answers it, not the next one, as
 * that may come from an owner that has not seen it any more; and what is waited for behind others' demands is no stall
 * as long as batches come. Stalls that begin in `[from, to]` count.
 */
export const longestStalls = (demands: readonly Demand[], batches: Batches, from: number, to: number): Stall[] => {
  const longest = new Map<string, number>()
  for (const { place, askedAt, answeredAt } of demands) {
    if (answeredAt < from || askedAt > to) continue
    const between = (batches.get(place) ?? []).filter((at) => at > askedAt && at < answeredAt)
    const times = [askedAt, ...between, answeredAt]
    const stalls = times.slice(1).map((at, i) => (times[i]! >= from && times[i]! <= to ? at - times[i]! : 0))
    longest.set(place, Math.max(longest.get(place) ?? 0, ...stalls))
  }
  return [...longest].map(([place, ms]) => ({ place, ms })).sort((a, b) => b.ms - a.ms)
}

/** A sentence about stalls, the longest first. */
export const stallsTold = (stalls: readonly Stall[]): string => {
  const [first] = stalls
  if (first === undefined) return 'no partition was asked anything'
  const median = stalls[Math.floor(stalls.length / 2)]!
  const longest = stalls.slice(0, 5).map(({ place, ms }) => `${place} ${seconds(ms)}`)
  return (
    `${stalls.length} partitions stalled for ${seconds(first.ms)} s at most, median ${seconds(median.ms)} s ` +
    `(the longest: ${longest.join(', ')})`
  )
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
