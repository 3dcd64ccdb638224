import { isParcomoloError } from '../../src/base/index.ts'
import type { StoredRecord } from '../../src/log/index.ts'
import type { Beside } from '../helpers/auditor.ts'
import { sagaNameOf, type SagaVersion } from '../helpers/auditor/beside.ts'
import type { AuditRecord, Journals } from '../helpers/auditor/events.ts'
import type { SimulatedCluster } from '../helpers/simulated-log.ts'
import type { SimulatedRegistry } from '../helpers/simulated-registry.ts'
import type { VirtualTime } from '../helpers/virtual-time.ts'
import { impossibleContracts, loyaltyContract } from './loyalty.ts'
import { LoyaltyService } from './loyalty-service.ts'
import type { Folder } from './shop-folder.ts'
import type { ShopNode } from './shop-node.ts'

/** What runs beside the order saga, and how often people edit it. */
export type BesidePlan = {
  /** A run begins with the first version of each saga, and ends with it. */
  readonly sagas: readonly (readonly SagaVersion[])[]
  /** What people write in the place of the participant's contract, until they give the first one back. */
  readonly contracts: readonly string[]
  /** How many files are saved, on average. */
  readonly saves: number
  /** How often the participant crashes, and the registry is away. */
  readonly crashes: number
  readonly outages: number
  /** How long it thinks about a command. */
  readonly thinksMsMax: number
}

const contractPath = 'sagas/participants/loyalty.yaml'

const outageMsMax = 4000
const downMsMax = 4000
const lateMs = 1000
/** How often all files are saved at once. */
const checkouts = 0.3

export const filesBeside = (plan: BesidePlan | undefined): [path: string, text: string][] =>
  plan === undefined
    ? []
    : [[contractPath, loyaltyContract], ...plan.sagas.map(([first]): [string, string] => [pathOf(first!), first!.text])]

const pathOf = ({ text }: SagaVersion): string => `sagas/${sagaNameOf(text)}.yaml`

/** Each node sees it a little later. */
export const seenBy = (time: VirtualTime, nodes: readonly ShopNode[]): void => {
  for (const node of nodes) time.after(time.between(1, 300), () => void node.saved())
}

type Place = {
  readonly cluster: SimulatedCluster
  readonly registry: SimulatedRegistry
  readonly folder: Folder
  readonly nodes: readonly ShopNode[]
}

/** The sagas beside that of the order in one run, with their participant and the people who edit them. */
export class RunBeside {
  readonly #plan: BesidePlan
  readonly #place: Place
  readonly #service: LoyaltyService
  /** Everything that was published, also what is cleaned up. */
  readonly #published: StoredRecord[] = []
  /** The offsets of what was on its way for long. */
  readonly #late = new Set<number>()

  private constructor(plan: BesidePlan, place: Place) {
    this.#plan = plan
    this.#place = place
    this.#service = new LoyaltyService(place.cluster, place.registry, plan.thinksMsMax)
  }

  static open(plan: BesidePlan | undefined, place: Place): RunBeside | undefined {
    if (plan === undefined) return undefined
    const run = new RunBeside(plan, place)
    run.#follow()
    void run.#service.start()
    return run
  }

  /** All that happens to it within this time. */
  plan(withinMs: number): void {
    const { time } = this.#place.cluster
    const { saves, crashes, outages } = this.#plan
    const plan = (average: number, what: () => void): void => {
      const count = Math.floor(average) + (time.chance(average % 1) ? 1 : 0)
      for (let i = 0; i < count; i++) time.after(time.random() * withinMs, what)
    }
    plan(saves, () => this.#save())
    plan(crashes, () => this.crash())
    plan(outages, () => this.#goAway())
  }

  crash(): void {
    const { time } = this.#place.cluster
    this.#service.crash()
    // Where the whole machine crashes, nobody listens to its log any more.
    time.after(0, () => this.#follow())
    time.after(time.between(50, downMsMax), () => void this.#service.start())
  }

  /** People have come to what they want, which is what they had. */
  settle(): void {
    const { cluster, folder, nodes } = this.#place
    for (const [path, text] of filesBeside(this.#plan)) folder.set(path, text)
    cluster.time.note('all files are as they were')
    seenBy(cluster.time, nodes)
  }

  /** The records, with all that was ever published. */
  withHistory(records: readonly AuditRecord[]): AuditRecord[] {
    const published = this.#published.map((record) => ({ topic: 'saga-definitions', partition: 0, ...record }))
    return [...records.filter(({ topic }) => topic !== 'saga-definitions'), ...published]
  }

  audit(): Beside {
    const { cluster, folder, nodes } = this.#place
    const counts = new Map<string, number>()
    for (const { saga, count } of this.#passedOver()) counts.set(saga, (counts.get(saga) ?? 0) + count)
    const isComplete = nodes.every(({ passedOver, systemsBegun }) => passedOver.length === systemsBegun)
    return {
      versions: this.#plan.sagas.flat(),
      impossible: Object.values(impossibleContracts),
      incompatible: this.#refused()
        .filter(({ error }) => isParcomoloError(error, 'PARCOMOLO_REGISTRY_INCOMPATIBLE'))
        .map(({ text }) => text),
      folder: [...folder.values()],
      late: this.#late,
      told: {
        counts: isComplete ? counts : undefined,
        messages: nodes.flatMap(({ keysFailed }) => keysFailed),
        mayBeLost: cluster.broker.variant === 'embedded'
      }
    }
  }

  counts(journals: Journals): Readonly<Record<string, number>> {
    const contracts = journals.events('saga-definitions').filter(({ type }) => type === 'ParticipantPublished')
    const ofSagas = journals.events('saga-events')
    const stands = ({ value }: { value: Readonly<Record<string, unknown>> }): boolean => value['step'] === ''
    return {
      passedOver: this.#passedOver().reduce((sum, { count }) => sum + count, 0),
      contractChanged: contracts.filter(({ value }, i) => value['yaml'] !== contracts[i - 1]?.value['yaml']).length - 1,
      contractRefused: this.#refused().length,
      stoodStill: ofSagas.filter((event) => event.type === 'SagaParked' && stands(event)).length,
      cancelledBeside: ofSagas.filter(({ type, value }) => type === 'CancelRequested' && value['saga'] !== 'order')
        .length
    }
  }

  #refused(): ShopNode['refused'] {
    return this.#place.nodes.flatMap(({ refused }) => refused).filter(({ path }) => path === contractPath)
  }

  #follow(): void {
    const { records, listeners } = this.#definitions
    this.#note(records)
    listeners.add(this.#noteNew)
  }

  get #definitions(): ReturnType<SimulatedCluster['broker']['partition']> {
    return this.#place.cluster.broker.partition({ topic: 'saga-definitions', partition: 0 })
  }

  readonly #noteNew = (): void => this.#note(this.#definitions.records)

  #note(records: readonly StoredRecord[]): void {
    const next = (this.#published.at(-1)?.offset ?? -1) + 1
    const now = this.#place.cluster.time.now()
    for (const record of records) {
      if (record.offset < next) continue
      this.#published.push(record)
      if (record.timestamp < now - lateMs) this.#late.add(record.offset)
    }
  }

  #passedOver(): readonly { readonly saga: string; readonly reason: string; readonly count: number }[] {
    const counts = this.#place.nodes.flatMap(({ passedOver }) => passedOver.flatMap((one) => [...one.counts()]))
    return counts.filter(({ reason }) => reason !== 'key-used')
  }

  #save(): void {
    const { cluster, folder, nodes } = this.#place
    const { time } = cluster
    const files = [
      ...this.#plan.sagas.map((versions) => ({ path: pathOf(versions[0]!), texts: versions.map(({ text }) => text) })),
      ...(this.#plan.contracts.length === 0 ? [] : [{ path: contractPath, texts: this.#contracts() }])
    ]
    for (const { path, texts } of time.chance(checkouts) ? files : [time.pick(files)]) {
      const text = time.pick(texts)
      time.note(`somebody saves version ${texts.indexOf(text)} of ${path}`)
      folder.set(path, text)
    }
    seenBy(time, nodes)
  }

  #contracts(): readonly string[] {
    return [loyaltyContract, ...this.#plan.contracts]
  }

  #goAway(): void {
    const { cluster, registry } = this.#place
    cluster.time.note('the registry is away')
    registry.isAway = true
    cluster.time.after(cluster.time.between(100, outageMsMax), () => (registry.isAway = false))
  }
}
