import { join } from 'node:path'
import type { StoredRecord } from '../../src/log/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import { header } from '../../src/task/index.ts'
import { connectByHttp } from '../bench/http.ts'
import { fillShelves, type LoadResult, runLoad } from '../bench/load.ts'
import { rest, withoutKafka } from '../bench/parcomolo.ts'
import { temporaryFolder } from '../bench/processes.ts'
import type { Connection } from '../bench/target.ts'
import { topicsOf } from '../e2e/journals.ts'
import { schemasIn } from '../e2e/shop-process.ts'
import { judge, readAll } from './judge.ts'
import { skus } from './orders.ts'
import type { Result } from './result.ts'
import { RoleProcess } from './role-process.ts'
import { inboxes } from '../helpers/shop-parts.ts'

export type CrowdPlan = {
  /** As usual, and too many. */
  readonly clients: readonly [number, number]
  readonly rounds: number
  readonly warmupSeconds: number
  readonly usualSeconds: number
}

/** A run of one crowd; times are ms since 1970. */
type Run = LoadResult & { readonly clients: number; readonly from: number; readonly to: number }

/** The embedded log in one process, with usual and far too many clients in turn. */
export const manyClients = async (resources: AsyncDisposableStack, plan: CrowdPlan): Promise<Result> => {
  const folder = temporaryFolder(resources, 'parcomolo-backlog-')
  const shop = await RoleProcess.of(resources, {
    name: 'all',
    memoryBytes: undefined,
    args: ['--max-semi-space-size=32'],
    variables: { ...withoutKafka(), PARCOMOLO_DATA: folder }
  })
  await shop.start()
  const target = {
    connect: (clients: number): Promise<Connection> => Promise.resolve(connectByHttp(shop.url, clients, rest))
  }
  await fillShelves(target, skus)
  const load = { declinedPercent: 10, skus }
  await runLoad(target, { ...load, clients: 64, seconds: plan.warmupSeconds })
  const runs: Run[] = []
  for (let round = 0; round < plan.rounds; round++)
    for (const clients of plan.clients) {
      const from = Date.now()
      const result = await runLoad(target, { ...load, clients, seconds: plan.usualSeconds })
      runs.push({ ...result, clients, from, to: Date.now() })
    }
  await shop.stop()
  return account(plan, runs, shop, folder)
}

const account = async (
  { clients: [usual, many] }: CrowdPlan,
  runs: readonly Run[],
  { lives }: RoleProcess,
  folder: string
): Promise<Result> => {
  const log = await openEmbeddedLog({ dir: join(folder, 'log') })
  await log.ensureTopics(topicsOf(1))
  try {
    const commands: Record<string, { usual: number; here: number }> = {}
    const of = (clients: number): readonly Run[] => runs.filter((run) => run.clients === clients)
    const [usualRuns, manyRuns] = [of(usual), of(many)]
    const placed = timesOf(log, 'order-events', ({ headers }) => headers[header.type] === 'OrderPlaced')
    const [usualOrders, manyOrders] = [countIn(usualRuns, await placed), countIn(manyRuns, await placed)]
    for (const inbox of inboxes) {
      const times = await timesOf(log, inbox, () => true)
      commands[inbox] = { usual: countIn(usualRuns, times) / usualOrders, here: countIn(manyRuns, times) / manyOrders }
    }
    const judged = await judge({ log, acknowledged: [], schemas: () => schemasIn(folder) })
    return {
      name: `embedded, ${many} clients`,
      waiting: many,
      lives: [lives],
      commands,
      rate: { usual: rateOf(usualRuns), here: rateOf(manyRuns), min: 0.95 },
      refusedMs: manyRuns.flatMap((run) => run.refusedMs),
      others: {},
      wrong: [...judged.wrong, ...runs.flatMap(troubles)]
    }
  } finally {
    await log.close()
  }
}

const rateOf = (runs: readonly Run[]): number =>
  runs.reduce((sum, { completedMs, rejectedMs }) => sum + completedMs.length + rejectedMs.length, 0) /
  runs.reduce((sum, { seconds }) => sum + seconds, 0)

const troubles = ({ clients, errors }: Run): string[] =>
  [...errors].map(([what, count]) => `with ${clients} clients, ${count} times: ${what}`)

const timesOf = async (
  log: Awaited<ReturnType<typeof openEmbeddedLog>>,
  topic: string,
  is: (record: StoredRecord) => boolean
): Promise<readonly number[]> => {
  const times: number[] = []
  await readAll(log, { topic, partition: 0 }, (record) => {
    if (is(record)) times.push(record.timestamp)
  })
  return times
}

const countIn = (runs: readonly Run[], times: readonly number[]): number =>
  times.filter((time) => runs.some(({ from, to }) => from <= time && time <= to)).length
