import { type Contracts } from '../contract/index.ts'
import { type Located } from './yaml-reader.ts'
import { canonicalJson, sha256Hex } from '../base/index.ts'
import { type Call, type Compensation, type Definition, type Emission, type Step } from './definition.ts'
import {
  type Draft,
  type DraftCall,
  type DraftEmission,
  type DraftNode,
  type DraftUndo,
  type DraftValue,
  isNone
} from './load-draft.ts'

/**
 * The hash of what a definition means: defaults are filled in, names are full, expressions are their text. So order of keys, comments and style
 * leave it as it is, and whatever changes a run changes it.
 */
export const revisionOf = (draft: Draft, definition: Omit<Definition, 'revision'>, contracts: Contracts): string =>
  sha256Hex(canonicalJson(canonicalForm(draft, definition, contracts))).slice(0, 12)

const canonicalForm = (draft: Draft, definition: Omit<Definition, 'revision'>, contracts: Contracts) => ({
  /** Raised when the same text begins to mean something else. */
  language: 1,
  name: definition.name,
  start: {
    on: eventName(draft.start.on, contracts),
    key: draft.start.key?.text,
    compensate: draft.start.compensate && undoForm(draft.start.compensate, definition.start.compensate)
  },
  cancel: draft.cancel && { on: eventName(draft.cancel.on, contracts), key: draft.cancel.key?.text },
  deadlineMs: definition.deadlineMs,
  body: bodyForm(draft.body, { steps: definition.steps[Symbol.iterator](), contracts }),
  complete: emissionForm(draft.complete, definition.complete),
  abort: emissionForm(draft.abort, definition.abort)
})

/** The full name of an event that is known to be one. */
const eventName = (name: Located<string> | undefined, contracts: Contracts): string | undefined => {
  const result = name && contracts.event(name.value)
  return result && 'found' in result ? result.found.record.fullName : undefined
}

/** Draft and definition list the steps in the same order, that of the file. */
const bodyForm = (nodes: readonly DraftNode[], walk: { steps: Iterator<Step>; contracts: Contracts }): unknown[] =>
  nodes.map((node) => {
    if (node.kind === 'parallel') return { parallel: node.branches.map((branch) => bodyForm(branch, walk)) }
    const step = walk.steps.next().value as Step
    const { name, pivot, onUnknown, onRejection } = step
    return {
      ...callForm(node, step),
      ...{ name, pivot, onUnknown, onRejection },
      until: eventName(node.until, walk.contracts),
      when: node.when?.text,
      compensate: node.compensate && !isNone(node.compensate) ? undoForm(node.compensate, step.compensate) : 'none'
    }
  })

const undoForm = (draft: DraftUndo, undo: Compensation | undefined) => undo && callForm(draft, undo)

const callForm = (draft: DraftCall, { commandFullName, timeoutMs, retry }: Call) => ({
  command: commandFullName,
  with: valueForm(draft.with),
  timeoutMs,
  retry
})

const emissionForm = (draft: DraftEmission | undefined, emission: Emission | undefined) =>
  draft && emission && { emit: emission.eventFullName, with: valueForm(draft.with) }

const valueForm = (value: DraftValue | undefined): unknown => {
  if (value === undefined || value.kind === 'expression') return value?.text
  if (value.kind === 'items') return value.items.map(valueForm)
  return Object.fromEntries([...value.fields].map(([name, field]) => [name, valueForm(field.value)]))
}
