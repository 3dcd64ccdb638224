import type { Log } from '../log/index.ts'
import type { Place } from './record.ts'
import type { Position, ViewStore } from './store.ts'

/**
 * The positions to go on from. They are only worth something for the log they were taken from: where the log ends
 * before them, or has another record there (it was deleted and has grown again), the store is emptied and everything is
 * folded again.
 */
export const startPositions = async (
  log: Log,
  store: ViewStore,
  places: readonly Place[],
  onRebuild: (reason: string) => void
): Promise<ReadonlyMap<string, Position>> => {
  const positions = await store.positions()
  if (store.wasReset) onRebuild('its file was damaged or of another layout')
  for (const place of places) {
    const position = positions.get(place.name)
    if (position === undefined) continue
    const reason = await whyForeign(log, place, position)
    if (reason === undefined) continue
    onRebuild(reason)
    await store.clear()
    return new Map()
  }
  return positions
}

const whyForeign = async (log: Log, place: Place, position: Position): Promise<string | undefined> => {
  const end = await log.end(place)
  if (position.next > end) return `it stands at ${place.name}@${position.next}, and the log ends at ${end}`
  for await (const records of log.read(place, position.next - 1, position.next))
    for (const { offset, key, timestamp } of records)
      if (offset === position.next - 1 && (key !== position.key || timestamp !== position.timestamp))
        return `the log has another record at ${place.name}@${offset} than the one that was folded`
  return undefined
}
