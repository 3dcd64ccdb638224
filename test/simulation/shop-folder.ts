import { dirname } from 'node:path'
import { type Codec, type Contracts, contractSet, readContract } from '../../src/contract/index.ts'
import type { Log } from '../../src/log/index.ts'
import { participantsOf } from '../../src/main/participants.ts'
import { type FolderFiles, SagaFolder } from '../../src/main/saga-files.ts'
import { openPublisher, type Definitions } from '../../src/orchestrator/index.ts'
import type { Registry } from '../../src/registry/index.ts'
import type { SimulatedProcess } from '../helpers/simulated-process.ts'

/** What stands in the folder of sagas, by path; all nodes have it alike. */
export type Folder = Map<string, string>

/** `read`: what was read last. */
const filesOf = (folder: Folder, read: Map<string, string>): FolderFiles => ({
  paths: async (dir) => [...folder.keys()].filter((path) => dirname(path) === dir).sort(),
  text: async (path) => {
    read.set(path, folder.get(path)!)
    return folder.get(path)!
  }
})

/** The shop's contracts, and those of the folder that can be read and stand beside them. */
export const contractsIn = (folder: Folder, shop: Contracts): Contracts => {
  let contracts = shop
  for (const [path, text] of folder) {
    if (dirname(path) !== participantsFolder) continue
    try {
      contracts = contractSet([...contracts.all, readContract({ path, text })])
    } catch {
      // It is told by whoever follows the folder.
    }
  }
  return contracts
}

const sagasFolder = 'sagas'
const participantsFolder = `${sagasFolder}/participants`

export type Refused = { readonly path: string; readonly text: string; readonly error: unknown }

export type FollowDeps = {
  readonly folder: Folder
  readonly process: SimulatedProcess
  readonly log: Log
  readonly codec: Codec
  readonly registry: Registry
  readonly definitions: Definitions
  readonly onRefused: (refused: Refused) => void
}

/** Somebody has saved something: resolves when what stands in the folder then has been read. */
export type Followed = { saved(): Promise<void> }

/** As `parcomolo start` follows its folder, but that it is told when something has changed. */
export const followFolder = async (deps: FollowDeps): Promise<Followed> => {
  const { folder, process, log, codec, registry, definitions } = deps
  const { clock } = process
  const publisher = await openPublisher(log, codec, clock, definitions)
  const read = new Map<string, string>()
  const sagaFolder = new SagaFolder({
    ...{ dir: sagasFolder, files: filesOf(folder, read), definitions, publisher, clock },
    participants: participantsOf({ registry, codec, definitions, publisher }),
    onPublished: () => undefined,
    onRefused: (path, error) => deps.onRefused({ path, text: read.get(path) ?? '', error })
  })
  let last: Promise<void> = Promise.resolve()
  const saved = (): Promise<void> => (last = last.then(pass))
  const pass = async (): Promise<void> => {
    const againMs = await sagaFolder.publish()
    if (againMs !== undefined) process.after(againMs, () => void saved())
  }
  return { saved }
}
