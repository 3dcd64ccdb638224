import { type Clock, inTime, ParcomoloError } from '../base/index.ts'
import { type Log, placeName } from '../log/index.ts'

/** What somebody who asks a log once and goes needs of it. */
export type BoundedLog = Pick<Log, 'ensureTopics' | 'partitionCount' | 'end' | 'read' | 'send' | 'durable'> &
  Required<Pick<Log, 'acceptLoss'>>

/** As long as an opening log looks for a broker. */
const silentMsMax = 30_000

/**
 * A log for a person who waits. The log itself waits for what passes by itself until it is closed, as a process that
 * runs for months has to; here each answer, and each chunk that is read, has to come in time. Rejects with
 * PARCOMOLO_MAIN_LOG_SILENT then, and the log is to be closed.
 */
export const boundedLog = (log: Log, clock: Clock): BoundedLog => {
  const bounded = <T>(what: string, work: Promise<T>): Promise<T> =>
    inTime(clock, silentMsMax, work, () => silent(what, log))
  return {
    ensureTopics: (specs) => bounded('the making and checking of topics', log.ensureTopics(specs)),
    partitionCount: (topic) => log.partitionCount(topic),
    end: (place) => bounded(`the end of '${placeName(place)}'`, log.end(place)),
    send: (records) => bounded(`the sending to '${placeName(records[0]!)}'`, log.send(records)),
    durable: (place, offset) => bounded(`the storing of '${placeName(place)}'`, log.durable(place, offset)),
    acceptLoss: (topic, by, reason) =>
      bounded(`the acceptance of what '${topic}' has lost`, log.acceptLoss?.(topic, by, reason) ?? Promise.resolve([])),
    read: async function* (place, from, to) {
      const chunks = log.read(place, from, to)[Symbol.asyncIterator]()
      try {
        for (;;) {
          const { done, value } = await bounded(`the reading of '${placeName(place)}'`, chunks.next())
          if (done === true) return
          yield value
        }
      } finally {
        // Not awaited: a reading that is silent would not end before the log is closed.
        chunks.return?.().catch(() => undefined)
      }
    }
  }
}

const silent = (what: string, log: Log): ParcomoloError => {
  const health = log.health()
  const trouble = health.ok ? 'it names no trouble' : health.message
  return new ParcomoloError(
    'PARCOMOLO_MAIN_LOG_SILENT',
    `the log has not answered within ${silentMsMax / 1000} s, which ${what} was waiting for (${trouble}); ` +
      'expected all brokers that lead its partitions; look after them, and repeat the command',
    { retryable: true }
  )
}
