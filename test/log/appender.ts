/**
 * A process that appends until it is killed: the whole numbers, in batches of changing length, to three partitions in
 * turn. Of each batch, when it is durable, it prints the number below which all are durable.
 */
import { writeSync } from 'node:fs'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import { appenderTopics } from './appender-topics.ts'

const log = await openEmbeddedLog({ dir: process.argv[2]!, segmentBytes: 20_000 })
await log.ensureTopics(appenderTopics)
const partitions = [0, 1, 2].map((partition) => ({ topic: 'journal', partition }))
const ends = await Promise.all(partitions.map((place) => log.end(place)))
const writers = await Promise.all(partitions.map((place) => log.claim(place)))
const value = Buffer.alloc(300, 'v')

for (let next = ends.reduce((sum, end) => sum + end, 0), batch = 0; ; batch++) {
  const count = 1 + ((batch * 7) % 5)
  const partition = batch % 3
  const numbers = Array.from({ length: count }, (_, i) => next + i)
  const base = await writers[partition]!.append(
    numbers.map((number) => ({ key: String(number), value, timestamp: 0, headers: {} }))
  )
  next += count
  const durable = next
  const acknowledged = log.durable(partitions[partition]!, base + count).then(() => writeSync(1, `${durable}\n`))
  if (batch % 4 === 3) await acknowledged
}
