import type { Log } from '../log/index.ts'
import { foreignTo, LogSnapshots, placesOf, snapshotsTopic, type ViewSnapshots } from '../view/index.ts'
import { isUsable, restoreFile } from '../view/sqlite/index.ts'
import type { Stage } from './stage.ts'
import { viewLayoutOf, viewTopicsOf } from './view-topics.ts'

/**
 * Where copies of the read model's store are kept: in Kafka. Undefined where there are none: the embedded log has its
 * store beside it, so who has lost the one has lost the other; and a database outlives its processes. Nor are there any
 * where the topic may not be made, as nothing depends on them but the time that a new process takes.
 */
export const openSnapshots = async (
  { config, application, diagnostics }: Stage,
  log: Log
): Promise<ViewSnapshots | undefined> => {
  const { kafkaBrokers, viewDatabase } = config
  if (kafkaBrokers === null || (viewDatabase !== null && 'postgres' in viewDatabase)) return undefined
  try {
    await log.ensureTopics([snapshotsTopic])
    return new LogSnapshots(log, viewLayoutOf(application).version)
  } catch (error) {
    diagnostics.error(
      error,
      'the read model is not copied into the log, so a new one folds the journals from the start'
    )
    return undefined
  }
}

/** Makes the file from the newest copy, where it is missing or of no use; without one it stays as it is. */
export const restoreStore = async (
  { application, diagnostics, signal }: Stage,
  log: Log,
  { snapshots, path }: { readonly snapshots: ViewSnapshots; readonly path: string }
): Promise<void> => {
  if (isUsable(path, viewLayoutOf(application))) return
  try {
    const snapshot = await snapshots.newest()
    if (snapshot === undefined) return
    const { bytes, positions } = snapshot
    const reason =
      (await foreignTo(log, placesOf(viewTopicsOf(application), log), positions)) ??
      (await restoreFile(path, snapshots, snapshot))
    if (reason === undefined) diagnostics.report('info', { bytes }, 'the read model begins with a copy from the log')
    else diagnostics.report('warn', { reason }, `the copy of the read model in the log is of no use: ${reason}`)
  } catch (error) {
    if (!signal.aborted)
      diagnostics.error(error, 'the copy of the read model in the log cannot be read; it is folded anew')
  }
}
