import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type LoadResult, runLoad } from './load.ts'
import { type Counters, type Server, startServer } from './server.ts'

const usage = `npm run bench -- [--clients 1,64,256] [--seconds 10] [--warmup 5] [--declined 10]
                 [--flow orchestration|choreography]

Closed loop through REST: each client places an order, waits for its end, and places the next.
The server is a process of its own, with its log synced to disk; driver and server share the machine.
Latencies are from sending the POST to the answer that tells the end; 'undone' is that of a declined order
whose compensations are all confirmed, and its ratio to the one of a paid order.`

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1,64,256' },
    seconds: { type: 'string', default: '10' },
    warmup: { type: 'string', default: '5' },
    declined: { type: 'string', default: '10' },
    flow: { type: 'string', default: 'orchestration' },
    help: { type: 'boolean', default: false }
  }
})

const columns = [
  'clients',
  'orders/s',
  'p50 ms',
  'p99 ms',
  'undone p50 ms',
  'undone/paid',
  'server CPU s/1000',
  'driver CPU s/1000',
  'fsyncs/order',
  'log KB/order',
  'server MB',
  'errors'
]

const main = async (): Promise<void> => {
  const declinedPercent = Number(values.declined)
  const server = await startServer(values.flow)
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`)
  console.log(`flow ${values.flow}, ${declinedPercent} % declined, ready after ${server.readyMs.toFixed(0)} ms\n`)
  console.log(columns.join('  '))
  try {
    const { url } = server
    await runLoad({ url, clients: 64, seconds: Number(values.warmup), declinedPercent })
    for (const clients of values.clients.split(',').map(Number)) await measure(server, clients, declinedPercent)
  } finally {
    await server.stop()
  }
}

const measure = async (server: Server, clients: number, declinedPercent: number): Promise<void> => {
  const before = await server.counters()
  const driver = process.cpuUsage()
  const result = await runLoad({ url: server.url, clients, seconds: Number(values.seconds), declinedPercent })
  const { user, system } = process.cpuUsage(driver)
  console.log(row(clients, result, { before, after: await server.counters(), driverSeconds: (user + system) / 1e6 }))
}

type Use = { readonly before: Counters; readonly after: Counters; readonly driverSeconds: number }

const row = (clients: number, result: LoadResult, { before, after, driverSeconds }: Use): string => {
  const all = [...result.completedMs, ...result.rejectedMs]
  const orders = all.length
  const errors = [...result.errors].map(([what, count]) => `${what}: ${count}`).join(', ')
  const [paidMs, undoneMs] = [percentile(result.completedMs, 0.5), percentile(result.rejectedMs, 0.5)]
  const cells = [
    String(clients),
    (orders / result.seconds).toFixed(0),
    paidMs.toFixed(1),
    percentile(result.completedMs, 0.99).toFixed(1),
    undoneMs.toFixed(1),
    (undoneMs / paidMs).toFixed(2),
    (((after.cpuSeconds - before.cpuSeconds) / orders) * 1000).toFixed(3),
    ((driverSeconds / orders) * 1000).toFixed(3),
    ((after.fsyncs - before.fsyncs) / orders).toFixed(3),
    ((after.logBytes - before.logBytes) / orders / 1024).toFixed(1),
    (after.residentBytes / 1024 / 1024).toFixed(0),
    errors === '' ? 'none' : errors
  ]
  return cells.map((cell, i) => cell.padStart(columns[i]!.length)).join('  ')
}

/** Not a number where there are none. */
const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

if (values.help) console.log(usage)
else await main()
