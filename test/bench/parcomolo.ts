import type { Pool } from 'undici'
import { start, temporaryFolder, waitForLine } from './processes.ts'
import type { Counters, Saga, Target } from './target.ts'

export type Options = { readonly flow: string; readonly saga: Saga }

/** Starts the product as a person would, in a process and a data folder of its own. */
export const startParcomolo = async (resources: AsyncDisposableStack, options: Options): Promise<Target> => {
  const dir = temporaryFolder(resources, 'parcomolo-bench-')
  const startedAt = performance.now()
  const child = start(resources, {
    command: process.execPath,
    args: ['--max-semi-space-size=32', 'src/cli/parcomolo.ts', 'start'],
    env: {
      ...process.env,
      PORT: '0',
      PARCOMOLO_DATA: dir,
      PARCOMOLO_SAGAS: folders[options.saga],
      FLOW: options.flow,
      LOG_LEVEL: 'warn'
    },
    endsBy: 'SIGTERM'
  })
  const url = await waitForLine(child, (line) => /^Parcomolo is ready at (\S+)$/.exec(line)?.[1])
  return {
    name: 'parcomolo',
    url,
    readyMs: performance.now() - startedAt,
    setStock,
    order,
    counters: () => readCounters(url)
  }
}

/** A saga has a folder of its own, for every saga of a folder would start with each order. */
const folders: Readonly<Record<Saga, string>> = { order: 'sagas', seed: 'test/bench/sagas' }

const setStock = async (pool: Pool, sku: string, onHand: number): Promise<void> => {
  const body = JSON.stringify({ name: sku, priceCents: 2000, onHand })
  const answer = await pool.request({ path: `/stock/${sku}`, method: 'PUT', headers, body })
  const said = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`the stock of '${sku}' is not set: ${said}`)
}

const order = async (pool: Pool, json: string): Promise<string> => {
  const placed = await pool.request({ path: '/orders', method: 'POST', headers, body: json })
  const { orderId, code } = (await placed.body.json()) as { orderId?: string; code?: string }
  if (orderId === undefined) return `${placed.statusCode} ${code}`
  const ended = await pool.request({ path: `/orders/${orderId}?wait=60s`, method: 'GET' })
  return ((await ended.body.json()) as { status: string }).status
}

const headers = { 'content-type': 'application/json' }

const readCounters = async (url: string): Promise<Counters> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  return {
    cpuSeconds: value('process_cpu_seconds_total'),
    residentBytes: value('process_resident_memory_bytes'),
    fsyncs: value('parcomolo_log_fsyncs_total'),
    logBytes: value('parcomolo_log_bytes_total')
  }
}
