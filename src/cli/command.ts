import { type EventEmitter } from 'node:events'
import { type ParseArgsOptionsConfig } from 'node:util'
import type { ReleaseService } from '../contract/index.ts'
import { type DeadLetters } from './dead-letter.ts'

/** One word of the command line. It says what it found on the terminal, and throws what went wrong. */
export type Command = {
  readonly name: string
  /** Its arguments, as `help` shows them: `FILE…`. */
  readonly takes: string
  readonly summary: string
  /** How many arguments it needs and takes. */
  readonly arguments: { readonly min: number; readonly max: number }
  readonly options?: ParseArgsOptionsConfig
  /** Gives the exit code. */
  run(call: Call): Promise<number>
}

export type Call = {
  readonly arguments: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly terminal: Terminal
  readonly program: Program
}

/** Where a command says what it has to say, and hears that it is to stop. */
export type Terminal = {
  /** A line on stdout. */
  out(line: string): void
  /** A line on stderr. */
  err(line: string): void
  /** Emits SIGHUP, SIGINT and SIGTERM. */
  readonly signals: Pick<EventEmitter, 'on' | 'off'>
  /** Ends the process at once. */
  exit(code: number): void
}

/** What the composition root offers to the command line. */
export type Program = {
  /** Names of participants that are those of the release's own services. */
  readonly reserved: readonly ReleaseService[]
  /** Runs what the environment says, and resolves when all of it works; rejects soon after the signal was aborted. */
  start(signal: AbortSignal): Promise<Running>
  /** Checks the environment: throws PARCOMOLO_CONFIG_INVALID with a line for each fault. */
  checkSettings(): Promise<void>
  settings(): Promise<readonly ProgramSetting[]>
  /** Opens the log as the environment says, without taking part in its work. */
  deadLetters(): Promise<DeadLetters>
  /** Copies the data folder to another, also while a process works on it. */
  backup(to: string): Promise<CopiedFolder>
  /** Makes the data folder, which must not be there yet, from a backup. */
  restore(from: string): Promise<CopiedFolder>
  /** Tells what stands in the way of a start, a sentence each; `acceptsLoss` goes on without what is lost. */
  repair(acceptsLoss: boolean): Promise<readonly string[]>
  /** Gives what each partition of the topic has now. */
  acceptLoss(loss: {
    readonly topic: string
    readonly by: string
    readonly reason: string
  }): Promise<readonly { readonly start: number; readonly end: number }[]>
}

/** `records`: how many there are in all topics but the compacted ones. */
export type CopiedFolder = { readonly folder: string; readonly bytes: number; readonly records: number }

export type Running = {
  readonly url: string
  /** Lines that tell what to try first, of the application that runs. */
  readonly firstSteps: readonly string[] | undefined
  readonly roles: 'all' | readonly string[]
  /** Resolves with the error when something has failed for good. */
  readonly failed: Promise<unknown>
  stop(): Promise<void>
}

export type ProgramSetting = {
  readonly name: string
  /** Empty where it has none. */
  readonly value: string
  readonly isSet: boolean
  readonly meaning: string
}
