import { type Clock, inTime, ParcomoloError } from '../../base/index.ts'
import { isYamlName } from '../../contract/index.ts'
import { FolderWatch } from './folder-watch.ts'
import { participantsIn } from './folder-files.ts'
import { SagaFolder, type SagaFolderDeps } from './saga-folder.ts'

export type SagaFilesDeps = SagaFolderDeps & {
  readonly clock: Clock
  /** Changes in a folder are no longer told by the system, and seen a little later. */
  readonly onUntold?: (folder: string, error: unknown) => void
}

/** What is under way when it is closed is not waited for any longer: a disk may never answer. */
const closeMsMax = 2_000

/**
 * Publishes the participants and sagas of a folder, and again whatever changes there. Resolves when the folder has been
 * read once; `close` ends the watch.
 */
export const followSagaFiles = async (deps: SagaFilesDeps): Promise<{ close(): Promise<void> }> => {
  const { dir, clock } = deps
  const folder = new SagaFolder(deps)
  const watch = new FolderWatch({
    ...{ folders: [dir, participantsIn(dir)], isOurs: isYamlName, clock },
    onChange: (hasChanged) => folder.publish(hasChanged),
    onUntold: (path, error) => deps.onUntold?.(path, error)
  })
  await watch.start()
  const late = new ParcomoloError('PARCOMOLO_FILE_UNREADABLE', `'${dir}' is still being read; expected it to be done`)
  return { close: () => inTime(clock, closeMsMax, watch.close(), () => late).catch(() => undefined) }
}
