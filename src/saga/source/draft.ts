import { type RetryPolicy } from '../definition/index.ts'
import { type Place } from './findings.ts'
import { type Located } from './reader.ts'

/**
 * A definition as it was written: its form is checked, policies are filled in, but no name has been looked up and no
 * expression read. What was wrong in form is undefined here and is among the findings.
 */
export type Draft = {
  readonly name: string
  readonly start: DraftTrigger & { readonly compensate?: DraftUndo | undefined }
  readonly cancel?: DraftTrigger | undefined
  readonly deadlineMs?: Located<number> | undefined
  readonly body: readonly DraftNode[]
  readonly complete?: DraftEmission | undefined
  readonly abort?: DraftEmission | undefined
}

export type DraftTrigger = Place & {
  readonly on: Located<string> | undefined
  readonly key: DraftExpression | undefined
}

export type DraftNode = DraftStep | DraftParallel

export type DraftParallel = Place & { readonly kind: 'parallel'; readonly branches: readonly (readonly DraftNode[])[] }

export type DraftStep = Place &
  DraftCall & {
    readonly kind: 'step'
    /** Empty where it is broken. */
    readonly name: Located<string>
    readonly when: DraftExpression | undefined
    readonly timeoutMs: number
    /** Where the timeout stands, or else the step. */
    readonly timeoutPlace: Place
    readonly withinMs: Located<number> | undefined
    readonly retry: RetryPolicy
    readonly onUnknown: Located<'retry' | 'compensate' | 'park'> | undefined
    readonly onRejection: Located<'compensate' | 'park'> | undefined
    readonly compensate: DraftUndo | undefined
    /** True where `compensate` stands there, be it `none` or broken. */
    readonly saysCompensate: boolean
    readonly pivot: Located<boolean> | undefined
    readonly until: Located<string> | undefined
  }

export type DraftCall = Place & {
  readonly command: Located<string> | undefined
  readonly with: DraftFields | undefined
}

export type DraftUndo = DraftCall & {
  readonly timeoutMs: number
  readonly withinMs: Located<number> | undefined
  readonly retry: RetryPolicy
  readonly onRejection: Located<'park'> | undefined
}

export type DraftEmission = Place & {
  readonly emit: Located<string> | undefined
  readonly with: DraftFields | undefined
}

/** The fields of a record; a value may be a whole record or list, written in YAML. */
export type DraftFields = Place & {
  readonly kind: 'fields'
  readonly fields: ReadonlyMap<string, DraftField>
}

export type DraftField = {
  readonly keyOffset: number
  readonly path: string
  readonly value: DraftValue | undefined
}

export type DraftValue = DraftExpression | DraftFields | DraftItems

export type DraftItems = Place & { readonly kind: 'items'; readonly items: readonly DraftValue[] }

export type DraftExpression = Place & {
  readonly kind: 'expression'
  readonly text: string
  /** The offset in the file of a character of `text`. */
  readonly offsetOf: (index: number) => number
  /** Written plain inside `{ }` or `[ ]`, where YAML ends a value at a comma. */
  readonly endsAtComma: boolean
}

/** All steps of a body, in the order of the file. */
export const stepsOf = (body: readonly DraftNode[]): DraftStep[] =>
  body.flatMap((node) => (node.kind === 'step' ? [node] : node.branches.flatMap(stepsOf)))
