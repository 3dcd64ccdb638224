import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock } from '../base/index.ts'
import { readContract } from '../contract/index.ts'
import type { Definitions, Publisher } from '../orchestrator/index.ts'
import { loadSaga } from '../saga/index.ts'
import { yamlFiles } from './contract-files.ts'
import type { Participants } from './participants.ts'

export type SagaFilesDeps = {
  readonly dir: string
  readonly participants: Participants
  readonly definitions: Definitions
  readonly publisher: Publisher
  readonly clock: Clock
  /** A revision was published, or a saga retired. */
  readonly onPublished: (saga: string, revision: string, what: 'published' | 'retired') => void
  /** A file is not a valid saga; what was published before stays. */
  readonly onRefused: (path: string, error: unknown) => void
}

/** Editors write a file in several steps; this long after the last one it is read. */
const settleMs = 50

/**
 * Publishes the participants and sagas of a folder, and again whatever changes there. Equal meaning publishes nothing.
 * A saga whose file is gone is retired; a participant stays, as nobody knows who else's sagas use it.
 * Resolves when the folder has been read once; `close` ends the watch.
 */
export const followSagaFiles = async (deps: SagaFilesDeps): Promise<{ close(): Promise<void> }> => {
  let reading = publishAll(deps)
  await reading
  let cancel: (() => void) | undefined
  const onChange = (): void => {
    cancel?.()
    cancel = deps.clock.at(deps.clock.now() + settleMs, () => {
      reading = reading.then(() => publishAll(deps))
    })
  }
  const watchers = [deps.dir, participantsIn(deps.dir)].map((dir) => watch(dir, onChange))
  return {
    close: async () => {
      for (const watcher of watchers) watcher.close()
      cancel?.()
      await reading
    }
  }
}

/** One pass over the folder. A file that cannot be read or is refused keeps its saga as it is. */
const publishAll = async (deps: SagaFilesDeps): Promise<void> => {
  try {
    for (const path of await yamlFiles(participantsIn(deps.dir))) await acceptFile(path, deps)
    const found = new Set<string>()
    let refused = false
    for (const path of await yamlFiles(deps.dir)) {
      const saga = await publishFile(path, deps)
      if (saga === undefined) refused = true
      else found.add(saga)
    }
    // A refused file may be the one that a saga stood in, so nothing is retired while there is one.
    if (!refused) await retireMissing(found, deps)
  } catch (error) {
    deps.onRefused(deps.dir, error)
  }
}

const participantsIn = (dir: string): string => join(dir, 'participants')

const acceptFile = async (path: string, { participants, onRefused }: SagaFilesDeps): Promise<void> => {
  try {
    const yaml = await readFile(path, 'utf8')
    const { participant: name } = readContract({ path, text: yaml })
    await participants.accept({ name, source: path, yaml })
  } catch (error) {
    onRefused(path, error)
  }
}

/** The saga's name, or undefined where the file is refused. */
const publishFile = async (path: string, deps: SagaFilesDeps): Promise<string | undefined> => {
  try {
    const text = await readFile(path, 'utf8')
    const { name, revision } = loadSaga({ path, text }, deps.definitions.contracts)
    if (deps.definitions.current(name)?.revision !== revision) {
      await deps.publisher.publish({ saga: name, revision, source: path, yaml: text, retired: false })
      deps.onPublished(name, revision, 'published')
    }
    return name
  } catch (error) {
    deps.onRefused(path, error)
    return undefined
  }
}

const retireMissing = async (found: ReadonlySet<string>, deps: SagaFilesDeps): Promise<void> => {
  for (const { name, revision } of deps.definitions.startable()) {
    if (found.has(name)) continue
    const { source, yaml } = deps.definitions.revision(name, revision)!
    await deps.publisher.publish({ saga: name, revision, source, yaml, retired: true })
    deps.onPublished(name, revision, 'retired')
  }
}
