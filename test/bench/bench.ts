import { availableParallelism, cpus } from 'node:os'
import { usedBetween } from './counters.ts'
import { sayInterrupted, untilInterrupted } from './interrupt.ts'
import { fillShelves, runLoad } from './load.ts'
import { options, ours, rivals, sagasAsked, usage } from './options.ts'
import { type Measured, processLines, ratios, type Table, tableOf } from './report.ts'
import type { Saga, Target } from './target.ts'

const { declinedPercent, skus, asksForSeen } = options

const main = async (): Promise<void> => {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`)
  for (const saga of sagasAsked()) await untilInterrupted((resources) => compare(resources, saga))
}

/** What runs beside one another: our product, and the rival if one is asked for. */
const compare = async (resources: AsyncDisposableStack, saga: Saga): Promise<void> => {
  const starts = [...ours(), ...rivals()]
  const targets: Target[] = []
  for (const start of starts) targets.push(await start(resources, saga))
  const { flow, driver } = options
  console.log(`\nsaga ${saga}, flow ${flow}, driver ${driver}, ${declinedPercent} % declined, ${skus.length} SKUs`)
  for (const { name, readyMs } of targets) console.log(`${name} ready after ${readyMs.toFixed(0)} ms`)
  for (const target of targets) await warmUp(target)
  const table = tableOf(
    await Promise.all(targets.map(async (target) => ({ name: target.name, counters: await target.counters() })))
  )
  console.log(`\n${table.head}`)
  const lines: string[] = []
  for (const clients of options.clients) {
    const runs = await measureInTurn(targets, clients, table)
    const rival = runs[ours().length]
    if (rival === undefined) continue
    lines.push(...ours().map((_, i) => `${targets[i]!.name.padEnd(8)}  ${ratios(clients, runs[i]!, rival)}`))
  }
  if (lines.length > 0) console.log(`\nHow many times better than ${options.rival}:\n${lines.join('\n')}`)
}

const warmUp = async (target: Target): Promise<void> => {
  await fillShelves(target, skus)
  const { errors } = await runLoad(target, { clients: 64, seconds: options.warmupSeconds, declinedPercent, skus })
  for (const [what, count] of errors) console.log(`while ${target.name} was warmed up: ${what}: ${count}`)
}

/** The runs of each target. */
const measureInTurn = async (
  targets: readonly Target[],
  clients: number,
  table: Table
): Promise<readonly Measured[][]> => {
  const runs = targets.map((): Measured[] => [])
  const rounds = targets.length === 1 ? 1 : options.rounds
  for (let round = 0; round < rounds; round++) {
    for (const [i, target] of targets.entries()) {
      const run = await measure(target, clients)
      console.log(table.row(target.name, clients, run))
      if (options.showsProcesses) console.log(processLines(run).join('\n'))
      runs[i]!.push(run)
    }
  }
  return runs
}

const measure = async (target: Target, clients: number): Promise<Measured> => {
  const before = await target.counters()
  const driver = process.cpuUsage()
  const result = await runLoad(target, { clients, seconds: options.seconds, declinedPercent, skus, asksForSeen })
  const { user, system } = process.cpuUsage(driver)
  const used = usedBetween(before, await target.counters())
  return { ...result, used, driverSeconds: (user + system) / 1e6 }
}

if (options.isHelp) console.log(usage)
else await main().catch(sayInterrupted)
