import { type ChildProcess, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { start, temporaryFolder, waitForLine } from '../processes.ts'
import { restateServer } from './install.ts'

export type RestateServer = {
  readonly pid: number
  /** Where orders go, where services are registered, and where it tells of itself. */
  readonly ingress: string
  readonly admin: string
  readonly fabric: string
}

/** Starts the server of Restate with an empty data folder, on free ports of this machine only. */
export const startRestateServer = async (resources: AsyncDisposableStack): Promise<RestateServer> => {
  const path = restateServer()
  const dir = temporaryFolder(resources, 'restate-bench-')
  const config = join(dir, 'restate.toml')
  await writeFile(config, configuration)
  const call = [path, '--no-logo', '--config-file', config, '--base-dir', join(dir, 'data')]
  const [command = path, ...args] = [...keptFromAsking(), ...call]
  // None of our own variables: every one that begins with RESTATE_ would be a setting.
  const child = start(resources, { command, args, env: { PATH: process.env['PATH'] }, endsBy: 'SIGKILL' })
  return { pid: child.pid!, ...(await addresses(child)) }
}

/**
 * What keeps records safe is left as Restate sets it: one node, each record synced to disk before it counts
 * (`log-server.rocksdb-disable-wal-fsync = false`). It would make 24 partitions, for machines with many cores; one for
 * each core does up to twice the orders here. Its other settings were tried, and do not matter (batches, journals that
 * are not kept, no statistics, its older log).
 */
const configuration = `
node-name = "bench"
listen-mode = "tcp"
bind-ip = "127.0.0.1"
use-random-ports = true
default-num-partitions = ${availableParallelism()}
shutdown-timeout = "5s"
disable-telemetry = true
log-format = "json"
log-filter = "warn,octocrab=off,restate_core::network::net_util=info,restate_ingress_http::server=info"

[admin]
disable-web-ui = true
`

/**
 * At its start the server asks GitHub for its newest release, and there is no setting that keeps it from it. So it gets
 * a view of the file system in which names of machines cannot be looked up, where Linux lets us make one.
 */
const keptFromAsking = (): readonly string[] => {
  const hidden = ['/etc/resolv.conf', '/etc/hosts'].map((file) => `mount --bind /dev/null ${file}`).join(' && ')
  const wrapper = ['unshare', '--mount', '--map-root-user', 'sh', '-c', `${hidden} && exec "$@"`, 'sh']
  if (spawnSync(wrapper[0]!, [...wrapper.slice(1), 'true']).status === 0) return wrapper
  console.log(
    'Restate will ask GitHub for its newest release: it has no switch for it, and unshare(1) does not work here.'
  )
  return []
}

const addresses = async (child: ChildProcess): Promise<Omit<RestateServer, 'pid'>> => {
  const found = new Map<string, string>()
  return waitForLine(child, (line) => {
    const { server_name: name, 'server.address': host, 'server.port': port } = spanOf(line)
    if (name !== undefined) found.set(name, `http://${host}:${port}`)
    const [ingress, admin, fabric] = servers.map((server) => found.get(server))
    return ingress && admin && fabric ? { ingress, admin, fabric } : undefined
  })
}

const servers = ['http-ingress-server', 'admin-api-server', 'message-fabric-server']

type Span = { readonly server_name?: string; readonly 'server.address'?: string; readonly 'server.port'?: number }

/** Its complaints come on the same stream, and are passed on; those of last resort are not JSON. */
const spanOf = (line: string): Span => {
  try {
    const { level, span } = JSON.parse(line) as { level: string; span?: Span }
    if (level === 'INFO') return span ?? {}
  } catch {
    // Passed on like the others.
  }
  console.error(line)
  return {}
}
