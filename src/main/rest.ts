import { createHttp, createHttpApart, type HttpDeps, type LogLevel } from '../http/index.ts'
import type { Operator } from '../operator/index.ts'
import {
  fillCatalogue,
  fillCatalogueBehind,
  Intake,
  inventoryPrices,
  isCatalogueKnown,
  shopRoutes,
  Stockroom
} from '../shop/index.ts'
import { losesStore, openView, type View, type ViewStore } from '../view/index.ts'
import { commandSender } from './commands.ts'
import type { Config } from './config.ts'
import { definitionsPort } from './definitions-port.ts'
import { connectionLimits, descriptorsMax } from './descriptors.ts'
import { diskMetricsText } from './disk-metrics.ts'
import { healthOf, orderHealth, viewHealth } from './health.ts'
import { inboxWaits } from './inbox-waits.ts'
import { LateView } from './late-view.ts'
import { isLoopback, lingerMs, listen } from './listen.ts'
import { metricsText } from './metrics.ts'
import { openStore, storeStep } from './open-store.ts'
import type { Stage } from './stage.ts'
import { isHosted, type System, type SystemDeps } from './system.ts'
import { openSnapshots } from './view-snapshots.ts'
import { viewTopicsOf } from './view-topics.ts'

export type RestParts = {
  readonly deps: SystemDeps
  readonly system: System
  readonly operator?: Operator | undefined
  readonly roles: readonly string[]
  /** What the ids of keyed orders are made with; null for none. */
  readonly idSecret: Buffer | null
}

/**
 * Opens the REST interface, which takes what comes from then on, and the read model behind it; gives the address when
 * that has caught up.
 */
export const openRest = async (stage: Stage, parts: RestParts): Promise<string> => {
  const { deps, roles } = parts
  const model: ReadModel = { view: new LateView(), store: undefined }
  await stage.opening.take(
    'opening the read model',
    async () => model.view,
    (view) => view.close()
  )
  const sendCommand = commandSender(deps.log, deps.codec, stage.clock)
  const selling = hasShop(stage) ? await openSelling(stage, deps, model) : undefined
  const url = await openHttp(stage, parts, { model, selling, sendCommand })
  stage.onListening()
  if (selling !== undefined) warnOfOrders(stage, parts)
  const caughtUp = openReadModel(stage, deps, model, selling?.intake)
  const filling = { sendCommand, isInventoryHere: roles.includes('inventory') }
  await Promise.all([caughtUp, selling && fillShelves(stage, caughtUp, { ...filling, stockroom: selling.stockroom })])
  return url
}

const hasShop = ({ config }: Stage): boolean => config.app === 'shop'

/** What it takes to sell while the read model is away. */
type Selling = { readonly intake: Intake; readonly stockroom: Stockroom }

const openSelling = async (stage: Stage, deps: SystemDeps, model: ReadModel): Promise<Selling> => {
  const intake = await openIntake(stage, deps, model)
  return { intake, stockroom: new Stockroom(model.view, intake) }
}

/** Otherwise nobody would see it but in answers. */
const warnOfOrders = ({ application, diagnostics }: Stage, { system }: RestParts): void => {
  if (!application.runsSagas) return
  const { ok, detail } = orderHealth(system.definitions)
  if (!ok) diagnostics.report('warn', {}, `no order is taken yet: ${detail}`)
}

type SendCommand = ReturnType<typeof commandSender>

/** The store is there once it is open. */
type ReadModel = { readonly view: LateView; store: ViewStore | undefined }

type Serving = {
  readonly model: ReadModel
  readonly selling: Selling | undefined
  readonly sendCommand: SendCommand
}

const openHttp = async (stage: Stage, parts: RestParts, serving: Serving): Promise<string> => {
  const { host, port, metricsPort } = stage.config
  const { opening } = stage
  const { connectionsMax, doorCount } = connectionLimits(descriptorsMax())
  const what = 'opening the REST interface'
  const deps = await opening.step(what, async () => ({ ...httpDeps(stage, parts, serving), connectionsMax }))
  const { http, probes } = metricsPort === null ? { http: createHttp(deps) } : createHttpApart(deps)
  if (probes !== undefined && metricsPort !== null) {
    await opening.take(
      'opening the probes',
      async () => probes,
      (it) => it.close()
    )
    await opening.step('opening the probes', () =>
      listen(probes, host, metricsPort, { setting: 'PARCOMOLO_METRICS_PORT' })
    )
  }
  await opening.take(
    what,
    async () => http,
    (it) => it.close()
  )
  return opening.step(what, () => listen(http, host, port, { doorCount }))
}

const httpDeps = (stage: Stage, parts: RestParts, serving: Serving): HttpDeps => {
  const { config, application, opening, diagnostics, clock, memory } = stage
  const { system, operator } = parts
  const { log, codec } = parts.deps
  const { model, selling, sendCommand } = serving
  const tellsReading = (participant: string): boolean => isHosted(application, participant)
  return {
    ...{ view: model.view, sendCommand, clock },
    ...(selling && sellingDeps(stage, system, selling)),
    definitions: definitionsPort(system.definitions),
    ...{ isStopping: stage.isStopping, lingerMs: lingerMs(config) },
    // Of what is shared by all who hold bytes, as much for bodies, and again for answers that nobody takes.
    limits: { bodyBytesInWorkMax: memory.budget.bytesMax / 4, unreadBytesMax: memory.budget.bytesMax / 2 },
    isLocal: isLoopback(config.host),
    idSecret: parts.idSecret,
    inboxWaits: inboxWaits({ log, codec, contracts: () => system.definitions.contracts, tellsReading }, clock),
    health: () => healthOf(diagnostics, { log, operator }),
    viewHealth: () => viewHealth(model.store, model.view.isOpen ? undefined : opening.doing),
    metrics: async () => metricsText({ memory, log, system, operator }) + (await diskMetricsText(log)),
    logLevel: requestLevel(config)
  }
}

const sellingDeps = (
  { application, config }: Stage,
  { definitions }: System,
  { intake, stockroom }: Selling
): Pick<HttpDeps, 'routes' | 'flow' | 'intake' | 'isStocked' | 'orderHealth'> => ({
  ...{ routes: shopRoutes, flow: config.flow, intake },
  isStocked: () => isCatalogueKnown(stockroom),
  ...(application.runsSagas && { orderHealth: () => orderHealth(definitions) })
})

/** What a server has to say of single requests at 'info' is of no use to whoever reads the lines of the process. */
export const requestLevel = ({ logLevel }: Config): LogLevel => (logLevel === 'info' ? 'warn' : logLevel)

const openIntake = (
  { opening, diagnostics, clock }: Stage,
  { log, codec, learn }: SystemDeps,
  model: ReadModel
): Promise<Intake> => {
  const { view } = model
  const intake = new Intake({
    ...{ log, codec, clock, prices: inventoryPrices },
    topics: { order: 'order-events', stock: 'stock-events' },
    isNeeded: () => view.state() !== 'following' || view.isStalled() || viewHealth(model.store).length > 0,
    // While it builds anew, nobody waits for it.
    followedTo: (place) => (view.state() === 'catching-up' ? undefined : view.health().positions[place]),
    onError: (error) => diagnostics.error(error, 'orders cannot be taken without the read model; it is tried again'),
    ...(learn && { learn })
  })
  return opening.take(
    'opening the journals of order and inventory',
    async () => {
      await opening.insist(
        () => intake.open(),
        (error) => diagnostics.waiting(error, 'the log')
      )
      return intake
    },
    async (it) => it.close()
  )
}

/** Resolves when it has caught up. */
const openReadModel = async (
  stage: Stage,
  deps: SystemDeps,
  model: ReadModel,
  intake: Intake | undefined
): Promise<void> => {
  const { opening } = stage
  let isHandedOver = false
  const snapshots = await opening.step('looking for copies of the read model', () => openSnapshots(stage, deps.log))
  const store = await opening.take(
    storeStep(stage.config),
    () => openStore(stage, deps.log, snapshots),
    async (it) => (isHandedOver ? undefined : it.close())
  )
  model.store = store
  const onFailed = (error: unknown): void => {
    if (losesStore(error)) void reopen(error)
    else stage.diagnostics.fail(error, 'the read model')
  }
  const open = (on: ViewStore): Promise<View> =>
    openView({ ...viewDeps(stage, deps), store: on, onFailed, ...(snapshots && { snapshots }) })
  /** Whoever emptied it, or brought back what it was: it is folded from where it stands, and orders are taken on. */
  const reopen = async (error: unknown): Promise<void> => {
    stage.diagnostics.error(error, 'the store of the read model is opened anew')
    try {
      // From where the view has come to, so that whoever waits for an answer at this moment gets it.
      await intake?.open()
      await model.view.reopen(async () => open((model.store = await openStore(stage, deps.log, snapshots))))
    } catch (cause) {
      stage.diagnostics.fail(cause, 'the read model')
    }
  }
  const view = await opening.step('opening the read model', () => model.view.open(() => open(store)))
  isHandedOver = true
  await opening.step('folding the journals into the read model', () => view.caughtUp)
}

const viewDeps = ({ config, application, diagnostics, clock }: Stage, { log, codec, learn }: SystemDeps) => ({
  ...{ log, codec, topics: viewTopicsOf(application), flow: config.flow, clock },
  logger: diagnostics.logger,
  ...(learn && { learn })
})

type Filling = {
  readonly stockroom: Stockroom
  readonly sendCommand: SendCommand
  readonly isInventoryHere: boolean
}

/** The first order should find something to buy; but nobody waits for an inventory that another process has. */
const fillShelves = async (
  { opening, diagnostics, clock }: Stage,
  caughtUp: Promise<void>,
  { stockroom, sendCommand, isInventoryHere }: Filling
): Promise<void> => {
  await opening.step('reading the prices', () => stockroom.known(caughtUp))
  if (isInventoryHere) {
    const sent = new Set<string>()
    const fill = (): Promise<unknown> => fillCatalogue(stockroom, sendCommand, sent)
    return void (await opening.step('filling the shelves', () =>
      opening.insist(fill, (error) => diagnostics.waiting(error, 'the inventory'))
    ))
  }
  const giveUp = fillCatalogueBehind({
    ...{ view: stockroom, sendCommand, clock },
    onWaiting: (skus) =>
      diagnostics.report('info', { skus }, 'the shelves are filled as soon as a process with the role inventory works'),
    onError: (error) => diagnostics.error(error, 'the shelves could not be filled; it is tried again')
  })
  opening.defer(giveUp)
}
