import type { Application } from '../application/index.ts'
import type { Clock } from '../base/index.ts'
import type { Log } from '../log/index.ts'
import type { Operator } from '../operator/index.ts'
import type { Unheard } from '../orchestrator/index.ts'
import type { Config } from '../config/index.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { ProcessMemory } from './memory-limit.ts'
import type { openLog, openRegistry } from './open-log.ts'
import type { Opening } from './opening.ts'
import type { System } from './system.ts'

export type Storage = { readonly openLog: typeof openLog; readonly openRegistry: typeof openRegistry }

/** What every part of a start needs. */
export type Stage = {
  readonly config: Config
  readonly application: Application
  readonly opening: Opening
  readonly diagnostics: Diagnostics
  readonly storage: Storage
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly memory: ProcessMemory
  /** It is not ready any more, since it is to stop, and still works. */
  readonly isStopping: () => boolean
  /** Requests are taken from now on, though the start goes on. */
  readonly onListening: () => void
}

/** What there is to tell about, as far as it is there yet. */
export type Parts = {
  memory?: ProcessMemory
  log?: Log
  system?: System
  operator?: Operator | undefined
  unheard?: Unheard
}
