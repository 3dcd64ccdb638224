import { join } from 'node:path'
import { readContract, readTextFile } from '../../contract/index.ts'
import type { SagaText } from '../../orchestrator/index.ts'
import { namedTwice } from '../../saga/index.ts'
import type { ParticipantText } from '../ports.ts'
import { yamlFiles } from './yaml-files.ts'

export const participantsIn = (dir: string): string => join(dir, 'participants')

/** What stands in a folder at a time. */
export type FolderFiles = {
  readonly participants: readonly ParticipantText[]
  /** Also of those that are in two files. */
  readonly participantNames: ReadonlySet<string>
  /** There are files of which nobody knows what participant they hold. */
  readonly hasUnreadParticipants: boolean
  readonly sagas: readonly SagaText[]
  readonly unreadSagas: readonly string[]
  /** Why a file cannot be used, whatever else there is; by path. */
  readonly faults: ReadonlyMap<string, unknown>
}

/** Where files are: of a folder those that are YAML, in the order of their names. */
export type FolderSource = {
  readonly paths: (dir: string) => Promise<readonly string[]>
  readonly text: (path: string) => Promise<string>
}

const onDisk: FolderSource = { paths: yamlFiles, text: readTextFile }

export const readFolder = async (dir: string, from = onDisk): Promise<FolderFiles> => {
  const faults = new Map<string, unknown>()
  const found: ParticipantText[] = []
  for (const { source, yaml } of await textsIn(participantsIn(dir), from, faults)) {
    try {
      found.push({ name: readContract({ path: source, text: yaml }).participant, source, yaml })
    } catch (error) {
      faults.set(source, error)
    }
  }
  const hasUnreadParticipants = faults.size > 0
  const twice = namedTwice(
    'participant',
    found.map(({ name, source }) => ({ name, path: source }))
  )
  for (const [path, error] of twice) faults.set(path, error)
  const before = faults.size
  const sagas = await textsIn(dir, from, faults)
  return {
    participants: found.filter(({ source }) => !twice.has(source)),
    participantNames: new Set(found.map(({ name }) => name)),
    ...{ hasUnreadParticipants, sagas, unreadSagas: [...faults.keys()].slice(before), faults }
  }
}

const textsIn = async (dir: string, from: FolderSource, faults: Map<string, unknown>): Promise<SagaText[]> => {
  const texts: SagaText[] = []
  for (const source of await from.paths(dir)) {
    try {
      texts.push({ source, yaml: await from.text(source) })
    } catch (error) {
      faults.set(source, error)
    }
  }
  return texts
}
