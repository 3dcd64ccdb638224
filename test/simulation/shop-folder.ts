import { dirname } from 'node:path'
import type { Codec } from '../../src/contract/index.ts'
import type { Log } from '../../src/log/index.ts'
import type { FolderSource } from '../../src/operator/files/folder-files.ts'
import { participantsOf } from '../../src/main/participants.ts'
import { SagaFolder } from '../../src/operator/files/saga-folder.ts'
import { ensureTopicsOf } from '../../src/main/system.ts'
import { type Definitions, openPublisher } from '../../src/orchestrator/index.ts'
import type { Registry } from '../../src/registry/index.ts'
import { theShop } from '../helpers/shop-parts.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'

/** What stands in the folder of sagas, by path; all nodes have it alike. */
export type Folder = Map<string, string>

/** `read`: what was read last. */
const sourceOf = (folder: Folder, read: Map<string, string>): FolderSource => ({
  paths: async (dir) => [...folder.keys()].filter((path) => dirname(path) === dir).sort(),
  text: async (path) => {
    read.set(path, folder.get(path)!)
    return folder.get(path)!
  }
})

export type Refused = { readonly path: string; readonly text: string; readonly error: unknown }

export type FollowDeps = {
  readonly folder: Folder
  readonly process: SimulatedProcess
  readonly log: Log
  readonly codec: Codec
  readonly registry: Registry
  readonly definitions: Definitions
  readonly partitions: number
  readonly onRefused: (refused: Refused) => void
}

/** Somebody has saved something: resolves when what stands in the folder then has been read. */
export type Followed = { saved(): Promise<void> }

/** As `parcomolo start` follows its folder, but that it is told when something has changed. */
export const followFolder = async (deps: FollowDeps): Promise<Followed> => {
  const { folder, process, log, codec, registry, definitions, partitions } = deps
  const { clock } = process
  const publisher = await openPublisher(log, codec, clock, definitions)
  const read = new Map<string, string>()
  const sagaFolder = new SagaFolder({
    ...{ dir: 'sagas', from: sourceOf(folder, read), definitions, publisher, clock },
    participants: participantsOf({
      ...{ application: theShop, registry, codec, definitions, publisher },
      ensureTopics: (contract) => ensureTopicsOf(contract, { log, application: theShop, partitions })
    }),
    onPublished: () => undefined,
    onRefused: (path, error) => deps.onRefused({ path, text: read.get(path) ?? '', error })
  })
  let last: Promise<void> = Promise.resolve()
  let cancelAgain = (): void => undefined
  const look = (hasChanged: boolean): Promise<void> => (last = last.then(() => pass(hasChanged)))
  const pass = async (hasChanged: boolean): Promise<void> => {
    const againMs = await sagaFolder.publish(hasChanged)
    cancelAgain()
    if (againMs !== undefined) cancelAgain = process.after(againMs, () => void look(false))
  }
  return { saved: () => look(true) }
}
