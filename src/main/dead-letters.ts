import { isParcomoloError, systemClock } from '../base/index.ts'
import { applicationOf, type Config } from '../config/index.ts'
import { type DeadLetters, Desk } from '../dead-letters/index.ts'
import type { Registry } from '../registry/index.ts'
import { boundedLog } from './bounded-log.ts'
import { readContractFiles } from './contract-files.ts'
import { openLog, openRegistry } from './open-log.ts'
import { isHosted, systemTopics } from './system.ts'

/** The dead letters of a log that is open until `close`. */
export type OpenDeadLetters = DeadLetters & {
  /** What people have to know of what they see, as a sentence. */
  readonly warning: string | undefined
  close(): Promise<void>
}

/**
 * Opens the log as the configuration says, and takes no part in its work. Nothing here waits for ever: neither for a
 * log (bounded-log.ts) nor for a registry, of which each request has its end.
 */
export const openDeadLetters = async (config: Config): Promise<OpenDeadLetters> => {
  const opened = new AsyncDisposableStack()
  const application = applicationOf(config)
  try {
    const contracts = await readContractFiles(config.sagasFolder, application, () => undefined)
    const log = opened.adopt(await openLog(config), (it) => it.close())
    const registry = opened.adopt(await registryIfThere(config), async (it) => it?.close())
    const bounded = boundedLog(log, systemClock)
    await bounded.ensureTopics(systemTopics(contracts, { application, partitions: config.partitions }))
    const desk = new Desk({
      log: bounded,
      registry,
      isHosted: (participant) => isHosted(application, participant),
      contracts,
      clock: systemClock
    })
    return {
      warning: registry === undefined ? 'The schema registry does not answer, so values are shown as bytes' : undefined,
      list: () => desk.list(),
      show: (offset) => desk.show(offset),
      resend: (wanted) => desk.resend(wanted),
      close: () => opened.disposeAsync()
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** Only to show what values are: a registry that does not answer soon is done without. */
const registryIfThere = async (config: Config): Promise<Registry | undefined> => {
  const signal = AbortSignal.timeout(registryMsMax)
  try {
    return await openRegistry(config, { signal })
  } catch (error) {
    if (signal.aborted || isParcomoloError(error, 'PARCOMOLO_REGISTRY_UNAVAILABLE')) return undefined
    throw error
  }
}

const registryMsMax = 5_000
