import type { Clock } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import type { HttpDeps } from '../http/index.ts'
import type { Log } from '../log/index.ts'
import type { ViewQuery } from '../view/index.ts'

/** What an application has of a process that answers requests. */
export type ServingParts = {
  readonly log: Log
  readonly codec: Codec
  readonly clock: Clock
  /** Teaches the codec the schemas of values; undefined where it knows them. */
  readonly learn?: (values: Iterable<Uint8Array | null>) => Promise<void> | undefined
  /** The read model, which may be open only later. */
  readonly view: ViewQuery
  /** Whether the read model, and the store that it has, tell all that comes. */
  readonly isViewFollowing: () => boolean
  readonly sendCommand: HttpDeps['sendCommand']
  readonly sagas: SagasInForce
  /** What this process runs. */
  readonly roles: readonly string[]
  readonly opening: Steps
  readonly diagnostics: Reports
}

export type SagasInForce = {
  all(): readonly unknown[]
  /** Those that new instances begin on, and with which event. */
  startable(): readonly { readonly start: { readonly event: string; readonly topic: string } }[]
}

/** The start, as whoever opens something in it sees it. */
export type Steps = {
  /** `what` it does, as it stands after "it is". */
  step<T>(what: string, work: () => Promise<T>): Promise<T>
  /** The work of a step, tried until it is done or the process is to stop. */
  insist<T>(work: () => Promise<T>, onWaiting: (error: unknown) => void): Promise<T>
  /** A step that opens something, and how that is closed at the end. */
  take<T>(what: string, open: () => Promise<T>, close: (opened: T) => Promise<unknown>): Promise<T>
  /** At the end, without waiting. */
  defer(close: () => void): void
}

export type Reports = {
  report(level: 'info' | 'warn', facts: object, message: string): void
  error(error: unknown, message: string): void
  /** `what` the start waits for, and why. */
  waiting(error: unknown, what: string): void
}

/** What is answered over HTTP of an application, once what it needs is open. */
export type Served = {
  readonly http: Pick<HttpDeps, 'about' | 'routes' | 'intake' | 'applicationHealth'>
  /** Requests are taken from now on. `caughtUp`: of the read model. Resolves when the application, too, is ready. */
  readonly onListening?: (caughtUp: Promise<void>) => Promise<void>
  /** The read model is opened anew, and tells nothing meanwhile. */
  readonly onViewLost?: () => Promise<void>
}
