import type { Log, LogRecord, Reader, StoredRecord, TopicPartition } from '../../src/log/index.ts'

/** Not of long ago: a broker deletes by what records say of their age. */
export const timestamp = Date.now()

export const record = (key: string, value: string | null = `value of ${key}`): LogRecord => ({
  key,
  value: value === null ? null : Buffer.from(value),
  timestamp,
  headers: { ce_type: 'Tested' }
})

/** `n` records with the keys `<name>0`, `<name>1`, … */
export const records = (name: string, n: number): LogRecord[] =>
  Array.from({ length: n }, (_, i) => record(`${name}${i}`))

export const keysOf = (list: readonly StoredRecord[]): string[] => list.map(({ key }) => key)

/** What a person would write down of a stored record. */
export const plain = ({ key, value, timestamp, headers, offset }: StoredRecord): unknown => ({
  key,
  timestamp,
  offset,
  headers: { ...headers },
  value: value === null ? null : Buffer.from(value).toString()
})

export const readAll = async (log: Log, place: TopicPartition, from = 0, to?: number): Promise<StoredRecord[]> => {
  const all: StoredRecord[] = []
  for await (const chunk of log.read(place, from, to ?? (await log.end(place)))) all.push(...chunk)
  return all
}

/** Takes until this many have come. */
export const takeUntil = async (reader: Reader, count: number, atOnceMax = 1000): Promise<StoredRecord[]> => {
  const all: StoredRecord[] = []
  while (all.length < count) {
    await reader.ready()
    for (const chunk of reader.take(Math.min(atOnceMax, count - all.length))) all.push(...chunk.records)
  }
  return all
}
