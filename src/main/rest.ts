import type { Served, ServingParts } from '../application/index.ts'
import type { Contracts } from '../contract/index.ts'
import { postsTopic } from '../courier/index.ts'
import { createHttp, createHttpApart, type HttpDeps, type LogLevel } from '../http/index.ts'
import type { Operator } from '../operator/index.ts'
import { losesStore, openView, type View, type ViewStore } from '../view/index.ts'
import { commandSender } from './commands.ts'
import type { Config } from './config.ts'
import { definitionsPort } from './definitions-port.ts'
import { connectionLimits, descriptorsMax } from './descriptors.ts'
import { diskMetricsText } from './disk-metrics.ts'
import { healthOf, viewHealth } from './health.ts'
import { inboxWaits } from './inbox-waits.ts'
import { LateView } from './late-view.ts'
import { isLoopback, lingerMs, listen } from './listen.ts'
import { metricsText } from './metrics.ts'
import { openStore, storeStep } from './open-store.ts'
import type { Stage } from './stage.ts'
import { isHosted, type System, type SystemDeps, tellsReading } from './system.ts'
import { openSnapshots } from './view-snapshots.ts'
import { viewTopicsOf } from './view-topics.ts'

export type RestParts = {
  readonly deps: SystemDeps
  readonly system: System
  readonly operator?: Operator | undefined
  readonly roles: readonly string[]
  /** What ids are made of Idempotency-Keys with; null for none. */
  readonly idSecret: Buffer | null
}

/**
 * Opens the REST interface, which takes what comes from then on, and the read model behind it; gives the address when
 * that has caught up.
 */
export const openRest = async (stage: Stage, parts: RestParts): Promise<string> => {
  const { deps } = parts
  const model: ReadModel = { view: new LateView(), store: undefined }
  await stage.opening.take(
    'opening the read model',
    async () => model.view,
    (view) => view.close()
  )
  const sendCommand = commandSender(deps.log, deps.codec, stage.clock)
  const served = await stage.application.serve?.(servingParts(stage, parts, { model, sendCommand }))
  const url = await openHttp(stage, parts, { model, served, sendCommand })
  stage.onListening()
  const caughtUp = openReadModel(stage, deps, model, served)
  await Promise.all([caughtUp, served?.onListening?.(caughtUp)])
  return url
}

type SendCommand = ReturnType<typeof commandSender>

/** The store is there once it is open. */
type ReadModel = { readonly view: LateView; store: ViewStore | undefined }

/** What an application has of this process to be served. */
const servingParts = (
  { clock, opening, diagnostics }: Stage,
  { deps: { log, codec, learn }, system, roles }: RestParts,
  { model, sendCommand }: Pick<Serving, 'model' | 'sendCommand'>
): ServingParts => {
  const { view } = model
  return {
    ...{ log, codec, clock, view, sendCommand, sagas: system.definitions, roles, opening, diagnostics },
    ...(learn && { learn }),
    isViewFollowing: () => view.state() === 'following' && !view.isStalled() && viewHealth(model.store).length === 0
  }
}

type Serving = {
  readonly model: ReadModel
  readonly served: Served | undefined
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
  const { log, codec, unheard } = parts.deps
  const { model, served, sendCommand } = serving
  const contracts = (): Contracts => system.definitions.contracts
  const isReadTold = (participant: string): boolean => {
    const named = contracts().participant(participant)
    return 'found' in named && tellsReading(application, named.found)
  }
  return {
    ...{ view: model.view, sendCommand, clock },
    ...served?.http,
    definitions: definitionsPort(system.definitions),
    participants: {
      find: (name) => contracts().participant(name),
      isHttp: ({ http, participant }) => http !== undefined && !isHosted(application, participant),
      postsTopic
    },
    ...{ isStopping: stage.isStopping, lingerMs: lingerMs(config) },
    // Of what is shared by all who hold bytes, as much for bodies, and again for answers that nobody takes.
    limits: { bodyBytesInWorkMax: memory.budget.bytesMax / 4, unreadBytesMax: memory.budget.bytesMax / 2 },
    isLocal: isLoopback(config.host),
    idSecret: parts.idSecret,
    inboxWaits: inboxWaits({ log, codec, contracts, tellsReading: isReadTold }, clock),
    health: () => healthOf(diagnostics, { log, operator }),
    viewHealth: () => viewHealth(model.store, model.view.isOpen ? undefined : opening.doing),
    metrics: async () =>
      metricsText({ memory, log, system, operator, ...(unheard && { unheard }) }) + (await diskMetricsText(log)),
    logLevel: requestLevel(config)
  }
}

/** What a server has to say of single requests at 'info' is of no use to whoever reads the lines of the process. */
export const requestLevel = ({ logLevel }: Config): LogLevel => (logLevel === 'info' ? 'warn' : logLevel)

/** Resolves when it has caught up. */
const openReadModel = async (
  stage: Stage,
  deps: SystemDeps,
  model: ReadModel,
  served: Served | undefined
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
  /** Whoever emptied it, or brought back what it was: it is folded from where it stands, and requests are taken on. */
  const reopen = async (error: unknown): Promise<void> => {
    stage.diagnostics.error(error, 'the store of the read model is opened anew')
    try {
      await served?.onViewLost?.()
      await model.view.reopen(async () => open((model.store = await openStore(stage, deps.log, snapshots))))
    } catch (cause) {
      stage.diagnostics.fail(cause, 'the read model')
    }
  }
  const view = await opening.step('opening the read model', () => model.view.open(() => open(store)))
  isHandedOver = true
  await opening.step('folding the journals into the read model', () => view.caughtUp)
}

const viewDeps = ({ application, diagnostics, clock }: Stage, { log, codec, learn }: SystemDeps) => ({
  ...{ log, codec, topics: viewTopicsOf(application), clock },
  logger: diagnostics.logger,
  ...(learn && { learn })
})
