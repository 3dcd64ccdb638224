import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../log/index.ts'
import type { ViewSnapshots, ViewStore } from '../view/index.ts'
import { openPostgresViewStore } from '../view/postgres/index.ts'
import { openSqliteViewStore } from '../view/sqlite/index.ts'
import type { Config } from '../config/index.ts'
import type { Stage } from './stage.ts'
import { restoreStore } from './view-snapshots.ts'
import { viewLayoutOf } from './view-topics.ts'

/** What `openStore` does, as it stands after "it is". */
export const storeStep = ({ viewDatabase }: Config): string => {
  if (viewDatabase === null || 'sqlite' in viewDatabase) return 'opening the read model'
  const { host, port, database } = viewDatabase.postgres
  return `looking for the read model's database '${database}' at ${host}:${port}`
}

/** The store of the read model that the configuration names. A database is waited for until it answers. */
export const openStore = async (stage: Stage, log: Log, snapshots: ViewSnapshots | undefined): Promise<ViewStore> => {
  const { config, application, clock, signal, diagnostics } = stage
  const { viewDatabase, dataFolder } = config
  const layout = viewLayoutOf(application)
  if (viewDatabase === null || 'sqlite' in viewDatabase) {
    const path = viewDatabase === null ? await viewFile(dataFolder) : viewDatabase.sqlite
    if (snapshots !== undefined) await restoreStore(stage, log, { snapshots, path })
    return openSqliteViewStore(path, layout)
  }
  const onWaiting = (error: unknown): void => diagnostics.waiting(error, 'the database of the read model')
  return openPostgresViewStore({ address: viewDatabase.postgres, layout, clock, signal, onWaiting })
}

/** Where there is no embedded log, nobody else makes the data folder; what is wrong with it the store tells. */
const viewFile = async (dataFolder: string): Promise<string> => {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 }).catch(() => undefined)
  return join(dataFolder, 'view.sqlite')
}
