import { createHttp, type LogLevel } from '../http/index.ts'
import type { Operator } from '../operator/index.ts'
import { openView, type View, type ViewStore } from '../view/index.ts'
import { commandSender } from './commands.ts'
import type { Config } from './config.ts'
import { definitionsPort } from './definitions-port.ts'
import { diskMetricsText } from './disk-metrics.ts'
import { healthOf, operatorHealth, storeHealth } from './health.ts'
import { listen } from './listen.ts'
import { metricsText } from './metrics.ts'
import { openStore, storeStep } from './open-store.ts'
import type { Role } from './roles.ts'
import { fillCatalogue, fillCatalogueBehind } from './shop.ts'
import type { Stage } from './stage.ts'
import { type System, type SystemDeps, viewTopics } from './system.ts'

export type RestParts = {
  readonly deps: SystemDeps
  readonly system: System
  readonly operator?: Operator | undefined
  readonly roles: readonly Role[]
}

/** Opens the read model and, when it has caught up, the REST interface; gives its address. */
export const openRest = async (stage: Stage, { deps, system, operator, roles }: RestParts): Promise<string> => {
  const { config, opening, diagnostics, clock } = stage
  const { log, codec } = deps
  const { view, store } = await openReadModel(stage, deps)
  await opening.step('folding the journals into the read model', () => view.caughtUp)
  const sendCommand = commandSender(log, codec, clock)
  await fillShelves(stage, view, { sendCommand, isInventoryHere: roles.includes('inventory') })
  const needsOperator = config.flow === 'orchestration' && !roles.includes('operator')
  const http = await opening.take(
    'opening the REST interface',
    async () =>
      createHttp({
        ...{ view, sendCommand, clock, flow: config.flow },
        definitions: definitionsPort(system.definitions),
        health: () => [
          ...healthOf(diagnostics, { log, operator }),
          ...storeHealth(store),
          ...(needsOperator ? [operatorHealth(system.definitions)] : [])
        ],
        metrics: async () => metricsText({ log, system, operator }) + (await diskMetricsText(log)),
        logLevel: requestLevel(config)
      }),
    (it) => it.close()
  )
  return opening.step('opening the REST interface', () => listen(http, config.host, config.port))
}

/** What a server has to say of single requests at 'info' is of no use to whoever reads the lines of the process. */
export const requestLevel = ({ logLevel }: Config): LogLevel => (logLevel === 'info' ? 'warn' : logLevel)

const openReadModel = async (
  stage: Stage,
  { log, codec, learn }: SystemDeps
): Promise<{ readonly view: View; readonly store: ViewStore }> => {
  const { opening, diagnostics, clock } = stage
  const { flow } = stage.config
  let isHandedOver = false
  const store = await opening.take(
    storeStep(stage.config),
    () => openStore(stage),
    async (it) => (isHandedOver ? undefined : it.close())
  )
  const view = await opening.take(
    'opening the read model',
    () => {
      const { logger } = diagnostics
      const onFailed = (error: unknown): void => diagnostics.fail(error, 'the read model')
      const deps = { log, codec, store, topics: viewTopics, flow, clock, logger, onFailed }
      return openView({ ...deps, ...(learn && { learn }) })
    },
    (it) => it.close()
  )
  isHandedOver = true
  return { view, store }
}

type Filling = { readonly sendCommand: ReturnType<typeof commandSender>; readonly isInventoryHere: boolean }

/** The first order should find something to buy; but nobody waits for an inventory that another process has. */
const fillShelves = async (
  { opening, diagnostics, clock }: Stage,
  view: View,
  { sendCommand, isInventoryHere }: Filling
): Promise<void> => {
  if (isInventoryHere) return void (await opening.step('filling the shelves', () => fillCatalogue(view, sendCommand)))
  const giveUp = fillCatalogueBehind({
    ...{ view, sendCommand, clock },
    onWaiting: (skus) =>
      diagnostics.report('info', { skus }, 'the shelves are filled as soon as a process with the role inventory works'),
    onError: (error) => diagnostics.error(error, 'the shelves could not be filled; it is tried again')
  })
  opening.defer(giveUp)
}
