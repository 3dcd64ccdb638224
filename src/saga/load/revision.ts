import { canonicalJson, sha256Hex } from '../../base/index.ts'
import { type Call, type Emission } from '../definition/index.ts'
import {
  type Draft,
  type DraftCall,
  type DraftEmission,
  type DraftNode,
  type DraftStep,
  type DraftUndo,
  type DraftValue
} from '../source/index.ts'
import { type Built } from './build.ts'

/**
 * The hash of what a definition means: defaults are filled in, names are full, expressions are their text. So order of
 * keys, comments and style leave it as it is, and whatever changes a run changes it.
 */
export const revisionOf = (draft: Draft, built: Built): string =>
  sha256Hex(canonicalJson(canonicalForm(draft, built))).slice(0, 12)

const canonicalForm = (draft: Draft, built: Built) => {
  const { definition, steps } = built
  const places = new Map(steps.map((step) => [step.draft, step.index]))
  return {
    /** Raised when the same text begins to mean something else. */
    language: 1,
    name: definition.name,
    start: {
      on: built.start.record.fullName,
      key: draft.start.key?.text,
      compensate: callForm(draft.start.compensate, definition.start.compensate)
    },
    cancel: draft.cancel && { on: built.cancel.record.fullName, key: draft.cancel.key?.text },
    deadlineMs: definition.deadlineMs,
    body: bodyForm(draft.body, (step) => stepForm(step, built, places.get(step)!)),
    complete: emissionForm(draft.complete, definition.complete),
    abort: emissionForm(draft.abort, definition.abort)
  }
}

const bodyForm = (nodes: readonly DraftNode[], formOf: (step: DraftStep) => unknown): unknown =>
  nodes.map((node) =>
    node.kind === 'step' ? formOf(node) : { parallel: node.branches.map((branch) => bodyForm(branch, formOf)) }
  )

const stepForm = (draft: DraftStep, { definition, steps }: Built, index: number) => {
  const step = definition.steps[index]!
  return {
    name: step.name,
    call: callForm(draft, step),
    when: draft.when?.text,
    until: steps[index]!.until?.record.fullName,
    onUnknown: step.onUnknown,
    onRejection: step.onRejection,
    compensate: callForm(draft.compensate, step.compensate),
    pivot: step.pivot
  }
}

const callForm = (draft: DraftCall | DraftUndo | undefined, call: Call | undefined) =>
  call && {
    command: call.commandFullName,
    with: valueForm(draft?.with),
    timeoutMs: call.timeoutMs,
    withinMs: call.withinMs,
    retry: call.retry
  }

const emissionForm = (draft: DraftEmission | undefined, emission: Emission | undefined) =>
  emission && { emit: emission.eventFullName, with: valueForm(draft?.with) }

const valueForm = (value: DraftValue | undefined): unknown => {
  if (value === undefined || value.kind === 'expression') return value?.text
  if (value.kind === 'items') return value.items.map(valueForm)
  return Object.fromEntries([...value.fields].map(([name, field]) => [name, valueForm(field.value)]))
}
