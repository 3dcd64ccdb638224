import { type Log, type LogRecord, recordBytes } from '../../src/log/index.ts'
import { replaced } from './stage.ts'

export const bytesOf = (records: readonly LogRecord[]): number =>
  records.reduce((sum, record) => sum + recordBytes(record), 0)

export type Appended = { readonly topic: string; readonly records: readonly LogRecord[] }

/** The log, with all that is appended to it by a task; `fails` says of a batch that it does not come through. */
export const watched = (log: Log, fails: (appended: readonly Appended[]) => boolean = () => false) => {
  const appended: Appended[] = []
  const claim: Log['claim'] = async (place) => {
    const writer = await log.claim(place)
    const append = async (records: readonly LogRecord[]): Promise<number> => {
      appended.push({ topic: place.topic, records })
      if (fails(appended)) throw new Error('crash')
      return writer.append(records)
    }
    return { ...writer, append }
  }
  const batches = (topic: string): (readonly LogRecord[])[] =>
    appended.filter((one) => one.topic === topic).map(({ records }) => records)
  return { log: replaced(log, { claim }), batches }
}
