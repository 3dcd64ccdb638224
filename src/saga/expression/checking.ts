import { type ASTNode, serialize } from '@marcbachmann/cel-js'
import { type ErrorCode } from '../../base/index.ts'
import { type Scope } from '../definition/index.ts'
import { type Type, unknownType } from './types.ts'

/** What an expression may name. A root that is not there has a reason, which the message gives. */
export type ScopeType = {
  readonly roots: Readonly<Record<string, Type>>
  /** By step; undefined where no step is known (keys). */
  readonly steps: ReadonlyMap<string, StepReply> | undefined
  /** Gets the name of each step whose reply is read. */
  readonly read: Set<string>
  /** By root that is known elsewhere, but not here: why. */
  readonly absent: Readonly<Record<string, string>>
}

/** Whether a step's reply is there when the expression is evaluated: `why` says why it may not be, or cannot be. */
export type StepReply = {
  readonly type: Type
  readonly presence: 'always' | 'maybe' | 'never'
  readonly why: string
}

/** A node that has been checked. */
export type Checked = {
  readonly type: Type
  /** The node as CEL for the evaluator, where what comes from outside is a variable. */
  readonly emit: () => string
  /** A pure walk: root and field names. */
  readonly chain?: readonly string[]
  readonly constant?: { readonly value: string | number | boolean | null }
  /** By what name facts about the value are kept. */
  readonly path?: string
}

/** A variable of the evaluator: something that is read from the scope before the expression runs. */
export type Binding = {
  readonly name: string
  readonly celType: string
  readonly read: (scope: Scope) => unknown
}

export type Checking = {
  readonly scope: ScopeType
  /** By what they read. */
  readonly bindings: Map<string, Binding>
  /** Variables of the loops around. */
  readonly locals: ReadonlyMap<string, Type>
  /** Paths that are known to be there and not null, because a condition around says so. */
  readonly facts: ReadonlySet<string>
  /** At a character of the expression. */
  report(index: number, code: ErrorCode, message: string): void
  visit(node: ASTNode, inner?: Partial<Pick<Checking, 'facts' | 'locals'>>): Checked
}

/** What stands for a node after an error about it. */
export const unknown: Checked = { type: unknownType, emit: () => 'null' }

/** Reports, and stands for the node. */
export const invalid = (checking: Checking, node: ASTNode, message: string): Checked => {
  checking.report(node.start, 'PARCOMOLO_SAGA_EXPRESSION_INVALID', message)
  return unknown
}

/** A node as it was written; the place of a node in brackets has only one of them, so that one is written anew. */
export const sourceOf = (node: ASTNode): string => {
  const text = node.input.slice(node.start, node.end)
  return countOf(text, /[([{]/g) === countOf(text, /[)\]}]/g) ? text : serialize(node)
}

export const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
