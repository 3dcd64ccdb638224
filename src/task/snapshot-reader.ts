import type { Log } from '../log/index.ts'
import { header } from './headers.ts'
import { entityPrefix, type Marker, markerKey, snapshotTopic } from './snapshots.ts'

export type SnapshotEntity = {
  readonly key: string
  /** As the component's `snapshot` has encoded it. */
  readonly bytes: Uint8Array
  /** It stands for the events of the journal below this offset. */
  readonly version: number
}

/**
 * Reads the snapshots of a component's partition without taking part in its work: hands over its entities, and resolves
 * with the journal offset from which on events may be missing in them (0 where there is no whole snapshot). The owner
 * may write meanwhile: an entity may be told again, newer, and may be newer than that offset.
 */
export const readSnapshot = async (
  log: Log,
  component: string,
  partition: number,
  onEntity: (entity: SnapshotEntity) => void
): Promise<number> => {
  const place = { topic: snapshotTopic(component), partition }
  let from = 0
  for await (const records of log.read(place, 0, await log.end(place))) {
    for (const { key, value, headers } of records) {
      if (value === null) continue
      if (key === markerKey) from = (JSON.parse(Buffer.from(value).toString()) as Marker).offset
      else if (key.startsWith(entityPrefix))
        onEntity({ key: key.slice(entityPrefix.length), bytes: value, version: Number(headers[header.version]) })
    }
  }
  return from
}
