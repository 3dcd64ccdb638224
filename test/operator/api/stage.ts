import type { ExecutionContext } from 'ava'
import { systemClock } from '../../../src/base/index.ts'
import type { Connection, Reflector } from '../../../src/operator/kube/index.ts'
import type { Operator, OperatorDeps, Ports } from '../../../src/operator/index.ts'
import type { Answer, ApiServer } from '../../helpers/api-server.ts'
import { fileOf, type Plural, type Resource } from './resource.ts'

/** Loaded only where there is a cluster, since the client of Kubernetes takes its time. */
const loadOperator = async () => {
  const kube = await import('../../../src/operator/kube/index.ts')
  const { startOperator } = await import('../../../src/operator/index.ts')
  return { ...kube, startOperator }
}
type Loaded = Awaited<ReturnType<typeof loadOperator>>

let namespaceCount = 0

/** A namespace of an API server, what is seen in it, and the operators that work in it. */
export class Stage {
  readonly namespace: string
  readonly errors: string[] = []
  readonly #t: ExecutionContext
  readonly #api: ApiServer
  readonly #loaded: Loaded
  readonly #seen: Record<Plural, Reflector<Resource>>
  readonly #wakes = new Set<() => void>()

  private constructor(
    t: ExecutionContext,
    api: ApiServer,
    { namespace, loaded }: { namespace: string; loaded: Loaded }
  ) {
    this.#t = t
    this.#api = api
    this.#loaded = loaded
    this.namespace = namespace
    const connection = loaded.connect(loaded.loadKubeConfig(api.kubeconfig), systemClock)
    t.teardown(() => connection.close())
    this.#seen = { sagas: this.#observe(connection, 'sagas'), participants: this.#observe(connection, 'participants') }
  }

  static async open(t: ExecutionContext, { api }: { readonly api: ApiServer }): Promise<Stage> {
    const namespace = `stage-${++namespaceCount}`
    const made = await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } })
    if (made.status !== 201) throw new Error(JSON.stringify(made.body))
    const stage = new Stage(t, api, { namespace, loaded: await loadOperator() })
    await Promise.all(Object.values(stage.#seen).map((reflector) => reflector.synced))
    return stage
  }

  operator(ports: Ports, fields: Partial<OperatorDeps> = {}): Operator {
    const operator = this.#loaded.startOperator({
      ...{ ports, clock: systemClock, kubeconfig: this.#api.kubeconfig, namespace: this.namespace },
      identity: 'one',
      onError: (error, where) => {
        this.errors.push(`${where}: ${String(error)}`)
        this.#wake()
      },
      ...fields
    })
    this.#t.teardown(() => operator.stop())
    return operator
  }

  path(plural: Plural | 'events', ...rest: string[]): string {
    const group = plural === 'events' ? 'events.k8s.io/v1' : 'parcomolo.io/v1alpha1'
    return [`/apis/${group}/namespaces/${this.namespace}/${plural}`, ...rest].join('/')
  }

  /** As `kubectl apply` does; the answer has to be good. */
  async apply(resource: Partial<Resource>): Promise<Resource> {
    const plural = resource.kind === 'Saga' ? 'sagas' : 'participants'
    const answer = await this.#api.apply(this.path(plural, resource.metadata!.name), resource)
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
    return answer.body as unknown as Resource
  }

  /** Waits until the operator has said so of just what was applied. */
  async applyUntil(
    resource: Partial<Resource>,
    isSo: (found: Resource | undefined) => boolean,
    msMax?: number
  ): Promise<Resource> {
    const { metadata } = await this.apply(resource)
    const plural = resource.kind === 'Saga' ? 'sagas' : 'participants'
    return this.until(
      plural,
      metadata.name,
      (found) => found?.metadata.generation === metadata.generation && isSo(found),
      msMax
    )
  }

  async applyFiles(...paths: string[]): Promise<void> {
    for (const path of paths) await this.apply(await fileOf(path))
  }

  delete(plural: Plural, name: string): Promise<Answer> {
    return this.#api.request('DELETE', this.path(plural, name))
  }

  async get(plural: Plural, name: string): Promise<Resource | undefined> {
    const { status, body } = await this.#api.request('GET', this.path(plural, name))
    return status === 200 ? (body as unknown as Resource) : undefined
  }

  async events(): Promise<{ type: string; reason: string; note: string; regarding: { name: string } }[]> {
    const { body } = await this.#api.request('GET', this.path('events'))
    return body['items'] as never
  }

  /** Waits until a resource is as it is meant to be, and gives it; undefined while it is not there. */
  async until<T extends Resource | undefined>(
    plural: Plural,
    name: string,
    isSo: (found: Resource | undefined) => boolean,
    msMax = 8_000
  ): Promise<T> {
    await this.when(
      () => isSo(this.#seen[plural].get(name)),
      () => JSON.stringify(this.#seen[plural].get(name)?.status ?? null, undefined, 1),
      msMax
    )
    return this.#seen[plural].get(name) as T
  }

  all(plural: Plural): readonly Resource[] {
    return this.#seen[plural].all()
  }

  /** Waits until it is so, looking after each change of a resource and each error of an operator. */
  async when(isSo: () => boolean, told: () => string, msMax = 8_000): Promise<void> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`it did not come in ${msMax} ms: ${told()}`)), msMax)
    try {
      while (!isSo()) {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wakes.add(resolve)
        await Promise.race([promise, late.promise])
        this.#wakes.delete(resolve)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #wake(): void {
    for (const wake of this.#wakes) wake()
  }

  #observe(connection: Connection, plural: Plural): Reflector<Resource> {
    const kube = new this.#loaded.KubeApi(connection, this.namespace)
    const kind = { group: 'parcomolo.io', version: 'v1alpha1', kind: '', plural }
    const reflector: Reflector<Resource> = new this.#loaded.Reflector<Resource>({
      source: { list: (page) => kube.list(kind, page), watch: (from) => kube.watch(kind, from) },
      clock: systemClock,
      random: Math.random,
      onChange: () => this.#wake(),
      onError: (error) => this.#t.log(`observer: ${String(error)}`)
    })
    reflector.start()
    this.#t.teardown(() => reflector.stop())
    return reflector
  }
}
