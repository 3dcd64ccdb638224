import { readFile } from 'node:fs/promises'
import { Budget, isParcomoloError } from '../../src/base/index.ts'
import { type Codec, type Contracts, registerContracts } from '../../src/contract/index.ts'
import type { Log } from '../../src/log/index.ts'
import { commandSender } from '../../src/main/commands.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { fillCatalogue } from '../../src/shop/shelves.ts'
import { ownRecords, shopIn, theShop, viewTopics } from '../helpers/shop-parts.ts'
import type { Flow } from '../../src/shop/index.ts'
import { startSystem, type System } from '../../src/main/system.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { loadSaga } from '../../src/saga/index.ts'
import { cellBytes } from '../../src/task/cell.ts'
import type { TaskLimits } from '../../src/task/index.ts'
import { openView, type View, type ViewStore } from '../../src/view/index.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import type { SimulatedCluster } from '../helpers/simulated-log.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'
import { learnerOf, standsAt } from './garbage.ts'
import { instead, paced } from './other-log.ts'
import { type Role, ShopRoles, type Troubles } from './shop-roles.ts'

/** What every run shares: read once, never changed. */
export type ShopParts = {
  readonly contracts: Contracts
  readonly codec: Codec
  readonly schemas: ReadonlyMap<number, object>
  readonly saga: SagaText
}

export type SagaText = {
  readonly name: string
  readonly revision: string
  readonly yaml: string
  readonly path: string
}

export const readShopParts = async (): Promise<ShopParts> => {
  const contracts = await readContractFiles('sagas', theShop)
  const schemas = new Map<number, Readonly<Record<string, unknown>>>()
  const ids = new Map<string, number>()
  const codec = await registerContracts(
    {
      check: async () => undefined,
      register: async (_, schema) => {
        const text = JSON.stringify(schema)
        const id = ids.get(text) ?? ids.size + 1
        ids.set(text, id)
        schemas.set(id, schema)
        return id
      },
      versions: async () => [],
      schema: async (id) => schemas.get(id)!
    },
    contracts.all,
    ownRecords
  )
  const path = 'sagas/order.yaml'
  return { contracts, codec, schemas, saga: sagaText(contracts, path, await readFile(path, 'utf8')) }
}

const sagaText = (contracts: Contracts, path: string, yaml: string): SagaText => {
  const { name, revision } = loadSaga({ path, text: yaml }, contracts)
  return { name, revision, yaml, path }
}

/** The saga with another timeout: another revision, which does the same. */
export const edited = ({ contracts, saga }: ShopParts, timeoutMs: number): SagaText =>
  sagaText(contracts, saga.path, saga.yaml.replace('timeout: 5s', `timeout: ${timeoutMs}ms`))

/** Puts something between a role, or the whole shop where roles have no log of their own, and the log. */
export type Wrap = (log: Log, role: Role | 'view', codec: Codec) => Log

export type NodeOptions = {
  readonly flow: Flow
  readonly partitions: number
  readonly wrap?: Wrap
  /** How long it lies down after a crash, in virtual ms. */
  readonly downMsMax: number
  /** How many commands may lie unread in an inbox partition before what begins is put off; as usual if undefined. */
  readonly window?: number | undefined
  /** How many entities a task may have in memory, about; as many as there are if undefined. */
  readonly awake?: number | undefined
  /** What stands in the folder of sagas, which all nodes have alike. */
  readonly sagaFile: { text: SagaText }
  /** Where roles come and go by themselves, or are slow. */
  readonly troubles?: Troubles | undefined
}

/** What runs in a node that is up. */
export type Running = {
  readonly log: Log
  readonly view: View
  readonly send: ReturnType<typeof commandSender>
  /** Without roles where they come and go by themselves. */
  readonly system: System
}

/** One machine with the whole shop on it: it crashes, and comes up again with what it had on its disk. */
export class ShopNode {
  readonly name: string
  /** Undefined while it is down or on its way up. */
  running: Running | undefined
  process: SimulatedProcess
  /** Errors that no fault of the outside explains. */
  readonly defects: unknown[] = []
  /** How often entities that had slept were brought back. */
  woken = 0
  readonly #cluster: SimulatedCluster
  readonly #parts: ShopParts
  readonly #options: NodeOptions
  #store: ViewStore | undefined
  #roles: ShopRoles | undefined
  #starts = 0
  #restarting = false

  constructor(name: string, cluster: SimulatedCluster, parts: ShopParts, options: NodeOptions) {
    this.name = name
    this.#cluster = cluster
    this.#parts = parts
    this.#options = options
    this.process = cluster.process(name)
  }

  /** Comes up; never resolves when it crashes on the way. */
  async start(): Promise<void> {
    this.#restarting = false
    const process = this.#cluster.process(`${this.name}.${++this.#starts}`)
    this.process = process
    this.running = undefined
    try {
      const running = await this.#run(process)
      if (!process.isAlive) return
      this.running = running
      this.#cluster.time.note(`${process.name} is up`)
    } catch (error) {
      this.#fail(process, error)
    }
  }

  /** True when all that is to run on it is at work. */
  get isUp(): boolean {
    return this.running !== undefined && this.#roles?.isWhole !== false
  }

  get processes(): readonly SimulatedProcess[] {
    return [this.process, ...(this.#roles?.processes ?? [])]
  }

  /** A role goes away from here, or comes back. */
  endRole(role: Role, isOrderly: boolean): void {
    this.#roles?.end(role, isOrderly)
  }

  beginRole(role: Role): void {
    this.#roles?.begin(role)
  }

  /** Whatever it is doing ends here; after a while it is started again. */
  crash(): void {
    this.end()
    if (this.#restarting) return
    this.#restarting = true
    const { time } = this.#cluster
    time.after(time.between(50, this.#options.downMsMax), () => void this.start())
  }

  /** For good. */
  end(): void {
    this.process.crash()
    this.#roles?.crash()
    this.#roles = undefined
    this.running = undefined
  }

  async #run(process: SimulatedProcess): Promise<Running> {
    const { codec } = this.#parts
    const { flow, troubles } = this.#options
    const log = this.#logOf(process, 'view')
    const { clock } = process
    this.#roles = troubles && this.#rolesOf(process, troubles)
    const system = await this.#system(process, log, troubles && [])
    if (flow === 'orchestration') await this.#publish(log, system, process)
    this.#store ??= await openSqliteViewStore(':memory:')
    const store = diesWith(process, this.#store)
    const view = await openView({ log, codec, store, topics: viewTopics, flow, clock })
    await view.caughtUp
    const send = commandSender(log, codec, clock)
    await fillCatalogue(view, send)
    return { log, view, send, system }
  }

  #logOf(process: SimulatedProcess, role: Role | 'view'): Log {
    const { wrap = (log: Log) => log, troubles, awake } = this.#options
    const own = this.#cluster.log(process)
    const log = wrap(awake === undefined ? own : this.#withWakingsCounted(own), role, this.#parts.codec)
    return troubles === undefined ? log : paced(log, process, () => troubles.slow.get(role))
  }

  #withWakingsCounted(log: Log): Log {
    return instead(log, {
      lookup: (place, keys) => {
        if (place.topic.endsWith('-snapshots')) this.woken++
        return log.lookup(place, keys)
      }
    })
  }

  #system(process: SimulatedProcess, log: Log, roles?: readonly Role[]): Promise<System> {
    const { contracts, codec } = this.#parts
    const { flow, partitions, window, awake } = this.#options
    const fail = (error: unknown): void => this.#fail(process, error)
    return startSystem({
      ...{ log, codec, contracts, clock: process.clock, application: shopIn(flow), partitions, owner: process.name },
      ...(roles === undefined ? {} : { roles }),
      onFailure: fail,
      onPoison: (at, error) => (standsAt(at, this.#cluster) ? undefined : fail(error)),
      learn: learnerOf(process, this.#cluster.time, codec),
      onDefinitionError: fail,
      taskLimits: {
        ...{ inputsPerRoundMax: 10, idlePositionsMax: 30, inputsPerSnapshot: 25, snapshotEveryMs: 3000 },
        ...{ inputBytesPerRoundMax: 6000, batchBytesAim: 1500, bytesPerSnapshot: 20_000, bytesLeftAtStop: 2000 },
        entitiesPerPeriod: 2,
        ...(window === undefined ? {} : { unanswered: narrow(window) })
      },
      ...(awake === undefined ? {} : { living: new Budget(0, awake * cellBytes) })
    })
  }

  /** In a cluster each role is a process; on a laptop all are one. */
  #rolesOf(process: SimulatedProcess, troubles: Troubles): ShopRoles {
    const isApart = this.#cluster.broker.variant === 'kafka'
    return new ShopRoles({
      ...{ troubles, isApart },
      process: (role) => (isApart ? this.#cluster.process(`${process.name}/${role}`) : process),
      start: (own, role) => this.#system(own, this.#logOf(own, role), [role]),
      fail: (own, error) => this.#fail(own, error)
    })
  }

  /** As the watch of the folder does it: what stands there is published, unless it is current. */
  async publish(): Promise<void> {
    const { running, process } = this
    if (running === undefined) return
    await this.#publish(running.log, running.system, process).catch((error: unknown) => this.#fail(process, error))
  }

  async #publish(log: Log, { definitions }: System, { clock }: SimulatedProcess): Promise<void> {
    const { name, revision, yaml, path } = this.#options.sagaFile.text
    if (definitions.current(name)?.revision === revision) return
    const publisher = await openPublisher(log, this.#parts.codec, clock)
    await publisher.publish({ saga: name, revision, source: path, yaml, retired: false })
  }

  /** As `parcomolo start` does it: a process that cannot go on ends, and is started again. */
  #fail(process: SimulatedProcess, error: unknown): void {
    if (!process.isAlive || !this.processes.includes(process)) return
    this.#cluster.time.note(`${process.name} fails: ${error instanceof Error ? error.message : String(error)}`)
    if (!isParcomoloError(error) || !isExpected.has(error.code)) this.defects.push(error)
    this.crash()
  }
}

const narrow = (count: number): TaskLimits['unanswered'] => {
  const window = { initial: count, min: count, max: count }
  return { window, windowUntold: window, unansweredMax: 2 * count }
}

/** Errors that the faults of a run bring about by themselves. */
const isExpected = new Set(['PARCOMOLO_LOG_FENCED', 'PARCOMOLO_LOG_STALLED'])

/** The store outlives the process, as a file does; the process' hold on it does not. */
const diesWith = (process: SimulatedProcess, store: ViewStore): ViewStore => {
  const whileAlive = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => (process.isAlive ? call(...args) : new Promise<R>(() => undefined))
  }
  return {
    wasReset: false,
    moment: whileAlive(() => store.moment()),
    get: (table, keys) => (process.isAlive ? store.get(table, keys) : new Promise(() => undefined)),
    write: whileAlive((change, last) => store.write(change, last)),
    listOrders: whileAlive((filter, page) => store.listOrders(filter, page)),
    listSagas: whileAlive((filter, page) => store.listSagas(filter, page)),
    listStock: whileAlive((page) => store.listStock(page)),
    countRunning: whileAlive(() => store.countRunning()),
    countSkipped: whileAlive(() => store.countSkipped()),
    clear: whileAlive((last) => store.clear(last)),
    dropOlder: async () => undefined,
    failure: () => undefined,
    space: () => undefined,
    copy: async () => undefined,
    close: async () => undefined
  }
}
