/** A process that has no file left to open when a log wants to start its thread, and closes some then. */
import { closeSync, openSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import { VirtualClock } from '../helpers/virtual-clock.ts'
import { record } from './records.ts'

const clock = new VirtualClock(0)
const table = { topic: 'table', partition: 0 }
const log = await openEmbeddedLog({ dir: process.argv[2]!, clock })
await log.ensureTopics([{ topic: 'table', partitions: 1, cleanup: 'compact' }])
const writer = await log.claim(table)
for (let i = 0; i < 200; i++) await writer.append([record(`a${i}`)])

const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  // There are no more.
}
const appended = Promise.all(Array.from({ length: 100 }, (_, i) => writer.append([record(`b${i}`)])))
while (log.health().ok) await turn()
const health = log.health()
for (const descriptor of taken) closeSync(descriptor)
console.log(`stalled ${health.ok ? '' : health.code}`)
clock.advance(1_000)
await appended
console.log(`appended ${await log.end(table)}`)
await log.close()
