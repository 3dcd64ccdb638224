import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { fillShelves, runLoad } from './load.ts'
import { startParcomolo } from './parcomolo.ts'
import { head, type Measured, measured, ratios, row } from './report.ts'
import { startRestate } from './restate/target.ts'
import { type Saga, sagas, type Target } from './target.ts'

const usage = `npm run bench -- [--clients 1,64,256] [--seconds 10] [--warmup 5] [--declined 10] [--skus 1000]
                 [--saga order | seed | seed,order] [--flow orchestration|choreography]
                 [--rival restate] [--rounds 2]

Closed loop through REST: each client places an order, waits for its end, and places the next.
The server is a process of its own, with its log synced to disk; driver and server share the machine.
Latencies are from sending the POST to the answer that tells the end; 'undone' is that of a declined order
whose compensations are all confirmed, and its ratio to the one of a paid order.

--saga order: the shop's own saga: reserve, pay, confirm, ship, then dispatch and complete; undone by release and reject.
--saga seed:  the seed's flow: reserve, pay, ship (test/bench/sagas/seed.yaml). With a rival both are run.

--rival restate runs the same orders through Restate, too, and prints how many times better we are, over all rounds.
Both are warmed up, then measured in turn: A B A B for 2 rounds of each number of clients. It needs Linux.
- Restate's server runs on one node with its own settings: each record is synced to disk before it counts. Only two are
  changed: one partition for each core, which serves it better than its 24, and telemetry off. The order with its saga,
  stock, payment and shipping are virtual objects in TypeScript, in four processes of their own.
- The CPU of all processes of a side counts. The other side stands idle meanwhile, which costs some 3 % of one core.
- To Restate's advantage: one request an order (a call, whose answer is the end) instead of two (POST, then GET);
  no read model, no checks of requests and contracts; confirming, completing and rejecting are fields of the order's
  object and not commands to a service of its own, so that even in the seed's flow we have one command more, which is
  to complete; stock is two counts, with no reservation for each order; goods are spread over --skus objects, since all
  who want the same would stand in line.
- To ours: all services and the log are in one process here, where Restate's five talk over the network.`

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1,64,256' },
    seconds: { type: 'string', default: '10' },
    warmup: { type: 'string', default: '5' },
    declined: { type: 'string', default: '10' },
    skus: { type: 'string', default: '1000' },
    saga: { type: 'string' },
    flow: { type: 'string', default: 'orchestration' },
    rival: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false }
  }
})

type Start = (resources: AsyncDisposableStack, saga: Saga) => Promise<Target>

const rivals: Readonly<Record<string, Start>> = { restate: startRestate }

const skus = Array.from({ length: Number(values.skus) }, (_, i) => `sku-${i}`)
const declinedPercent = Number(values.declined)

const main = async (): Promise<void> => {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`)
  for (const saga of sagasAsked()) {
    const resources = new AsyncDisposableStack()
    try {
      await Promise.race([compare(resources, saga), interrupted])
    } finally {
      await resources.disposeAsync()
    }
  }
}

class Interrupted extends Error {}

/** Rejects on Ctrl-C and its like, so that what was started is stopped and what was written is removed. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => reject(new Interrupted(signal)))
  }
})

const sagasAsked = (): readonly Saga[] => {
  const names = (values.saga ?? (values.rival === undefined ? 'order' : 'seed,order')).split(',')
  if (values.flow !== 'orchestration' && names.includes('seed')) {
    throw new Error(`--saga: in ${values.flow} no saga is run, and 'seed' is nothing but a saga; leave it out`)
  }
  return names.map((name) => {
    const saga = sagas.find((one) => one === name)
    if (saga === undefined) throw new Error(`--saga: '${name}' is no saga; expected ${sagas.join(' or ')}`)
    return saga
  })
}

/** What runs beside one another: our product, and the rival if one is asked for. */
const starters = (): readonly Start[] => {
  const ours: Start = (resources, saga) => startParcomolo(resources, { flow: values.flow, saga })
  if (values.rival === undefined) return [ours]
  const rival = rivals[values.rival]
  if (rival !== undefined) return [ours, rival]
  throw new Error(`--rival: '${values.rival}' is not known; expected ${Object.keys(rivals).join(' or ')}`)
}

const compare = async (resources: AsyncDisposableStack, saga: Saga): Promise<void> => {
  const targets: Target[] = []
  for (const start of starters()) targets.push(await start(resources, saga))
  console.log(`\nsaga ${saga}, flow ${values.flow}, ${declinedPercent} % declined, ${skus.length} SKUs`)
  for (const { name, readyMs } of targets) console.log(`${name} ready after ${readyMs.toFixed(0)} ms`)
  console.log(`\n${head()}`)
  for (const target of targets) {
    await fillShelves(target, skus)
    await runLoad(target, { clients: 64, seconds: Number(values.warmup), declinedPercent, skus })
  }
  const lines: string[] = []
  for (const clients of values.clients.split(',').map(Number)) {
    const [ours, rivals] = await measureInTurn(targets, clients)
    if (rivals !== undefined) lines.push(ratios(clients, ours!, rivals))
  }
  if (lines.length > 0) console.log(`\nHow many times better than ${values.rival}:\n${lines.join('\n')}`)
}

/** The runs of each target. */
const measureInTurn = async (targets: readonly Target[], clients: number): Promise<readonly Measured[][]> => {
  const runs = targets.map((): Measured[] => [])
  const rounds = targets.length === 1 ? 1 : Number(values.rounds)
  for (let round = 0; round < rounds; round++) {
    for (const [i, target] of targets.entries()) {
      const run = await measure(target, clients)
      console.log(row(target.name, clients, run))
      runs[i]!.push(run)
    }
  }
  return runs
}

const measure = async (target: Target, clients: number): Promise<Measured> => {
  const before = await target.counters()
  const driver = process.cpuUsage()
  const result = await runLoad(target, { clients, seconds: Number(values.seconds), declinedPercent, skus })
  const { user, system } = process.cpuUsage(driver)
  return measured(result, { before, after: await target.counters(), driverSeconds: (user + system) / 1e6 })
}

/** What was being measured has lost its server by then, and need not be waited for. */
const sayInterrupted = (error: unknown): never => {
  if (!(error instanceof Interrupted)) throw error
  console.error(`stopped by ${error.message}`)
  process.exit(130)
}

if (values.help) console.log(usage)
else await main().catch(sayInterrupted)
