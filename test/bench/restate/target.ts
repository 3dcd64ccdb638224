import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Pool } from 'undici'
import type { Counters } from '../counters.ts'
import { connectByHttp, jsonHeaders as headers } from '../http.ts'
import { start, usageOfProcesses, waitForLine } from '../processes.ts'
import type { Saga, Target } from '../target.ts'
import { type RestateServer, startRestateServer } from './server.ts'

/** Restate as a shop would use it that is made of services: its server, and every service in a process of its own. */
export const startRestate = async (resources: AsyncDisposableStack, saga: Saga): Promise<Target> => {
  const startedAt = performance.now()
  const [server, ...services] = await Promise.all([
    startRestateServer(resources),
    ...['inventory', 'payment', 'shipping', 'order'].map((name) => startService(resources, name))
  ])
  for (const { url } of services) await register(server, url)
  const pids = [server.pid, ...services.map(({ pid }) => pid)]
  const handler = { seed: 'placeSeed', order: 'placeOrder' }[saga]
  return {
    name: 'restate',
    readyMs: performance.now() - startedAt,
    connect: async (clients) =>
      connectByHttp(server.ingress, clients, { setStock, order: (pool, { json }) => order(pool, handler, json) }),
    counters: () => readCounters(server, pids)
  }
}

type Service = { readonly pid: number; readonly url: string }

const startService = async (resources: AsyncDisposableStack, name: string): Promise<Service> => {
  const child = start(resources, {
    command: process.execPath,
    args: ['--max-semi-space-size=32', fileURLToPath(new URL('serve.ts', import.meta.url)), name],
    // Otherwise it writes lines for every call, and at its start that nobody signs them.
    env: { ...process.env, RESTATE_LOGGING: 'ERROR' },
    endsBy: 'SIGKILL'
  })
  const url = await waitForLine(child, (line) => /^serving at (\S+)$/.exec(line)?.[1])
  return { pid: child.pid!, url }
}

/** The server listens before its partitions have leaders; until then it refuses. */
const register = async (server: RestateServer, uri: string): Promise<void> => {
  const until = performance.now() + 30_000
  while (true) {
    const body = JSON.stringify({ uri })
    const answer = await fetch(`${server.admin}/deployments`, { method: 'POST', headers, body })
    if (answer.ok) return
    const said = await answer.text()
    if (performance.now() > until) throw new Error(`Restate does not take the service at '${uri}': ${said}`)
    await setTimeout(100)
  }
}

const setStock = async (pool: Pool, sku: string, onHand: number): Promise<void> => {
  const answer = await pool.request({ path: `/inventory/${sku}/set`, method: 'POST', headers, body: String(onHand) })
  const said = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`the stock of '${sku}' is not set: ${said}`)
}

/** One request for both, since the answer of the handler is the end of the order. */
const order = async (pool: Pool, handler: string, json: string): Promise<string> => {
  const path = `/order/${randomUUID()}/${handler}`
  const answer = await pool.request({ path, method: 'POST', headers, body: json })
  const said = (await answer.body.json()) as string | { message: string }
  return typeof said === 'string' ? said : `${answer.statusCode} ${said.message}`
}

/** Of the log only: the other stores of the server write without syncing, and from it they can be made again. */
const readCounters = async ({ fabric }: RestateServer, pids: readonly number[]): Promise<Counters> => {
  const text = await (await fetch(`${fabric}/metrics`)).text()
  const value = (name: string): number =>
    Number(new RegExp(`^restate_rocksdb_${name}\\{.*db="log-server".*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  const log = { fsyncs: value('wal_synced_total'), logBytes: value('wal_bytes_total') }
  return new Map([['all', { ...(await usageOfProcesses(pids)), ...log }]])
}
