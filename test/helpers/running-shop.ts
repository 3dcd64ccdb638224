import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { systemClock } from '../../src/base/index.ts'
import { type Codec, registerContracts } from '../../src/contract/index.ts'
import { createHttp, type HttpDeps } from '../../src/http/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import { commandSender } from '../../src/main/commands.ts'
import { readContractFiles } from '../../src/main/contract-files.ts'
import { fillCatalogue } from '../../src/shop/shelves.ts'
import { ownRecords, shelvesOf, shopLayout, theShop, viewTopics } from './shop-parts.ts'
import { aboutShop, shop, shopRoutes } from '../../src/shop/index.ts'
import type { Flow } from '../../src/shop/index.ts'
import { startSystem, type System } from '../../src/main/system.ts'
import { openPublisher } from '../../src/orchestrator/index.ts'
import { openEmbeddedRegistry } from '../../src/registry/embedded/index.ts'
import { loadSaga } from '../../src/saga/index.ts'
import type { TaskLimits } from '../../src/task/index.ts'
import { openView, type View } from '../../src/view/index.ts'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'

/** The whole shop on the embedded log, without a port and without the watch of a folder. */
/** What the ids of its keyed orders are made with. */
export const testIdSecret = 'the secret of the tests'

export type RunningShop = {
  readonly http: FastifyInstance
  readonly view: View
  readonly log: Log
  readonly codec: Codec
  readonly system: System
  readonly dir: string
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

export const startShop = async (
  flow: Flow,
  overrides: Partial<HttpDeps> = {},
  taskLimits: Partial<TaskLimits> = {},
  /** A data folder that is there already, or is to stay. */
  folder?: string
): Promise<RunningShop> => {
  const dir = folder ?? (await mkdtemp(join(tmpdir(), 'parcomolo-shop-')))
  const contracts = await readContractFiles('sagas', theShop)
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  const registry = await openEmbeddedRegistry(join(dir, 'registry'))
  const codec = await registerContracts(registry, contracts.all, ownRecords)
  const fail = (error: unknown): never => {
    throw error
  }
  const system = await startSystem({
    log,
    codec,
    contracts,
    clock: systemClock,
    application: shop(flow),
    partitions: 1,
    taskLimits,
    owner: 'test',
    onFailure: fail,
    onPoison: (_, error) => fail(error),
    onDefinitionError: fail
  })
  const store = await openSqliteViewStore(join(dir, 'view.sqlite'), shopLayout)
  const view = await openView({ log, codec, store, topics: Object.values(viewTopics), clock: systemClock })
  await view.caughtUp
  const sendCommand = commandSender(log, codec, systemClock)
  await fillCatalogue(shelvesOf(view), sendCommand)
  const revision = flow === 'orchestration' ? await publishOrderSaga(log, codec, contracts) : ''
  const http = createHttp({
    view,
    sendCommand,
    clock: systemClock,
    about: aboutShop(flow),
    routes: shopRoutes({ flow: 'orchestration' }),
    definitions: definitionsOf(revision),
    idSecret: Buffer.from(testIdSecret),
    logLevel: 'silent',
    ...overrides
  })
  await http.ready()
  const stop = async (): Promise<void> => {
    await http.close()
    await view.close()
    await system.stop()
    await registry.close()
    await log.close()
    if (folder === undefined) await rm(dir, { recursive: true, force: true })
  }
  return { http, view, log, codec, system, dir, stop }
}

const publishOrderSaga = async (log: Log, codec: Codec, contracts: Parameters<typeof loadSaga>[1]): Promise<string> => {
  const path = 'sagas/order.yaml'
  const yaml = await readFile(path, 'utf8')
  const { name, revision } = loadSaga({ path, text: yaml }, contracts)
  const publisher = await openPublisher(log, codec, systemClock)
  await publisher.publish({ saga: name, revision, source: path, yaml, retired: false })
  return revision
}

/** One saga with one revision; its graphs are these. */
const definitionsOf = (revision: string): HttpDeps['definitions'] => {
  const order = {
    saga: 'order',
    revisions: [
      {
        revision,
        current: true,
        retired: false,
        publishedAt: 0,
        source: 'sagas/order.yaml',
        yaml: 'kind: Saga',
        keys: null
      }
    ]
  }
  const graphs = { json: { nodes: [] }, svg: '<svg/>', mermaid: 'flowchart TD' }
  return {
    list: () => [order],
    get: (saga) => (saga === 'order' ? order : undefined),
    graph: (saga, wanted, format) =>
      saga === 'order' && (wanted === undefined || wanted === revision) ? graphs[format] : undefined
  }
}
