import { type CommandType, type Contracts } from '../contract/index.ts'
import { checkRules } from './check.ts'
import { type Presences, presencesOf, type Replies } from './check-presence.ts'
import { type Call, type Compensation, type Definition, type Emission, type Node, type Step } from './definition.ts'
import { compileExpression } from './expression.ts'
import { type ScopeType } from './expression-checking.ts'
import { booleanType, recordOf, stringType, type Type, unknownType } from './expression-types.ts'
import {
  type Draft,
  type DraftEmission,
  type DraftExpression,
  type DraftNode,
  type DraftStep,
  type DraftTrigger,
  type DraftUndo,
  isNone
} from './load-draft.ts'
import { type Lookup, type ResolvedStep, resolveCommand, resolveEvent, resolveSteps, shapeOf } from './load-resolve.ts'
import { compileTemplate } from './template.ts'

/** A definition without its revision, and what the revision is computed from. */
export type Built = { readonly definition: Omit<Definition, 'revision'>; readonly steps: readonly ResolvedStep[] }

/** Looks up every name, checks every rule and type, and makes all expressions ready. Only worth something where there are no findings. */
export const buildDefinition = (draft: Draft, contracts: Contracts, findings: Lookup['findings']): Built => {
  const lookup = { contracts, findings }
  const steps = resolveSteps(draft, lookup)
  checkRules(draft, steps, findings)
  const start = resolveEvent(draft.start.on, lookup)
  const startType = start === undefined ? unknownType : shapeOf(start.record)
  const read = new Set<string>()
  const building: Building = { ...lookup, startType, read, presences: presencesOf(draft.body, replyTypes(steps)) }
  const definition = compileAll(building, draft, steps)
  const keepsReply = (step: Step): Step => ({ ...step, keepsReply: read.has(step.name) })
  return { steps, definition: { ...definition, steps: definition.steps.map(keepsReply) } }
}

const compileAll = (building: Building, draft: Draft, steps: readonly ResolvedStep[]): Built['definition'] => {
  const { completed, aborted } = building.presences
  const { compensate } = draft.start
  return {
    name: draft.name,
    start: {
      ...triggerOf(building, draft.start),
      ...(compensate && { compensate: undoOf(building, compensate, aborted) })
    },
    ...(draft.cancel && { cancel: triggerOf(building, draft.cancel) }),
    ...(draft.deadlineMs && { deadlineMs: draft.deadlineMs.value }),
    body: nodesOf(draft.body, new Map(steps.map((step) => [step.draft, step.index]))),
    steps: steps.map((step) => stepOf(building, step)),
    ...(draft.complete && { complete: emissionOf(building, draft.complete, forwardScope(building, completed)) }),
    ...(draft.abort && { abort: emissionOf(building, draft.abort, backwardScope(building, aborted)) })
  }
}

type Building = Lookup & {
  readonly startType: Type
  readonly presences: Presences
  /** The steps whose replies some expression reads; grows while expressions are compiled. */
  readonly read: Set<string>
}

const replyTypes = (steps: readonly ResolvedStep[]): ((step: DraftStep) => Type) => {
  const types = new Map(steps.map((step) => [step.draft, step.reply]))
  return (step) => types.get(step)!
}

const nodesOf = (nodes: readonly DraftNode[], indexes: ReadonlyMap<DraftStep, number>): readonly Node[] =>
  nodes.map((node) =>
    node.kind === 'step'
      ? { kind: 'step', index: indexes.get(node)! }
      : { kind: 'parallel', branches: node.branches.map((branch) => nodesOf(branch, indexes)) }
  )

const sagaType = recordOf('saga', { name: stringType, key: stringType, revision: stringType })
const failureType = recordOf('failure', { type: stringType, step: stringType, message: stringType })

const onlyInKey = "only 'key' reads it; the event that started the saga is 'start'"
const onlyEvent = "a 'key' reads nothing but the event: 'event'"

const forwardScope = ({ startType, read }: Building, steps: Replies): ScopeType => ({
  read,
  roots: { start: startType, saga: sagaType },
  steps,
  absent: { event: onlyInKey, failure: "only compensations and 'abort' have a failure" }
})

const backwardScope = ({ startType, read }: Building, steps: Replies): ScopeType => ({
  read,
  roots: { start: startType, saga: sagaType, failure: failureType },
  steps,
  absent: { event: onlyInKey }
})

const keyScope = (event: Type): ScopeType => ({
  read: new Set(),
  roots: { event },
  steps: undefined,
  absent: { start: onlyEvent, steps: onlyEvent, failure: onlyEvent, saga: onlyEvent }
})

const triggerOf = (building: Building, draft: DraftTrigger): Definition['start'] => {
  const event = resolveEvent(draft.on, building)
  const scope = keyScope(event === undefined ? unknownType : shapeOf(event.record))
  return {
    event: event?.record.name ?? '',
    topic: event?.topic ?? '',
    key: compileOr(building, draft.key, scope, stringType)
  }
}

const refused = { source: '', evaluate: () => null }

const compileOr = (building: Building, draft: DraftExpression | undefined, scope: ScopeType, expected: Type) =>
  draft === undefined ? refused : compileExpression(draft, { scope, findings: building.findings, expected })

const stepOf = (building: Building, step: ResolvedStep): Step => {
  const { draft, command, index, pivot, retriable } = step
  const { compensate, when, until } = draft
  const { forward, backward } = building.presences
  const scope = forwardScope(building, forward.get(draft)!)
  return {
    index,
    name: draft.name?.value ?? '',
    ...callOf(building, draft, { command, scope }),
    ...(when && { when: compileExpression(when, { scope, findings: building.findings, expected: booleanType }) }),
    onUnknown: draft.onUnknown?.value ?? 'retry',
    onRejection: draft.onRejection?.value ?? (retriable ? 'park' : 'compensate'),
    ...(compensate && !isNone(compensate) && { compensate: undoOf(building, compensate, backward.get(draft)!) }),
    pivot,
    retriable,
    ...(until && { until: step.until?.record.name ?? '' }),
    keepsReply: false
  }
}

const undoOf = (building: Building, draft: DraftUndo, replies: Replies): Compensation =>
  callOf(building, draft, { command: resolveCommand(draft.command, building), scope: backwardScope(building, replies) })

const callOf = (
  { findings }: Building,
  draft: DraftUndo | DraftStep,
  { command, scope }: { readonly command: CommandType | undefined; readonly scope: ScopeType }
): Call => ({
  command: command?.record.name ?? '',
  commandFullName: command?.record.fullName ?? '',
  participant: command?.contract.participant ?? '',
  inbox: command?.contract.inbox ?? '',
  arguments: compileTemplate(draft.with, command && shapeOf(command.record), { scope, findings }),
  replies: command?.operation.replies ?? [],
  rejections: command?.operation.rejections ?? [],
  timeoutMs: draft.timeoutMs,
  retry: draft.retry
})

const emissionOf = (building: Building, draft: DraftEmission, scope: ScopeType): Emission => {
  const event = resolveEvent(draft.emit, building)
  return {
    event: event?.record.name ?? '',
    eventFullName: event?.record.fullName ?? '',
    arguments: compileTemplate(draft.with, event && shapeOf(event.record), { scope, findings: building.findings })
  }
}
