import { canonicalJson } from '../../src/base/index.ts'
import type { Flow } from '../../src/shop/index.ts'
import type { Task } from '../../src/task/index.ts'
import { type Audit, audit, type Shown, type Violation } from '../helpers/auditor.ts'
import { auditBacklog } from '../helpers/auditor/backlog.ts'
import { Journals } from '../helpers/auditor/events.ts'
import { instancesOf } from '../helpers/auditor/sagas.ts'
import type { BrokerVariant, SimulatedBroker } from '../helpers/simulated-broker.ts'
import { type Faults, noFaults, SimulatedCluster } from '../helpers/simulated-log.ts'
import { SimulatedRegistry } from '../helpers/simulated-registry.ts'
import { VirtualTime } from '../helpers/virtual-time.ts'
import { type BesidePlan, filesBeside, RunBeside, seenBy } from './beside.ts'
import { auditLetters, planGarbage, withoutGarbage } from './garbage.ts'
import { ShopClients } from './shop-clients.ts'
import { edited, type NodeOptions, sagaPath, ShopNode, type ShopParts, type Wrap } from './shop-node.ts'
import { areOver, noTroubles, planTroubles } from './troubles.ts'
import { orders, stock } from '../helpers/shop-parts.ts'

export type Scenario = {
  readonly seed: string
  readonly variant: BrokerVariant
  readonly flow: Flow
  readonly nodes: number
  readonly partitions: number
  readonly orders: number
  /** How many of those who order think better of it; three in ten if undefined. */
  readonly cancels?: number
  readonly faults: Faults
  /** How often a node crashes, stands still, or is asked to share its tasks anew, on average, in a run. */
  readonly crashes: number
  /** How often a machine that crashes has no use for its snapshots any more, as where another release comes up. */
  readonly forgets?: number
  readonly pauses: number
  readonly rebalances: number
  /** How often the wall clock of a machine jumps, forwards or backwards, or is set right; never if undefined. */
  readonly jumps?: number
  /** How often the saga is edited while orders run. */
  readonly edits: number
  readonly window?: number
  /** How many entities a task may have in memory, about; the others sleep. As many as there are if undefined. */
  readonly awake?: number
  /** How often a role goes away from all nodes, or is slow, on average; then roles come and go by themselves. */
  readonly absences?: number
  readonly slowdowns?: number
  /** How long orders come and faults happen; as usual if undefined. */
  readonly stormMs?: number
  /** How many records that nobody can read others write to the inboxes; none if undefined. */
  readonly garbage?: number
  /** Sagas beside that of the order, with a participant of their own, all of which people edit; none if undefined. */
  readonly beside?: BesidePlan
  /** False where `wrap` hides what participants tell of their reading. */
  readonly isTold?: boolean
  /** A planted bug: something between the shop, or a role of it, and its log, or a change of the brokers' rules. */
  readonly wrap?: Wrap
  readonly spoil?: (cluster: SimulatedCluster) => void
}

export type Outcome = {
  /** Empty when all is well. */
  readonly violations: readonly Violation[]
  readonly trace: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

/** Faults happen in this time; then there are none, and everything comes to rest. */
const usualStormMs = 12_000
const restMs = 20 * 60_000
/** Beyond every deadline of the shop's saga. */
const jumpMsMax = 3 * 60 * 60_000
/** After this long every group has given up on a process that has crashed. */
const sessionMs = 5000

/** The whole shop, on one seed. */
export const simulate = async (scenario: Scenario, parts: ShopParts): Promise<Outcome> => {
  const time = new VirtualTime(scenario.seed)
  const cluster = new SimulatedCluster(time, scenario.variant, noFaults)
  const { stormMs = usualStormMs } = scenario
  const options = optionsOf(scenario, parts, time)
  const { folder, registry, troubles } = options
  const names = Array.from({ length: scenario.nodes }, (_, i) => `node${i + 1}`)
  const nodes = names.map((name) => new ShopNode(name, cluster, parts, options))
  const isUp = (): boolean => nodes.every((node) => node.isUp)
  for (const node of nodes) void node.start()
  if (!(await time.run(isUp, time.now() + 60_000))) return failed('the shop does not open', time, nodes)
  scenario.spoil?.(cluster)
  const beside = RunBeside.open(scenario.beside, { cluster, registry, folder, nodes })
  const clients = new ShopClients(time, nodes, scenario.cancels)
  clients.plan(scenario.orders, stormMs)
  planEdits({ ...scenario, stormMs }, { time, nodes, parts, folder })
  planGarbage(scenario.garbage ?? 0, stormMs, cluster, parts.codec)
  planTroubles({ time, nodes, troubles, withinMs: stormMs }, scenario)
  beside?.plan(stormMs)
  await storm({ ...scenario, stormMs }, { cluster, nodes, beside })
  beside?.settle()
  await time.run(() => areOver(troubles) && isUp() && clients.isDone, time.now() + restMs)
  await time.pass(restMs)
  if (!isUp()) return failed('a node does not come up again', time, nodes)
  if (!clients.isDone) return failed('somebody never gets an answer', time, nodes)
  const shown = await shownBy(time, nodes[0]!)
  return judged({ scenario, parts, options, cluster, nodes, clients, beside, shown })
}

const optionsOf = (scenario: Scenario, parts: ShopParts, time: VirtualTime): NodeOptions => {
  const { flow, partitions, wrap, window, awake, absences, beside } = scenario
  return {
    ...{ flow, partitions, downMsMax: 4000, window, awake },
    folder: new Map([[sagaPath, parts.saga], ...filesBeside(beside)]),
    registry: new SimulatedRegistry(time, parts.schemas),
    learns: beside !== undefined,
    ...(wrap === undefined ? {} : { wrap }),
    troubles: absences === undefined ? undefined : noTroubles()
  }
}

type Stormy = Scenario & { readonly stormMs: number }

/** Faults of the network all the time, and of the machines now and then. */
const storm = async (
  { stormMs, ...scenario }: Stormy,
  { cluster, nodes, beside }: Pick<Evidence, 'cluster' | 'nodes' | 'beside'>
): Promise<void> => {
  const { time } = cluster
  cluster.faults = scenario.faults
  const plan = (average: number, what: (node: ShopNode) => void): void => {
    const count = Math.floor(average) + (time.chance(average % 1) ? 1 : 0)
    for (let i = 0; i < count; i++) time.after(time.random() * stormMs, () => what(time.pick(nodes)))
  }
  plan(scenario.crashes, (node) => {
    if (scenario.variant === 'embedded') beside?.crash()
    crash(cluster, node, scenario.forgets)
  })
  plan(scenario.pauses, ({ processes }) => cluster.pause(time.pick(processes), time.between(50, 8000)))
  plan(scenario.rebalances, () => cluster.groups.rebalance(time.pick(cluster.groups.names())))
  plan(scenario.jumps ?? 0, ({ process: { machine } }) =>
    time.setWall(machine, time.chance(0.3) ? 0 : time.between(0, jumpMsMax) * (time.chance(0.5) ? 1 : -1))
  )
  await time.pass(stormMs)
  cluster.faults = noFaults
}

type Editing = {
  readonly time: VirtualTime
  readonly nodes: readonly ShopNode[]
  readonly parts: ShopParts
  readonly folder: NodeOptions['folder']
}

const planEdits = ({ edits, flow, stormMs }: Stormy, { time, nodes, parts, folder }: Editing): void => {
  for (let i = 0; i < edits && flow === 'orchestration'; i++) {
    time.after(time.random() * stormMs, () => {
      time.note('the order saga is edited')
      folder.set(sagaPath, edited(parts, 4000 + i))
      seenBy(time, nodes)
    })
  }
}

const crash = ({ broker, time }: SimulatedCluster, node: ShopNode, forgets = 0): void => {
  if (!node.process.isAlive) return
  node.crash()
  broker.compact()
  if (broker.variant === 'kafka') return
  const lost = broker.loseEnd(Math.floor(time.random() * 20))
  time.note(`the machine has lost ${lost} appends`)
  if (time.chance(forgets)) forgetSnapshots(broker)
}

const forgetSnapshots = ({ partitions }: SimulatedBroker): void => {
  for (const partition of partitions.values())
    if (/-(snapshots|archive)$/.test(partition.place.topic)) partition.records = []
}

const failed = (message: string, { trace }: VirtualTime, nodes: readonly ShopNode[]): Outcome => ({
  violations: [{ rule: 'liveness', message, evidence: [] }, ...defectsOf(nodes)],
  trace,
  counts: {}
})

const defectsOf = (nodes: readonly ShopNode[]): Violation[] =>
  nodes.flatMap(({ defects, name }) =>
    defects.map((error) => ({
      rule: 'defect',
      message: `${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      evidence: []
    }))
  )

const shownBy = async (time: VirtualTime, node: ShopNode): Promise<Shown> => {
  const { view } = node.running!
  let shown: Shown | undefined
  void (async () => {
    const placed = await view.list(orders, {}, { limit: 1000 })
    const skus = await view.list(stock, {}, { limit: 100 })
    shown = { orders: placed.rows, stock: skus.rows }
  })()
  await time.run(() => shown !== undefined, time.now() + 10_000)
  return shown!
}

type Evidence = {
  readonly scenario: Scenario
  readonly parts: ShopParts
  readonly cluster: SimulatedCluster
  readonly nodes: readonly ShopNode[]
  readonly options: NodeOptions
  readonly clients: ShopClients
  readonly beside: RunBeside | undefined
  readonly shown: Shown
}

const judged = async (evidence: Evidence): Promise<Outcome> => {
  const { scenario, options, cluster, nodes, clients, beside, shown } = evidence
  const { time, broker } = cluster
  const { schemas } = options.registry
  const written = [...broker.partitions.values()].flatMap(({ place, records }) =>
    records.map((record) => ({ ...place, ...record }))
  )
  const records = beside === undefined ? written : beside.withHistory(written)
  const { orders, cancellations } = clients
  const letters = auditLetters(records)
  const input: Audit = {
    records: withoutGarbage(records),
    schemas,
    flow: scenario.flow,
    isQuiet: true,
    now: time.now(),
    acknowledged: { orders, cancellations, skus: ['book', 'lamp', 'unicorn', 'last-one'] },
    shown,
    isReliable: isReliable(scenario),
    // What was sent again too soon shows in times of several journals, which clocks that jump make incomparable.
    isTold: scenario.isTold !== false && scenario.jumps === undefined,
    window: scenario.window === undefined ? undefined : { unread: scenario.window, unanswered: 2 * scenario.window },
    ...(beside === undefined ? {} : { beside: beside.audit() })
  }
  const journals = new Journals(input.records, schemas)
  const folds = await foldedAgain(evidence, keysIn(journals, scenario))
  const violations = [...letters.violations, ...audit(input), ...defectsOf(nodes), ...folds]
  const { resends } = auditBacklog(journals)
  const counts = {
    again: resends.filter(({ why }) => why === 'read').length,
    probes: resends.filter(({ why }) => why === 'probe').length,
    events: time.eventCount,
    records: records.length,
    acknowledged: orders.length,
    cancelled: cancellations.length,
    refused: clients.refusals.length,
    jumps: time.trace.filter((line) => line.includes('the clock of ')).length,
    handedOver: records.filter(({ topic }) => topic === 'orchestrator-commands').length,
    putOff: records.filter(({ headers }) => headers['parcomolo-lanes']?.includes('@')).length,
    garbage: letters.garbage,
    doubled: letters.doubled,
    ...cancelsIn(journals),
    ...beside?.counts(journals),
    revisions: new Set(journals.events('saga-events').flatMap(({ value }) => value['revision'] ?? [])).size,
    woken: nodes.reduce((sum, { woken }) => sum + woken, 0),
    fenced: time.trace.filter((line) => line.includes(' is refused at ')).length,
    repeated: time.trace.filter((line) => line.includes(' repeats a batch at ')).length,
    lost: time.trace.reduce((sum, line) => sum + Number(/has lost (\d+) appends/.exec(line)?.[1] ?? 0), 0)
  }
  return { violations, trace: time.trace, counts }
}

/** What cancels have come to: money that was given back, parcels that were stopped, payments that met a cancel. */
const cancelsIn = (journals: Journals): Readonly<Record<string, number>> => {
  const refunds = journals.events('payment-events').filter(({ type }) => type === 'PaymentRefunded')
  const count = (topic: string, type: string): number =>
    journals.events(topic).filter((event) => event.type === type).length
  return {
    refunded: refunds.filter(({ value }) => Number(value['amountCents']) > 0).length,
    stopped: count('shipping-events', 'ShippingCancelled'),
    metByPayment: count('order-events', 'OrderNotConfirmable')
  }
}

const isReliable = ({ faults, pauses }: Scenario): boolean =>
  pauses === 0 && [faults.slow, faults.requestLost, faults.answerLost, faults.duplicated].every((rate) => rate === 0)

const keysIn = (journals: Journals, { orders }: Scenario): readonly string[] => {
  const skus = ['book', 'lamp', 'unicorn', 'last-one'].map((sku) => `stock/${sku}`)
  const ids = Array.from({ length: orders }, (_, i) => `order-${i}`)
  return [...new Set([...skus, ...ids, ...ids.map((id) => `order/${id}`), ...instancesOf(journals).keys()])]
}

/** Rule 9.7: a start without snapshots gives the same state as the one that the tasks are in. */
const foldedAgain = async (evidence: Evidence, keys: readonly string[]): Promise<Violation[]> => {
  const { cluster, nodes } = evidence
  for (const node of nodes) node.end()
  await cluster.time.pass(sessionMs)
  const own = await statesAfterStart(evidence, keys)
  forgetSnapshots(cluster.broker)
  const folded = await statesAfterStart(evidence, keys)
  return [...folded].flatMap(([key, state]) =>
    own.get(key) === state || own.get(key) === archived || (state === archived && own.has(key))
      ? []
      : [{ rule: '9.7 fold', message: `${key} is ${own.get(key)}; its journal says ${state}`, evidence: [] }]
  )
}

/** The state of every entity, as its task has it after a start: in memory, or in the archive where it has ended. */
const statesAfterStart = async (
  { options, parts, cluster }: Evidence,
  keys: readonly string[]
): Promise<ReadonlyMap<string, string>> => {
  const { time, broker } = cluster
  const { flow, partitions, folder, registry, learns } = options
  const node = new ShopNode('reader', cluster, parts, { flow, partitions, folder, registry, learns, downMsMax: 1000 })
  void node.start()
  await time.run(() => node.running !== undefined, time.now() + 60_000)
  // Its tasks may have begun anew, for what it has read in the folder.
  await time.pass(1000)
  const states = new Map<string, string>()
  for (const [component, runner] of node.running?.system.runners ?? []) {
    const tasks = [...runner.tasks.values()] as unknown as Task<unknown>[]
    const archived = [...broker.partitions.values()].filter(({ place }) => place.topic === `${component}-archive`)
    for (const key of keys) {
      const state = tasks.map((task) => task.entity(key)).find((found) => found !== undefined)
      const stored = archived
        .flatMap(({ records }) => records.filter((record) => record.key === `entity:${key}`))
        .at(-1)
      const text = state === undefined ? stored && archivedText(component, stored.value!) : textOf(state)
      if (text !== undefined) states.set(`${component} ${key}`, text)
    }
  }
  node.end()
  await time.pass(sessionMs)
  return states
}

const textOf = (state: unknown): string => {
  const plain = (_: string, value: unknown): unknown =>
    value instanceof Uint8Array ? Buffer.from(value).toJSON() : value
  return canonicalJson(JSON.parse(JSON.stringify(state, plain)))
}

/** What the orchestrator archives is its own affair: only that it is there is seen. */
const archivedText = (component: string, bytes: Uint8Array): string =>
  component === 'orchestrator' ? archived : textOf(JSON.parse(Buffer.from(bytes).toString()))

const archived = 'archived'
