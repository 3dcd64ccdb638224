import type { Pool } from 'undici'
import type { Usage } from './counters.ts'
import { type Answer, askPatiently, connectByHttp, jsonHeaders, type Speech } from './http.ts'
import { start, temporaryFolder, waitForLine } from './processes.ts'
import type { Patience, Saga, Target } from './target.ts'

export type Options = {
  readonly flow: string
  readonly saga: Saga
  /** As the product takes it if undefined. */
  readonly partitions: string | undefined
}

/** All in one process, with the log on its own disk. */
export const startEmbedded = async (resources: AsyncDisposableStack, options: Options): Promise<Target> => {
  const startedAt = performance.now()
  const url = await startProcess(resources, { ...withoutKafka(), ...variablesOf(options) })
  return {
    name: 'embedded',
    readyMs: performance.now() - startedAt,
    connect: async (clients) => connectByHttp(url, clients, rest),
    counters: async () => new Map([['all', await usageOf(url)]])
  }
}

/** Starts the product as a person would, with a data folder of its own; gives its address. */
export const startProcess = async (
  resources: AsyncDisposableStack,
  variables: Readonly<Record<string, string | undefined>>
): Promise<string> => {
  const dir = temporaryFolder(resources, 'parcomolo-bench-')
  const child = start(resources, {
    command: process.execPath,
    args: ['--max-semi-space-size=32', 'src/cli/parcomolo.ts', 'start'],
    env: { ...variables, PORT: '0', PARCOMOLO_DATA: dir, LOG_LEVEL: 'warn' },
    endsBy: 'SIGTERM',
    farewell: 'Stopping; once more stops at once'
  })
  return waitForLine(child, (line) => /^Parcomolo is ready at (\S+)$/.exec(line)?.[1])
}

export const variablesOf = ({ flow, saga, partitions }: Options): Record<string, string> => ({
  FLOW: flow,
  PARCOMOLO_SAGAS: folders[saga],
  ...(partitions === undefined ? {} : { PARTITIONS: partitions })
})

/** A saga has a folder of its own, for every saga of a folder would start with each order. */
const folders: Readonly<Record<Saga, string>> = { order: 'sagas', seed: 'test/bench/sagas' }

export const withoutKafka = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(KAFKA|SCHEMA_REGISTRY)_/.test(name)))

/** What one piece of anything costs. */
export const priceCents = 2000

/** Two requests an order: one places it, the other is held until its end. */
export const rest: Speech = {
  setStock: async (pool, sku, onHand) => {
    const body = JSON.stringify({ name: sku, priceCents, onHand })
    const answer = await pool.request({ path: `/stock/${sku}`, method: 'PUT', headers: jsonHeaders, body })
    const said = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`the stock of '${sku}' is not set: ${said}`)
  },
  order: async (pool, { json }, patience) => {
    const post = { path: '/orders', method: 'POST', headers: jsonHeaders, body: json } as const
    const placed = await askPatiently(pool, post, patience)
    if (placed === undefined) return undefined
    const { orderId, code } = placed.body as { orderId?: string; code?: string }
    if (orderId === undefined) return `${placed.status} ${code}`
    if (patience.onSeen !== undefined) await untilSeen(pool, orderId, placed, patience)
    const ended = await askPatiently(pool, { path: `/orders/${orderId}?wait=60s`, method: 'GET' }, patience)
    return ended === undefined ? undefined : String(ended.body['status'])
  }
}

/** The order as whoever has placed it wants to see it: with what it was told of. */
const untilSeen = async (
  pool: Pool,
  orderId: string,
  placed: Answer,
  { onSeen, onRefused, endAt }: Patience
): Promise<void> => {
  const since = performance.now()
  const headers = { 'parcomolo-position': String(placed.headers['parcomolo-position']) }
  const seen = await askPatiently(pool, { path: `/orders/${orderId}`, method: 'GET', headers }, { onRefused, endAt })
  if (seen?.status === 200) onSeen?.(performance.now() - since)
}

/** What a process says of itself. The embedded log and Kafka count in different ways. */
export const usageOf = async (url: string): Promise<Usage> => {
  const sums = sumsByName(await (await fetch(`${url}/metrics`)).text())
  const names = {
    cpuSeconds: 'process_cpu_seconds',
    residentBytes: 'process_resident_memory_bytes',
    fsyncs: 'parcomolo_log_fsyncs',
    logBytes: sums.has('parcomolo_log_bytes') ? 'parcomolo_log_bytes' : 'parcomolo_log_produced_bytes',
    produceRequests: 'parcomolo_log_produce_requests',
    producedBatches: 'parcomolo_log_produced_batches',
    producedRecords: 'parcomolo_log_produced_records',
    fetchRequests: 'parcomolo_log_fetch_requests',
    fetchedRecords: 'parcomolo_log_fetched_records',
    rounds: 'parcomolo_task_rounds',
    inputs: 'parcomolo_task_inputs'
  }
  const known = Object.entries(names).map(([quantity, name]) => [quantity, sums.get(name)] as const)
  return Object.fromEntries(known.filter(([, value]) => value !== undefined))
}

/** Of a Prometheus text: over all labels, by names without `_total`. */
const sumsByName = (text: string): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>()
  for (const [, name, value] of text.matchAll(/^(\w+?)(?:_total)?(?:\{.*\})? (\S+)$/gm))
    sums.set(name!, (sums.get(name!) ?? 0) + Number(value))
  return sums
}
