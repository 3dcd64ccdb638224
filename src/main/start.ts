import { hostname } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../base/index.ts'
import { type Codec, learnSchemas, registerContracts } from '../contract/index.ts'
import { createHttp } from '../http/index.ts'
import { openEmbeddedLog } from '../log/embedded/index.ts'
import type { Log } from '../log/index.ts'
import { type Definitions, openPublisher } from '../orchestrator/index.ts'
import { openEmbeddedRegistry } from '../registry/embedded/index.ts'
import { openView, type View } from '../view/index.ts'
import { openSqliteViewStore } from '../view/sqlite/index.ts'
import { commandSender } from './commands.ts'
import type { Config } from './config.ts'
import { readContractFiles } from './contract-files.ts'
import { definitionsPort } from './definitions-port.ts'
import { Diagnostics } from './diagnostics.ts'
import { listen } from './listen.ts'
import { metricsText } from './metrics.ts'
import { followSagaFiles } from './saga-files.ts'
import { fillCatalogue } from './shop.ts'
import { ownRecords, startSystem, type SystemDeps, viewTopics } from './system.ts'

export type Running = {
  readonly url: string
  /** Resolves with the error when something has failed for good, and the process should stop. */
  readonly failed: Promise<unknown>
  stop(): Promise<void>
}

const clock = systemClock

/**
 * Runs everything in this process on the embedded log. Resolves when orders are taken.
 * What was opened is closed in the opposite order, at the stop as well as when the start fails half-way.
 */
export const start = async (config: Config): Promise<Running> => {
  const opened = new AsyncDisposableStack()
  try {
    const { url, failed } = await open(config, opened)
    return { url, failed, stop: () => opened.disposeAsync() }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

const open = async (config: Config, opened: AsyncDisposableStack): Promise<Omit<Running, 'stop'>> => {
  const diagnostics = new Diagnostics(config.logLevel)
  const contracts = await readContractFiles(config.sagasFolder)
  const log = opened.adopt(await openEmbeddedLog({ dir: join(config.dataFolder, 'log') }), (it) => it.close())
  const registry = opened.adopt(await openEmbeddedRegistry(join(config.dataFolder, 'registry')), (it) => it.close())
  const codec = await registerContracts(registry, contracts.all, ownRecords)
  const learn: SystemDeps['learn'] = (values) => learnSchemas(codec, registry, values)
  const deps: SystemDeps = {
    ...{ log, codec, contracts, clock, learn, owner: `${hostname()}/${process.pid}` },
    flow: config.flow,
    partitions: config.partitions,
    onFailure: diagnostics.fail,
    onPoison: diagnostics.poison,
    onDefinitionError: diagnostics.error
  }
  const system = opened.adopt(await startSystem(deps), (it) => it.stop())
  if (config.flow === 'orchestration') await followSagas(config, system, deps, { diagnostics, opened })
  const view = opened.adopt(await openShopView(config, { log, codec, learn, diagnostics }), (it) => it.close())
  await view.caughtUp
  const sendCommand = commandSender(log, codec, clock)
  await fillCatalogue(view, sendCommand)
  const http = createHttp({
    ...{ view, sendCommand, clock, flow: config.flow },
    definitions: definitionsPort(system.definitions),
    health: () => [...diagnostics.health(), logHealth(log)],
    metrics: () => metricsText(log, system),
    // What it has to say of single requests at 'info' is of no use to whoever reads these lines.
    logLevel: config.logLevel === 'info' ? 'warn' : config.logLevel
  })
  opened.defer(() => http.close())
  const url = await listen(http, config.host, config.port)
  return { url, failed: diagnostics.failed }
}

const openShopView = async (
  config: Config,
  parts: { log: Log; codec: Codec; learn: SystemDeps['learn']; diagnostics: Diagnostics }
): Promise<View> => {
  const file = config.viewDatabase === '' ? join(config.dataFolder, 'view.sqlite') : config.viewDatabase
  const { log, codec, learn, diagnostics } = parts
  const store = await openSqliteViewStore(file)
  const { flow } = config
  return openView({
    log,
    codec,
    store,
    topics: viewTopics,
    flow,
    clock,
    logger: diagnostics.logger,
    ...(learn && { learn })
  })
}

const followSagas = async (
  config: Config,
  { definitions }: { definitions: Definitions },
  { log, codec, contracts }: SystemDeps,
  { diagnostics, opened }: { diagnostics: Diagnostics; opened: AsyncDisposableStack }
): Promise<void> => {
  const publisher = await openPublisher(log, codec, clock)
  const files = await followSagaFiles({
    ...{ dir: config.sagasFolder, contracts, definitions, publisher, clock },
    onPublished: diagnostics.published,
    onRefused: diagnostics.refused
  })
  opened.adopt(files, (it) => it.close())
}

const logHealth = (log: Log): { name: string; ok: boolean; detail: string } => {
  const health = log.health()
  return health.ok
    ? { name: 'log', ok: true, detail: '' }
    : { name: 'log', ok: false, detail: `${health.code}: ${health.message}` }
}
