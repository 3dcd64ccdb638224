import { availableParallelism, cpus } from 'node:os'
import { sayInterrupted, untilInterrupted } from '../bench/interrupt.ts'
import { type Case, casesAsked, options, usage } from './options.ts'
import { buildProduct } from './product.ts'
import { head, jsonOf, told } from './report.ts'
import { missedCounts, type Result } from './result.ts'
import { roleAway } from './role-away.ts'
import { manyClients } from './many-clients.ts'
import { newViews } from './new-view.ts'

const run = async (resources: AsyncDisposableStack, { name, orders }: Case): Promise<readonly Result[]> => {
  if (name === 'new-view') return newViews(resources, { ...options, orders })
  if (name === 'embedded') return [await manyClients(resources, { ...options, clients: [256, orders], rounds: 2 })]
  return [await roleAway(resources, { ...options, role: name, orders })]
}

const main = async (): Promise<void> => {
  const cases = casesAsked()
  await buildProduct()
  const say = options.isJson ? console.error : console.log
  say(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}\n\n${head}`)
  const results: Result[] = []
  for (const one of cases) {
    for (const result of await untilInterrupted((resources) => run(resources, one))) {
      results.push(result)
      say(told(result))
    }
  }
  if (options.isJson) console.log(jsonOf(results))
  if (results.some((result) => missedCounts(result).length > 0)) process.exitCode = 1
}

if (options.isHelp) console.log(usage)
else await main().catch(sayInterrupted)
