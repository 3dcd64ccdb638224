import type { Chunk, Log, Reader } from '../../src/log/index.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'

/** A log that does one thing otherwise. */
export const instead = (log: Log, other: Partial<Log>): Log => ({
  ensureTopics: (specs) => log.ensureTopics(specs),
  partitionCount: (topic) => log.partitionCount(topic),
  claim: (place) => log.claim(place),
  send: (records) => log.send(records),
  reader: (starts, isolation) => log.reader(starts, isolation),
  read: (place, from, to) => log.read(place, from, to),
  end: (place) => log.end(place),
  durable: (place, offset) => log.durable(place, offset),
  lookup: (place, keys) => log.lookup(place, keys),
  join: (group, places, onAssignment) => log.join(group, places, onAssignment),
  health: () => log.health(),
  stats: () => log.stats(),
  close: () => log.close(),
  ...other
})

/** How slow somebody is: it reads at most so many records, then nothing for a while, and writes late. */
export type Pace = { readonly recordsMax: number; readonly everyMs: number; readonly lateMs: number }

/** The log as a process has it that is as slow as `paceOf` says; undefined: as fast as it can. */
export const paced = (log: Log, process: SimulatedProcess, paceOf: () => Pace | undefined): Log =>
  instead(log, {
    reader: (starts, isolation) => pacedReader(log.reader(starts, isolation), process, paceOf),
    claim: async (place) => {
      const writer = await log.claim(place)
      return {
        ...writer,
        append: async (records) => {
          const pace = paceOf()
          if (pace !== undefined) await process.wait(pace.lateMs)
          return writer.append(records)
        }
      }
    }
  })

/** It says that it is ready only when it hands something over, or its task would ask again at once and for ever. */
const pacedReader = (reader: Reader, process: SimulatedProcess, paceOf: () => Pace | undefined): Reader => {
  let nextAt = 0
  const leftMs = (): number => nextAt - process.clock.now()
  return {
    take: (recordsMax, bytesMax): Chunk[] => {
      const pace = paceOf()
      if (pace === undefined) return reader.take(recordsMax, bytesMax)
      if (leftMs() > 0) return []
      const chunks = reader.take(Math.min(recordsMax, pace.recordsMax), bytesMax)
      if (chunks.length > 0) nextAt = process.clock.now() + pace.everyMs
      return chunks
    },
    ready: async () => {
      if (paceOf() !== undefined && leftMs() > 0) await process.wait(leftMs())
      await reader.ready()
    },
    close: () => reader.close()
  }
}
