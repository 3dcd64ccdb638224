import { availableParallelism, cpus } from 'node:os'
import { type Case, casesAsked, options, usage } from './options.ts'
import { buildProduct } from './product.ts'
import { head, told } from './report.ts'
import { missedCounts, type Result } from './result.ts'
import { roleAway } from './role-away.ts'
import { shopRoles } from './stage.ts'

const run = async ({ name, orders }: Case): Promise<Result> => {
  const role = shopRoles.find((one) => one === name)
  if (role !== undefined) return roleAway({ ...options, role, orders })
  throw new Error(`no case is called '${name}'`)
}

const main = async (): Promise<void> => {
  const cases = casesAsked()
  await buildProduct()
  const say = options.isJson ? console.error : console.log
  say(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}\n\n${head}`)
  const results: Result[] = []
  for (const one of cases) {
    const result = await run(one)
    results.push(result)
    say(told(result))
  }
  if (options.isJson) console.log(JSON.stringify(results))
  if (results.some((result) => missedCounts(result).length > 0)) process.exitCode = 1
}

if (options.isHelp) console.log(usage)
else await main()
