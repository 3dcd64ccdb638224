import type { FastifyInstance } from 'fastify'
import type { Clock } from '../base/index.ts'
import type { Contract, LookUp } from '../contract/index.ts'
import type { SagaRow, ViewQuery, ViewRecord, Waiter } from '../view/index.ts'
import { type Admission, type AdmissionLimits, admissionLimits } from './admission.ts'
import type { Commands } from './commands.ts'
import { type UnreadLimits, unreadLimits } from './unread.ts'

/** All that the REST interface needs of the rest; `main` hands it in. */
export type HttpDeps = {
  readonly view: ViewQuery
  /** Puts a command into an inbox; resolves when the log has taken it. */
  readonly sendCommand: (command: OutgoingCommand) => Promise<unknown>
  readonly definitions: DefinitionsPort
  /** Those whose events are taken by REST; without it, none are. */
  readonly participants?: ParticipantsPort
  /** Of the application; those of the engine come after them. */
  readonly routes?: readonly Routes[]
  /** How the application is introduced. */
  readonly about?: About
  /** Where the commands of an instance wait that were not read yet; without it, that is not told. */
  readonly inboxWaits?: (row: SagaRow) => Promise<readonly InboxWait[]>
  readonly clock: Clock
  /** Takes over what the view does for a write, while that cannot; without it, writes are then refused. */
  readonly intake?: Intake
  /** Of the whole process, beside the view's own. */
  readonly health?: () => readonly HealthCheck[]
  /** Of the application: while it fails, the process is not ready; what is then not taken, its routes say. */
  readonly applicationHealth?: () => readonly HealthCheck[]
  /** Of what only the view needs: while it fails, the intake takes over. */
  readonly viewHealth?: () => readonly HealthCheck[]
  /** Prometheus text of the other rooms, appended to the own. */
  readonly metrics?: () => Promise<string> | string
  /** Ids of commands, and of what is made without an Idempotency-Key; random if not given. */
  readonly newId?: () => string
  /** From when on the process is not ready any more, and still takes what comes. */
  readonly isStopping?: () => boolean
  /** While it closes: how long connections that are kept alive get a last answer, which says so. */
  readonly lingerMs?: number | undefined
  readonly logLevel?: LogLevel
  /** Where log lines go; stderr if not given. */
  readonly logStream?: { write(line: string): void }
  /** It listens on a loopback address: only names of this machine, and no pages of other sites. */
  readonly isLocal?: boolean
  /**
   * What ids are made of Idempotency-Keys with, so that nobody else computes them. Null: with nothing, so that whoever
   * guesses a key can; by chance, so that no other process makes the same, if not given.
   */
  readonly idSecret?: Uint8Array | null
  /** As many connections at once; any number if not given. */
  readonly connectionsMax?: number
  readonly limits?: Partial<HttpLimits>
}

/** Some of what the application answers. */
export type Routes = {
  /** The groups that they name in their schemas, as the OpenAPI document has them. */
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  /** Those worth a look, by path, with what they show: `/` lists them. */
  readonly links: Readonly<Record<string, string>>
  readonly register: (http: FastifyInstance, deps: RouteDeps) => void
}

export type About = {
  /** What it is, as a sentence without its full stop. */
  readonly title: string
  /** What holds for all answers, as part of a sentence: 'money is in whole cents'. */
  readonly conventions: readonly string[]
  /** How it runs, for machines: `/` shows them by their names. */
  readonly facts: Readonly<Record<string, string>>
  /** A first request, for people, as they may type it in a shell. */
  readonly example: { readonly text: string; readonly shell: (host: string) => string }
}

/** A command that waits in an inbox, unread. */
export type InboxWait = {
  readonly step: string
  readonly undo: boolean
  readonly inbox: string
  readonly partition: number
  /** Commands of sagas that stand before it there: at least so many, where `isCounted` is false. */
  readonly before: number
  readonly isCounted: boolean
}

/** Answers without the view. */
export type Intake = {
  /** Whether it can answer; where it rests, it begins to open. */
  ready(): boolean
  /** The view can answer again. */
  rest(): void
  /** Waits for the event that answers this command. Ask before the command is sent. While it rests, none is seen. */
  whenAnswered(commandId: string, timeoutMs: number): Waiter<ViewRecord>
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent'

/** The participants that there are now. */
export type ParticipantsPort = {
  find(name: string): LookUp<Contract>
  /** It speaks HTTP, so the courier writes its events. */
  isHttp(contract: Contract): boolean
  /** Where the courier takes from what is posted. */
  postsTopic(participant: string): string
}

export type OutgoingCommand = {
  readonly inbox: string
  readonly key: string
  /** Found again in the answer's `ce_causationid`. */
  readonly id: string
  /** Full record name. */
  readonly type: string
  readonly value: object
  /** Of an answer: the id of its command. */
  readonly causationId?: string
}

/** The published definitions of sagas. */
export type DefinitionsPort = {
  list(): readonly SagaDefinition[]
  get(saga: string): SagaDefinition | undefined
  /**
   * The newest revision if none is named; undefined for one that there is not. JSON as an object, the others as text.
   */
  graph(saga: string, revision: string | undefined, format: GraphFormat): string | object | undefined
}

export type SagaDefinition = { readonly saga: string; readonly revisions: readonly DefinitionRevision[] }

export type DefinitionRevision = {
  readonly revision: string
  /** New instances take it. */
  readonly current: boolean
  readonly retired: boolean
  /** Ms since 1970. */
  readonly publishedAt: number
  /** The file that it came from. */
  readonly source: string
  readonly yaml: string
  /** Whether all of it stands under one key, and if not, why; null of one that is not current. */
  readonly keys: string | null
}

export type GraphFormat = 'json' | 'svg' | 'mermaid'

export type HealthCheck = { readonly name: string; readonly ok: boolean; readonly detail: string }

export type HttpLimits = AdmissionLimits &
  UnreadLimits & {
    readonly bodyBytesMax: number
    /** How long a write waits for its answer. */
    readonly answerTimeoutMs: number
    /** Commands that may be on their way to the log at once. */
    readonly commandsInFlightMax: number
    /** The longest `?wait=`. */
    readonly waitMsMax: number
    readonly pageSizeDefault: number
    readonly pageSizeMax: number
  }

export const httpLimits: HttpLimits = {
  ...admissionLimits,
  ...unreadLimits,
  bodyBytesMax: 65_536,
  answerTimeoutMs: 10_000,
  commandsInFlightMax: 1_000,
  waitMsMax: 60_000,
  pageSizeDefault: 50,
  pageSizeMax: 200
}

/** What the routes get: the dependencies with nothing left open. */
export type RouteDeps = Omit<HttpDeps, 'limits' | 'newId' | 'sendCommand' | 'idSecret'> & {
  readonly limits: HttpLimits
  readonly commands: Commands
  readonly admission: Admission
  readonly newId: () => string
  readonly idSecret: Uint8Array | null
  /** What holds an answer back only for the client's sake; let go when the server closes. */
  readonly held: Set<() => void>
}
