import type { Log, Reader, StoredRecord, TopicPartition } from '../../src/log/index.ts'

export const placesOf = (log: Log, topic: string): TopicPartition[] =>
  Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ topic, partition }))

/** The number of records that have ever been written to a topic. */
export const recordsOn = async (log: Log, topic: string): Promise<number> => {
  const ends = await Promise.all(placesOf(log, topic).map((place) => log.end(place)))
  return ends.reduce((total, end) => total + end, 0)
}

export type Following = { close(): Promise<void> }

/** Calls for all records of a topic that come from now on; `onEnd` when it has failed. */
export const followTopic = async (
  log: Log,
  topic: string,
  onRecords: (records: readonly StoredRecord[]) => void,
  onError: (error: unknown) => void
): Promise<Following> => {
  const starts = await Promise.all(
    placesOf(log, topic).map(async (place) => ({ ...place, offset: await log.end(place) }))
  )
  const reader = log.reader(starts, 'visible')
  let isClosed = false
  const follow = async (): Promise<void> => {
    while (!isClosed) {
      await reader.ready()
      take(reader, onRecords)
    }
  }
  const following = follow().catch(onError)
  return {
    close: () => {
      isClosed = true
      reader.close()
      return following
    }
  }
}

const take = (reader: Reader, onRecords: (records: readonly StoredRecord[]) => void): void => {
  for (const { records } of reader.take(recordsMax)) onRecords(records)
}

const recordsMax = 10_000
