import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Release, until } from './release.ts'

/** What has become of the requests. */
export type LoadReport = {
  /** Orders that were answered with 201. */
  readonly taken: number
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Connections that failed under a request, by the code of the error. */
  readonly failures: Readonly<Record<string, number>>
}

export type LoadOptions = {
  /** Of the pod, and before the keys of its orders. */
  readonly name: string
  readonly image: string
  readonly clients: number
  /** How many; until it is stopped if not given. */
  readonly orders?: number
  /** Between two orders of a client. */
  readonly pauseMs?: number
}

const node = '/usr/local/bin/node'
const script = await readFile(join(import.meta.dirname, 'load.mjs'), 'utf8')

/** Clients in a pod of the cluster: they see a service as its clients do, and not what a forward makes of it. */
export class Load {
  readonly #release: Release
  readonly #name: string

  private constructor(release: Release, name: string) {
    this.#release = release
    this.#name = name
  }

  static async start(release: Release, options: LoadOptions): Promise<Load> {
    const { name, image } = options
    const overrides = JSON.stringify({ spec: podSpec(options) })
    await release.kubectl('run', name, '--restart=Never', '--image', image, '--overrides', overrides)
    return new Load(release, name)
  }

  /** How many orders have been taken by now. */
  async taken(): Promise<number> {
    return (await this.#report('--tail=1')).taken
  }

  /** Some more orders are taken than now. */
  async goesOn(): Promise<void> {
    const before = await until(() => this.#report('--tail=1'), 200)
    await until(async () => (await this.taken()) > before.taken + 8, 200)
  }

  /** Each client ends what it has begun. */
  async stop(): Promise<LoadReport> {
    await this.#release.kubectl('exec', this.#name, '--', node, '--eval', "process.kill(1, 'SIGUSR2')")
    return this.end()
  }

  /** When all orders are taken. */
  async end(): Promise<LoadReport> {
    const phase = await until(async () => {
      const found = await this.#release.kubectl('get', 'pod', this.#name, '-o', 'jsonpath={.status.phase}')
      return ['Succeeded', 'Failed'].includes(found) ? found : undefined
    }, 500)
    if (phase === 'Failed') throw new Error(await this.#release.kubectl('logs', this.#name, '--tail=20'))
    return this.#report('--tail=1')
  }

  async #report(...args: string[]): Promise<LoadReport> {
    const lines = await this.#release.kubectl('logs', this.#name, ...args)
    return JSON.parse(lines.trim().split('\n').at(-1)!) as LoadReport
  }
}

const podSpec = ({ name, image, clients, orders = 0, pauseMs = 0 }: LoadOptions): object => {
  const settings = { SHOP_URL: 'http://parcomolo', NAME: name, CLIENTS: clients, ORDERS: orders, PAUSE_MS: pauseMs }
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name,
        image,
        command: [node, '--input-type=module', '--eval', script],
        env: Object.entries(settings).map(([key, value]) => ({ name: key, value: String(value) })),
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
      }
    ]
  }
}
