import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { freePort } from './free-port.ts'

/** The folder with `etcd` and `kube-apiserver` that the environment names for tests; undefined where there is none. */
export const kubeAssets = process.env['KUBEBUILDER_ASSETS']

export type Answer = { status: number; body: Record<string, unknown> }

export type ApiRequest = {
  body?: unknown
  /** `application/json` if unset; `application/apply-patch+yaml`, `application/merge-patch+json`, … for a PATCH. */
  contentType?: string
  /** Of somebody else than the administrator. */
  token?: string
}

/**
 * A real Kubernetes API server of the test's own: etcd and kube-apiserver, RBAC on, nothing else of a cluster. So
 * nobody collects garbage, ends namespaces or runs pods; custom resources, RBAC, Leases and Events are real.
 */
export type ApiServer = {
  /** `https://127.0.0.1:port` */
  url: string
  /** PEM; what the server's certificate is checked against. */
  ca: string
  /** Of an administrator (group system:masters). */
  token: string
  /** Path of a kubeconfig with the three above, for `KubeConfig.loadFromFile` and for `kubectl --kubeconfig`. */
  kubeconfig: string
  /** One request with JSON in and out; an answer of any status is returned, not thrown. */
  request(method: string, path: string, options?: ApiRequest): Promise<Answer>
  /** Server-side apply of one object; `path` is that of the object itself. */
  apply(path: string, object: unknown): Promise<Answer>
  /**
   * Makes etcd forget all revisions but the newest, so that a watch from an older one is answered with 410; of custom
   * resources only after a `restart`, since the server remembers what was watched, whatever its flags say.
   */
  compact(): Promise<void>
  /** Kills kube-apiserver and starts it again with what etcd has. */
  restart(): Promise<void>
  /** Ends both processes and removes their data. */
  stop(): Promise<void>
}

export type ApiServerOptions = {
  /** Further flags of kube-apiserver, such as `--watch-cache=false`. */
  flags?: readonly string[]
}

const token = 'admin-of-the-test'
const startMsMax = 40_000

/** Starts both and answers when the API server is ready, in about three seconds. */
export const startApiServer = async ({ flags = [] }: ApiServerOptions = {}): Promise<ApiServer> => {
  if (kubeAssets === undefined) throw new Error('KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver')
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-api-server-'))
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()]
  const [etcd, url] = [`http://127.0.0.1:${etcdPort}`, `https://127.0.0.1:${port}`]
  await writeKeys(folder)
  const etcdFlags = flagsOfEtcd(folder, etcd, `http://127.0.0.1:${peerPort}`)
  const guard = startGuarded(folder, etcdFlags, [...flagsOfApiServer(folder, etcd, port), ...flags])
  try {
    const { ca, agent } = await untilReady(folder, url, () => guard.hasEnded)
    const kubeconfig = await writeKubeconfig(folder, url, ca)
    const ask = (method: string, path: string, options?: ApiRequest): Promise<Answer> =>
      requestJson(agent, method, url + path, options)
    return {
      ...{ url, ca, token, kubeconfig, request: ask },
      apply: (path, object) =>
        ask('PATCH', `${path}?fieldManager=test&force=true`, {
          body: object,
          contentType: 'application/apply-patch+yaml'
        }),
      compact: () => compact(etcd),
      restart: async () => {
        await guard.restart()
        const { agent: again } = await untilReady(folder, url, () => guard.hasEnded)
        await again.destroy()
      },
      stop: async () => {
        await agent.destroy()
        await guard.stop()
      }
    }
  } catch (error) {
    await guard.stop()
    throw error
  }
}

/**
 * A shell starts both and waits for the end of its own input. That comes when the test says so and when the test's
 * process has died in any way, and then the shell ends both and removes their data. A line of input restarts the
 * server.
 */
const startGuarded = (folder: string, etcd: readonly string[], apiServer: readonly string[]) => {
  const script = `
    start() { "$ASSETS/kube-apiserver" ${apiServer.join(' ')} >>"$FOLDER/kube-apiserver.log" 2>&1 & api=$!; }
    "$ASSETS/etcd" ${etcd.join(' ')} >"$FOLDER/etcd.log" 2>&1 & etcd=$!
    start
    while read -r order; do kill -KILL $api; wait $api; start; echo restarted; done
    kill -KILL $etcd $api; wait; rm -rf "$FOLDER"`
  const guard = spawn('sh', ['-c', script], {
    // A group of its own, so that Ctrl-C reaches the test alone.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], ASSETS: kubeAssets, FOLDER: folder }
  })
  const ended = once(guard, 'exit')
  return {
    get hasEnded() {
      return guard.exitCode !== null
    },
    restart: async (): Promise<void> => {
      const restarted = once(guard.stdout, 'data')
      guard.stdin.write('restart\n')
      await restarted
    },
    stop: async (): Promise<void> => {
      guard.stdin.end()
      await ended
    }
  }
}

const flagsOfEtcd = (folder: string, client: string, peer: string): string[] => [
  `--data-dir=${folder}/etcd`,
  `--listen-client-urls=${client}`,
  `--advertise-client-urls=${client}`,
  `--listen-peer-urls=${peer}`,
  `--initial-advertise-peer-urls=${peer}`,
  `--initial-cluster=default=${peer}`,
  '--unsafe-no-fsync',
  '--log-level=warn'
]

const flagsOfApiServer = (folder: string, etcd: string, port: number): string[] => [
  `--etcd-servers=${etcd}`,
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  '--endpoint-reconciler-type=none',
  `--secure-port=${port}`,
  `--cert-dir=${folder}/certificates`,
  `--token-auth-file=${folder}/tokens.csv`,
  '--authorization-mode=RBAC',
  // Nobody makes the default service account of a namespace here.
  '--disable-admission-plugins=ServiceAccount',
  '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
  `--service-account-key-file=${folder}/service-account.key`,
  `--service-account-signing-key-file=${folder}/service-account.key`,
  '--service-cluster-ip-range=10.96.0.0/16',
  '--profiling=false'
]

const writeKeys = async (folder: string): Promise<void> => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  await writeFile(join(folder, 'service-account.key'), privateKey.export({ type: 'sec1', format: 'pem' }))
  await writeFile(join(folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`)
}

const writeKubeconfig = async (folder: string, server: string, ca: string): Promise<string> => {
  const path = join(folder, 'kubeconfig')
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }]
  }
  await writeFile(path, JSON.stringify(config))
  return path
}

/** The certificate is made by the server itself as it starts, so it is read anew until the server answers. */
const untilReady = async (
  folder: string,
  url: string,
  hasEnded: () => boolean
): Promise<{ ca: string; agent: Agent }> => {
  const certificate = join(folder, 'certificates', 'apiserver.crt')
  for (const start = Date.now(); Date.now() - start < startMsMax && !hasEnded(); await delay(50)) {
    if (!existsSync(certificate)) continue
    const ca = await readFile(certificate, 'utf8')
    const agent = new Agent({ connect: { ca } })
    if (await isReady(agent, url)) return { ca, agent }
    await agent.destroy()
  }
  const log = await readFile(join(folder, 'kube-apiserver.log'), 'utf8').catch(() => '')
  throw new Error(`the API server did not become ready: ${log.split('\n').slice(-8).join('\n')}`)
}

const isReady = async (agent: Agent, url: string): Promise<boolean> => {
  const headers = { authorization: `Bearer ${token}` }
  for (const path of ['/readyz', '/api/v1/namespaces/default']) {
    const answer = await request(url + path, { dispatcher: agent, headers }).catch(() => undefined)
    await answer?.body.dump()
    if (answer?.statusCode !== 200) return false
  }
  return true
}

const requestJson = async (
  agent: Agent,
  method: string,
  url: string,
  { body, contentType = 'application/json', token: other = token }: ApiRequest = {}
): Promise<Answer> => {
  const answer = await request(url, {
    dispatcher: agent,
    method: method as 'GET',
    headers: { authorization: `Bearer ${other}`, accept: 'application/json', 'content-type': contentType },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await answer.body.text()
  return { status: answer.statusCode, body: parsed(text) }
}

const parsed = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return { text }
  }
}

const compact = async (etcd: string): Promise<void> => {
  const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const answer = await request(`${etcd}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) })
    const text = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`etcd answers ${answer.statusCode}: ${text}`)
    return JSON.parse(text) as Record<string, unknown>
  }
  const { header } = (await post('kv/range', { key: Buffer.from('/').toString('base64') })) as {
    header: { revision: string }
  }
  await post('kv/compaction', { revision: header.revision, physical: true })
}
