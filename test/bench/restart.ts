import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { brokers } from '../helpers/kafka.ts'
import { type RestartRun, runRestarts } from './restart-run.ts'

const usage = `npm run bench:restart -- [--events 1000000]

The order component (4 partitions) on the Kafka of KAFKA_BROKERS, started again and again in a process of its own, with
so many events behind it. Before each start it is asked to place an order in each partition.

nothing:   there has never been a snapshot: all events are read
snapshots: all that happened stands in whole snapshots, and what has ended in the archive
archive:   the snapshots are lost, and the archive is left, as after a crash within the first round of snapshots
lost:      snapshots and archive are lost

first s:   from the call that starts the component to the first event that a reader sees; the goal is 2 s with snapshots
last s:    the same for the last of the four partitions
process s: from the start of the process to the first event
answers s: the answers to 1,900 commands on some 500 orders of all ages, which have to be the right ones`

const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, help: { type: 'boolean', default: false } }
})

const columns = [
  'found    ',
  'events',
  'first s',
  'last s',
  'process s',
  'CPU s',
  'MB read',
  'fetches',
  'entities',
  'peak MB',
  'answers s'
] as const

const row = ({ found, events, start, answersMs, wrong }: RestartRun): string => {
  const { entities, fetchedBytes, fetchRequests, residentBytes, cpuSeconds } = start.report
  const seconds = [start.firstMs, start.lastMs, start.processMs].map((ms) => (ms / 1000).toFixed(2))
  const megabytes = [fetchedBytes, residentBytes].map((bytes) => (bytes / 1024 / 1024).toFixed(1))
  const cells = [
    found.padEnd(columns[0].length),
    String(events),
    ...seconds,
    cpuSeconds.toFixed(2),
    megabytes[0]!,
    String(fetchRequests),
    String(entities),
    megabytes[1]!,
    (answersMs / 1000).toFixed(2)
  ]
  const line = cells.map((cell, i) => cell.padStart(columns[i]!.length)).join('  ')
  return wrong.length === 0 ? line : `${line}  wrong: ${wrong.slice(0, 3).join(', ')} and ${wrong.length} in all`
}

const main = async (named: readonly string[]): Promise<void> => {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`)
  console.log(columns.join('  '))
  for await (const run of runRestarts(named, Number(values.events))) console.log(row(run))
}

if (values.help) console.log(usage)
else if (brokers === undefined) console.error('KAFKA_BROKERS names no broker; set it to host:port')
else await main(brokers)
