import { readFile } from 'node:fs/promises'
import { Budget, isParcomoloError } from '../../src/base/index.ts'
import { adoptContract, type Codec, type Contracts, learnSchemas, registerContracts } from '../../src/contract/index.ts'
import type { Log } from '../../src/log/index.ts'
import { commandSender } from '../../src/main/commands.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { startSystem, type System, type SystemDeps } from '../../src/main/system.ts'
import type { PassedOver } from '../../src/orchestrator/index.ts'
import type { Flow } from '../../src/shop/index.ts'
import { fillCatalogue } from '../../src/shop/shelves.ts'
import { cellBytes } from '../../src/task/cell.ts'
import type { TaskLimits } from '../../src/task/index.ts'
import { openView, type View, type ViewStore } from '../../src/view/index.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { ownRecords, shelvesOf, shopLayout, theShop, viewTopics } from '../helpers/shop-parts.ts'
import { shop } from '../../src/shop/index.ts'
import type { SimulatedCluster } from '../helpers/simulated-log.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'
import type { SimulatedRegistry } from '../helpers/simulated-registry.ts'
import { learnerOf, standsAt } from './garbage.ts'
import { instead, paced } from './other-log.ts'
import { type Folder, type Followed, followFolder, type Refused } from './shop-folder.ts'
import { type Role, ShopRoles, type Troubles } from './shop-roles.ts'

/** What every run shares: read once, never changed. */
export type ShopParts = {
  readonly contracts: Contracts
  readonly codec: Codec
  readonly schemas: ReadonlyMap<number, object>
  /** The order saga's file. */
  readonly saga: string
}

export const sagaPath = 'sagas/order.yaml'

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
  return { contracts, codec, schemas, saga: await readFile(sagaPath, 'utf8') }
}

/** The saga with another timeout: another revision, which does the same. */
export const edited = ({ saga }: ShopParts, timeoutMs: number): string =>
  saga.replace('timeout: 5s', `timeout: ${timeoutMs}ms`)

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
  readonly folder: Folder
  readonly registry: SimulatedRegistry
  /** True where contracts change, so that each process knows what it has learnt itself. */
  readonly learns?: boolean | undefined
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
  /** What its processes have told of keys that fail, and of files that are refused. */
  readonly keysFailed: { readonly process: string; readonly message: string }[] = []
  readonly refused: Refused[] = []
  /** Of each of its processes that has come up, of which some have begun to work before, and have ended. */
  readonly passedOver: PassedOver[] = []
  systemsBegun = 0
  /** How often entities that had slept were brought back. */
  woken = 0
  readonly #cluster: SimulatedCluster
  readonly #parts: ShopParts
  readonly #options: NodeOptions
  #store: ViewStore | undefined
  #roles: ShopRoles | undefined
  #followed: Followed | undefined
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
    this.#followed = undefined
    this.running = undefined
  }

  async #run(process: SimulatedProcess): Promise<Running> {
    const { flow, troubles } = this.#options
    const log = this.#logOf(process, 'view')
    const { clock } = process
    const known = await this.#knownTo(process)
    const { codec } = known
    this.#roles = troubles && this.#rolesOf(process, troubles)
    const system = await this.#system(process, log, known, troubles && [])
    if (flow === 'orchestration') await this.#follow(process, log, known, system)
    this.#store ??= await openSqliteViewStore(':memory:', shopLayout)
    const store = diesWith(process, this.#store)
    const view = await openView({ log, codec, store, topics: Object.values(viewTopics), clock })
    await view.caughtUp
    const send = commandSender(log, codec, clock)
    await fillCatalogue(shelvesOf(view), send)
    return { log, view, send, system }
  }

  /** What a process knows of contracts when it has started; those of others come to it by the log. */
  async #knownTo(process: SimulatedProcess): Promise<Known> {
    const { contracts, codec } = this.#parts
    const { learns } = this.#options
    const registry = this.#options.registry.of(process)
    if (learns !== true) return { contracts, codec, learn: learnerOf(process, this.#cluster.time, codec) }
    for (;;) {
      try {
        const own = await registerContracts(registry, contracts.all, ownRecords)
        return {
          ...{ contracts, codec: own },
          learn: (values) => learnSchemas(own, registry, values),
          adopt: (contract) => adoptContract(registry, own, contract)
        }
      } catch (error) {
        if (!isParcomoloError(error) || !error.retryable) throw error
        await process.wait(500)
      }
    }
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

  async #system(process: SimulatedProcess, log: Log, known: Known, roles?: readonly Role[]): Promise<System> {
    const { flow, partitions, window, awake, learns } = this.#options
    const fail = (error: unknown): void => this.#fail(process, error)
    this.systemsBegun++
    const system = await startSystem({
      ...{ log, ...known, clock: process.clock, application: shop(flow), partitions, owner: process.name },
      ...(roles === undefined ? {} : { roles }),
      onFailure: fail,
      onPoison: (at, error) => (standsAt(at, this.#cluster) ? undefined : fail(error)),
      onDefinitionError: (error) => (learns === true ? this.#tell(process, error) : fail(error)),
      onKeyFailed: (error) => this.keysFailed.push({ process: process.name, message: (error as Error).message }),
      onKeyUsed: () => undefined,
      taskLimits: {
        ...{ inputsPerRoundMax: 10, idlePositionsMax: 30, inputsPerSnapshot: 25, snapshotEveryMs: 3000 },
        ...{ inputBytesPerRoundMax: 6000, batchBytesAim: 1500, bytesPerSnapshot: 20_000, bytesLeftAtStop: 2000 },
        entitiesPerPeriod: 2,
        ...(window === undefined ? {} : { unanswered: narrow(window) })
      },
      ...(awake === undefined ? {} : { living: new Budget(0, awake * cellBytes) })
    })
    this.passedOver.push(system.passedOver)
    return system
  }

  /** In a cluster each role is a process; on a laptop all are one. */
  #rolesOf(process: SimulatedProcess, troubles: Troubles): ShopRoles {
    const isApart = this.#cluster.broker.variant === 'kafka'
    return new ShopRoles({
      ...{ troubles, isApart },
      process: (role) => (isApart ? this.#cluster.process(`${process.name}/${role}`) : process),
      start: async (own, role) => {
        const log = this.#logOf(own, role)
        return this.#system(own, log, await this.#knownTo(own), [role])
      },
      fail: (own, error) => this.#fail(own, error)
    })
  }

  /** Somebody has saved a file. */
  async saved(): Promise<void> {
    await this.#followed?.saved()
  }

  async #follow(process: SimulatedProcess, log: Log, { codec }: Known, { definitions }: System): Promise<void> {
    const { folder, registry, partitions } = this.#options
    this.#followed = await followFolder({
      ...{ folder, process, log, codec, definitions, partitions, registry: registry.of(process) },
      onRefused: (refused) => this.#refuse(process, refused)
    })
    await this.#followed.saved()
  }

  #refuse(process: SimulatedProcess, refused: Refused): void {
    const { path, error } = refused
    this.#cluster.time.note(`${process.name} refuses ${path}: ${codeOf(error)}`)
    this.refused.push(refused)
    if (!isRefusal.has(codeOf(error))) this.#fail(process, error)
  }

  /** A definition that cannot be used as it stands concerns nothing else. */
  #tell(process: SimulatedProcess, error: unknown): void {
    this.#cluster.time.note(`${process.name} tells: ${error instanceof Error ? error.message : String(error)}`)
    if (codeOf(error) !== 'PARCOMOLO_SAGA_INVALID') this.#fail(process, error)
  }

  /** As `parcomolo start` does it: a process that cannot go on ends, and is started again. */
  #fail(process: SimulatedProcess, error: unknown): void {
    if (!process.isAlive || !this.processes.includes(process)) return
    this.#cluster.time.note(`${process.name} fails: ${error instanceof Error ? error.message : String(error)}`)
    if (!isParcomoloError(error) || !isExpected.has(error.code)) this.defects.push(error)
    this.crash()
  }
}

/** What is known of contracts, by a process or by all of them. */
type Known = Pick<SystemDeps, 'contracts' | 'codec' | 'learn' | 'adopt'>

const codeOf = (error: unknown): string => (isParcomoloError(error) ? error.code : String(error))

/** Why a file may be refused. */
const isRefusal = new Set([
  'PARCOMOLO_CONTRACT_INVALID',
  'PARCOMOLO_CONTRACT_IN_USE',
  'PARCOMOLO_REGISTRY_INCOMPATIBLE',
  'PARCOMOLO_REGISTRY_UNAVAILABLE',
  'PARCOMOLO_SAGA_INVALID'
])

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
    layout: store.layout,
    wasReset: false,
    moment: whileAlive(() => store.moment()),
    get: (of, keys) => (process.isAlive ? store.get(of, keys) : new Promise(() => undefined)),
    write: whileAlive((change, last) => store.write(change, last)),
    list: (of, filter, page) => (process.isAlive ? store.list(of, filter, page) : new Promise(() => undefined)),
    count: whileAlive((of) => store.count(of)),
    countSkipped: whileAlive(() => store.countSkipped()),
    clear: whileAlive((last) => store.clear(last)),
    dropOlder: async () => undefined,
    failure: () => undefined,
    space: () => undefined,
    copy: async () => undefined,
    close: async () => undefined
  }
}
