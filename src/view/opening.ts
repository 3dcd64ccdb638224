import { type Log, placeName } from '../log/index.ts'
import type { Place } from './record.ts'
import type { Moment, Position, Positions, ViewStore } from './store.ts'

/**
 * The moment to go on from. Its positions are only worth something for the log they were taken from: where the log ends
 * before them, or has another record there (it was deleted and has grown again), the store is emptied and everything is
 * folded again; unless another view has written to it meanwhile, and then it is looked at once more.
 */
export const startMoment = async (
  log: Log,
  store: ViewStore,
  places: readonly Place[],
  onRebuild: (reason: string) => void
): Promise<Moment> => {
  if (store.wasReset) onRebuild('it was of another layout, or damaged')
  for (;;) {
    const moment = await store.moment()
    const reason = await foreignTo(log, places, moment.positions)
    if (reason === undefined) return moment
    if (await store.clear(moment)) onRebuild(reason)
  }
}

/** Why these positions are not of this log; undefined where they may be. */
export const foreignTo = async (
  log: Log,
  places: readonly Place[],
  positions: Positions
): Promise<string | undefined> => {
  for (const place of places) {
    const position = positions.get(place.name)
    const reason = position === undefined ? undefined : await whyForeignAt(log, place, position)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** The partitions that a view of these topics follows. */
export const placesOf = (topics: readonly string[], log: Log): readonly Place[] =>
  topics.flatMap((topic) =>
    Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({
      ...{ topic, partition },
      name: placeName({ topic, partition })
    }))
  )

const whyForeignAt = async (log: Log, place: Place, position: Position): Promise<string | undefined> => {
  const end = await log.end(place)
  if (position.next > end) return `it stands at ${place.name}@${position.next}, and the log ends at ${end}`
  for await (const records of log.read(place, position.next - 1, position.next))
    for (const { offset, key, timestamp } of records)
      if (offset === position.next - 1 && (key !== position.key || timestamp !== position.timestamp))
        return `the log has another record at ${place.name}@${offset} than the one that was folded`
  return undefined
}
