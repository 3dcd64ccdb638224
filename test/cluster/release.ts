import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../helpers/free-port.ts'
import { run } from './commands.ts'
import { PortForward, type Target } from './port-forward.ts'

export const chart = 'charts/parcomolo'
/** The README's, and what the examples in manifests/ take for granted. */
const name = 'parcomolo'
/** What the broker says that it can be reached at through a port-forward. */
const brokerPort = 29_392

export const roles = [
  'order',
  'inventory',
  'payment',
  'shipping',
  'orchestrator',
  'courier',
  'operator',
  'view'
] as const

/** What the API server tells of a pod, as far as it is looked at here. */
interface PodStatus {
  readonly metadata: { readonly name: string }
  readonly status: {
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly lastState: object }[]
  }
}

/** An installation of the chart in a namespace of its own, as its users have it: by helm and kubectl. */
export class Release {
  readonly namespace: string
  readonly #forwards: PortForward[] = []
  #rest!: PortForward
  #registry!: PortForward

  constructor(namespace: string) {
    this.namespace = namespace
  }

  /** Where the REST interface is, through `kubectl port-forward`. */
  get url(): string {
    return this.#rest.url
  }

  /** Of the broker and of the registry, reached in the same way. */
  get kafka(): { readonly brokers: string; readonly registryUrl: string } {
    return { brokers: `127.0.0.1:${brokerPort}`, registryUrl: `${this.#registry.url}/apis/ccompat/v7` }
  }

  kubectl(...args: string[]): Promise<string> {
    return run('kubectl', ['-n', this.namespace, ...args])
  }

  helm(verb: string, ...args: string[]): Promise<string> {
    return run('helm', [verb, name, '-n', this.namespace, ...args])
  }

  /** `verb`: install or upgrade. `from`: the chart's folder. */
  deploy(verb: 'install' | 'upgrade', image: string, from = chart, ...args: string[]): Promise<string> {
    const [repository, tag] = image.split(/:(?=[^/]*$)/)
    const values = [`image.repository=${repository}`, `image.tag=${tag}`, 'partitions=4']
    const local = `kafka.broker.localPort=${brokerPort}`
    return this.helm(verb, from, '--wait', '--timeout', '5m', '--set', [...values, local].join(','), ...args)
  }

  /** A namespace that only takes what the restricted profile of Pod Security allows. */
  async makeNamespace(): Promise<void> {
    await run('kubectl', ['create', 'namespace', this.namespace])
    const enforce = 'pod-security.kubernetes.io/enforce=restricted'
    await run('kubectl', ['label', 'namespace', this.namespace, enforce])
  }

  async forwardRest(): Promise<void> {
    this.#rest = await this.#forward({ name: `service/${name}`, port: 80 }, await freePort())
  }

  async forwardKafka(): Promise<void> {
    await this.#forward({ name: `statefulset/${name}-kafka`, port: brokerPort }, brokerPort)
    this.#registry = await this.#forward({ name: `service/${name}-registry`, port: 8080 }, await freePort())
  }

  /** A forward finds out that its pod has gone only when it is used. */
  async untilForwarded(): Promise<void> {
    await this.untilRead()
    await until(() => isThere(`${this.kafka.registryUrl}/subjects`))
  }

  /** Until the view behind the forward is right: a pod is ready before, as soon as it takes orders. */
  async untilRead(): Promise<void> {
    await until(() => isThere(`${this.url}/readyz?view`))
  }

  /** As a crash of its node would: no SIGTERM, no grace. */
  async kill(component: string): Promise<void> {
    const selector = `app.kubernetes.io/instance=${name},app.kubernetes.io/component=${component}`
    await this.kubectl('delete', 'pod', '-l', selector, '--grace-period=0', '--force', '--wait=false')
  }

  async untilRolledOut(): Promise<void> {
    const deployments = [...roles, 'registry'].map((role) => `deployment/${name}-${role}`)
    const names = [...deployments, `statefulset/${name}-kafka`]
    await Promise.all(names.map((one) => this.kubectl('rollout', 'status', one, '--timeout=300s')))
  }

  /** Working sets as the kubelet has them, in bytes, by pod. */
  async memory(): Promise<ReadonlyMap<string, number>> {
    const node = await run('kubectl', ['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])
    const summary = JSON.parse(await run('kubectl', ['get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`])) as {
      pods: { podRef: { name: string; namespace: string }; memory?: { workingSetBytes?: number } }[]
    }
    const own = summary.pods.filter(({ podRef }) => podRef.namespace === this.namespace)
    return new Map(own.map(({ podRef, memory }) => [podRef.name, memory?.workingSetBytes ?? 0]))
  }

  /** What ended a container that was then started again, by pod: the kubelet's reason, and its last lines. */
  async restarts(): Promise<ReadonlyMap<string, string>> {
    const selector = ['-l', `app.kubernetes.io/instance=${name}`]
    const { items } = JSON.parse(await this.kubectl('get', 'pods', ...selector, '-o', 'json')) as { items: PodStatus[] }
    const again = items.filter(({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) > 0)
    const told = again.map(async ({ metadata, status }): Promise<[string, string]> => {
      const last = JSON.stringify(status.containerStatuses?.[0]?.lastState)
      const lines = await this.kubectl('logs', metadata.name, '--previous', '--tail=20').catch(String)
      return [metadata.name, `${last}\n${lines}`]
    })
    return new Map(await Promise.all(told))
  }

  /** Of the only pod of a role, by the sample's whole name. */
  async metric(role: string, sample: string): Promise<number> {
    const selector = ['-l', `app.kubernetes.io/component=${role}`, '--field-selector', 'status.phase=Running']
    const pod = await this.kubectl('get', 'pods', ...selector, '-o', 'jsonpath={.items[0].metadata.name}')
    const text = await run('kubectl', [
      'get',
      '--raw',
      `/api/v1/namespaces/${this.namespace}/pods/${pod}:9090/proxy/metrics`
    ])
    const line = text.split('\n').find((one) => one.startsWith(`${sample} `))
    if (line === undefined) throw new Error(`${pod} has no sample '${sample}'`)
    return Number(line.slice(sample.length))
  }

  /** Also after a failure. The namespace would never end without the operator, or the chart's hook, to let sagas go. */
  async close(): Promise<void> {
    await Promise.all(this.#forwards.map((forward) => forward.close()))
    await this.helm('uninstall', '--ignore-not-found', '--wait', '--timeout', '2m').catch(() => undefined)
    await run('kubectl', ['delete', 'namespace', this.namespace, '--ignore-not-found', '--timeout=120s'])
  }

  async #forward(target: Omit<Target, 'namespace'>, port: number): Promise<PortForward> {
    const forward = await PortForward.open({ namespace: this.namespace, ...target }, port)
    this.#forwards.push(forward)
    return forward
  }
}

const isThere = async (url: string): Promise<boolean> => (await fetch(url)).ok

/** Asks until the answer is there; ava's own timeout ends it. */
export const until = async <T>(ask: () => Promise<T | undefined | false>, everyMs = 20): Promise<T> => {
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined && answer !== false) return answer
    await wait(everyMs)
  }
}
