import { type CostBudget } from './cost.ts'

/**
 * A saga definition, compiled: what `decide` needs, with every name resolved and every expression ready. Made by
 * `load/` from YAML and contracts.
 */
export type Definition = {
  readonly name: string
  /** First 12 hex digits of the SHA-256 of the canonical form: equal meaning, equal revision. */
  readonly revision: string
  readonly start: {
    readonly event: string
    readonly topic: string
    readonly key: Expression
    /** The event's field that its contract calls its key; absent where it names none. */
    readonly keyField?: string
    readonly compensate?: Compensation
  }
  readonly cancel?: {
    readonly event: string
    readonly topic: string
    readonly key: Expression
    readonly keyField?: string
  }
  /** From the start; counts until the pivot has been reached. */
  readonly deadlineMs?: number
  readonly body: readonly Node[]
  /** All steps, in the order in which they stand in the file; a step's index is its place here. */
  readonly steps: readonly Step[]
  /** Emitted when the saga has completed / has been compensated in full. */
  readonly complete?: Emission
  readonly abort?: Emission
}

/** A sequence is a list of nodes; a parallel node runs its branches, each a sequence, side by side and joins them. */
export type Node =
  | { readonly kind: 'step'; readonly index: number }
  | { readonly kind: 'parallel'; readonly branches: readonly (readonly Node[])[] }

export type Step = Call & {
  readonly index: number
  readonly name: string
  /** Skipped where this is false. */
  readonly when?: Expression
  /**
   * What happens when all attempts have gone unanswered: `retry` begins a new round of attempts at the longest backoff.
   */
  readonly onUnknown: 'retry' | 'compensate' | 'park'
  readonly onRejection: 'compensate' | 'park'
  /** Absent: nothing to undo (`compensate: none`, or a retriable step). */
  readonly compensate?: Compensation
  readonly pivot: boolean
  /** After the pivot: only moves forward. */
  readonly retriable: boolean
  /** The event that ends the step, where that is not the reply; the reply is then progress, and ends the timeout. */
  readonly until?: string
  /** True where some expression reads `steps.<name>` or all of `steps`: only then does an instance keep the reply. */
  readonly keepsReply: boolean
}

/**
 * The undo of a step or of the start. Where the file names no policy of its own its budget is large: what it does not
 * manage needs an operator.
 */
export type Compensation = Call

/** A command with its arguments, what may come back, and how long it is asked for. */
export type Call = {
  readonly command: string
  /** The command's full record name, for the codec. */
  readonly commandFullName: string
  readonly participant: string
  readonly inbox: string
  readonly arguments: Template
  /** Of the argument that names the entity which it is for; absent where its contract names none. */
  readonly key?: CommandKey
  readonly replies: readonly string[]
  readonly rejections: readonly string[]
  /** For one attempt, from when its command was read. */
  readonly timeoutMs: number
  /** For all attempts, from when the command was first sent, read or not; absent: as long as the saga has. */
  readonly withinMs?: number
  readonly retry: RetryPolicy
}

/** The argument whose value is the record's key, and its expression's text; empty where it is written otherwise. */
export type CommandKey = { readonly field: string; readonly source: string }

export type Emission = { readonly event: string; readonly eventFullName: string; readonly arguments: Template }

export type RetryPolicy = {
  /** How often a command is sent at most, the first time included. */
  readonly attempts: number
  readonly backoffMs: number
  readonly factor: number
  /** No pause is longer, jitter apart. */
  readonly capMs: number
  /** 0.2: each pause is moved by up to 20 % either way, derived from the command's id and attempt. */
  readonly jitter: number
}

/**
 * A CEL expression, type-checked. It throws PARCOMOLO_SAGA_EXPRESSION_FAILED when it meets a value that it cannot work
 * with.
 */
export type Expression = { readonly source: string; evaluate(scope: Scope): unknown }

/** Makes a record's value: one expression a field, ready to encode. */
export type Template = { evaluate(scope: Scope): Readonly<Record<string, unknown>> }

/**
 * What expressions see, and what they may cost together; without a budget each has its own. `event` only in `key`;
 * `failure` only in compensations and `abort`.
 */
export type Scope = {
  readonly budget?: CostBudget
  readonly event?: Readonly<Record<string, unknown>>
  readonly start?: Readonly<Record<string, unknown>>
  /** By step: the value of the reply (of the `until` event where there is one) of each step that has one. */
  readonly steps?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly failure?: { readonly type: string; readonly step: string; readonly message: string } | undefined
  readonly saga?: { readonly name: string; readonly key: string; readonly revision: string }
}
