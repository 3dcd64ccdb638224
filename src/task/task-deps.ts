import type { Budget, Clock } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import type { Log } from '../log/index.ts'
import type { UnansweredLimits } from './unanswered.ts'
import type { Turns } from './turns.ts'

/** Of a contract; `key`: the field that names the entity, which its commands stand under. */
export type OwnRecord = { readonly fullName: string; readonly key?: string }

export type TaskDeps = {
  readonly log: Log
  readonly codec: Codec
  readonly clock: Clock
  /** The full record name of an event of the component's own, by its short name. */
  readonly fullNameOf: (type: string) => string
  /**
   * The records of the contract that a topic is under, by their short names: what bears such a name and neither is that
   * record nor resolves into it, is of somebody else. Undefined for a topic of no contract.
   */
  readonly recordsOf?: (topic: string) => ReadonlyMap<string, OwnRecord> | undefined
  /** Named in markers, so that a reader of the journal sees who took over. */
  readonly owner: string
  /** A task has failed for good, not by being fenced; the process should stop. */
  readonly onFailure: (error: unknown) => void
  /** An input could not be read and is among the dead letters; `at` is `<topic>/<partition>/<offset>`. */
  readonly onPoison: (at: string, error: unknown) => void
  /**
   * An entity of the component has become too large for the log: for a snapshot, or, as its timer came, for a batch; or
   * what follows from its timer cannot be decided. It then stands still until something else happens to it.
   */
  readonly onTooLarge?: (component: string, key: string, error: unknown) => void
  /**
   * A task (by the partition of its journal) waits for something that may pass, such as a registry that cannot be
   * reached; with undefined, it goes on. Told once each.
   */
  readonly onHeldUp?: (task: string, error: unknown) => void
  /**
   * The group cannot be asked for by which a participant reads this inbox, so only its answers tell what it has read;
   * with undefined, it can again. Told once each.
   */
  readonly onGroupUntold?: (inbox: string, error: unknown) => void
  /** The last owner of a journal partition wrote at a time that is so many ms ahead of this machine's clock. */
  readonly onAhead?: (task: string, aheadMs: number) => void
  /**
   * Makes the codec know the schemas of these values; undefined where it knows them all. Those that there are not, or
   * that cannot be used, are left for `decode` to refuse; it rejects, retryable, where that cannot be told now.
   */
  readonly learn?: (values: Iterable<Uint8Array | null>) => Promise<void> | undefined
  readonly limits?: Partial<TaskLimits>
  /** Of the process, for entities in memory and commands that wait; without it, they may hold what they want. */
  readonly living?: Budget
  /** Tasks that share it recover a few at a time. One that waits for something that may pass lets the others go on. */
  readonly turns?: Turns
}

export type TaskLimits = {
  /** Inputs taken in one round, and their bytes; a single one may have more. As many timers fire. */
  readonly inputsPerRoundMax: number
  readonly inputBytesPerRoundMax: number
  /** A batch is closed as soon as it has so many bytes. What follows from one input is never parted (batch.ts). */
  readonly batchBytesAim: number
  /** An entity is packed when twice so many others were asked for since (E3). */
  readonly entitiesPerPeriod: number
  /** Inputs passed over after which the positions are journaled although nothing has happened. */
  readonly idlePositionsMax: number
  /** And after this time where a command from a journal was among them: its sender hears by them that it was read. */
  readonly silentMsMax: number
  /**
   * A snapshot begins when so many inputs were taken, so much time has passed, or so many bytes of the journal were
   * written, or read at the start, since the last. Bytes are counted as `bytesMost` does: twice too many, where records
   * are small.
   */
  readonly inputsPerSnapshot: number
  readonly snapshotEveryMs: number
  readonly unanswered: UnansweredLimits
  readonly bytesPerSnapshot: number
  /** An orderly stop leaves at most this much of the journal for the next start to read. */
  readonly bytesLeftAtStop: number
}

export const taskLimits: TaskLimits = {
  inputsPerRoundMax: 1000,
  inputBytesPerRoundMax: 1024 * 1024,
  batchBytesAim: 1024 * 1024,
  entitiesPerPeriod: 1000,
  idlePositionsMax: 10_000,
  silentMsMax: 200,
  inputsPerSnapshot: 50_000,
  snapshotEveryMs: 10_000,
  unanswered: {
    window: { initial: 512, min: 128, max: 4_096 },
    windowUntold: { initial: 2_048, min: 1_024, max: 4_096 },
    unansweredMax: 20_000
  },
  bytesPerSnapshot: 32 * 1024 * 1024,
  bytesLeftAtStop: 1024 * 1024
}

/** What a task has done since it started; counts. `foreign`: records in journals that are of another contract. */
export type TaskStats = {
  rounds: number
  inputs: number
  events: number
  snapshots: number
  deadLetters: number
  foreign: number
}
