import { type CommandType, type Contracts, type EventType, type RecordType } from '../../contract/index.ts'
import {
  type Call,
  type Definition,
  type Emission,
  type Expression,
  type Node,
  type Step
} from '../definition/index.ts'
import {
  asKey,
  booleanType,
  compileExpression,
  compileTemplate,
  type ScopeType,
  stringType,
  type Type,
  unknownType
} from '../expression/index.ts'
import {
  type Draft,
  type DraftEmission,
  type DraftExpression,
  type DraftNode,
  type DraftStep,
  type DraftUndo
} from '../source/index.ts'
import { checkCancel, checkRules, checkUndo } from './check.ts'
import { presencesOf } from './presence.ts'
import { type Lookup, type ResolvedStep, resolveCommand, resolveEvent, resolveSteps, shapeOf } from './resolve.ts'
import { type Scopes, scopesOf } from './scopes.ts'

/**
 * A definition without its revision, and what its names stand for. Only worth something where there are no findings.
 */
export type Built = {
  readonly definition: Omit<Definition, 'revision'>
  readonly steps: readonly ResolvedStep[]
  readonly start: EventType
  readonly cancel: EventType
}

/** Looks up every name, checks every rule and type, and makes all expressions ready. */
export const buildDefinition = (draft: Draft, contracts: Contracts, findings: Lookup['findings']): Built => {
  const lookup = { contracts, findings }
  const steps = resolveSteps(draft, lookup)
  checkRules(draft, steps, findings)
  const start = resolveEvent(draft.start.on, lookup)
  const cancel = resolveEvent(draft.cancel?.on, lookup)
  checkCancel(draft, start, cancel, findings)
  const replies = new Map(steps.map((step) => [step.draft, step.reply]))
  const presences = presencesOf(draft.body, (step) => replies.get(step)!)
  const building: Building = { ...lookup, steps, scopes: scopesOf(typeOf(start), presences) }
  const definition = {
    name: draft.name,
    start: { ...triggerOf(building, start, draft.start.key), ...undoOfStart(building, draft) },
    ...(draft.cancel && { cancel: triggerOf(building, cancel, draft.cancel.key) }),
    ...(draft.deadlineMs && { deadlineMs: draft.deadlineMs.value }),
    body: nodesOf(draft.body, new Map(steps.map((step) => [step.draft, step.index]))),
    ...endsOf(building, draft),
    steps: stepsWithReads(building)
  }
  return { definition, steps, start: start ?? noEvent, cancel: cancel ?? noEvent }
}

type Building = Lookup & { readonly steps: readonly ResolvedStep[]; readonly scopes: Scopes }

/** These stand for names that are unknown, until the file is refused for that. */
const noContract = {
  participant: '',
  inbox: '',
  events: '',
  namespace: '',
  operations: new Map(),
  records: new Map(),
  emits: new Set<string>()
}
const noRecord: RecordType = { name: '', fullName: '', schema: {}, fields: [] }
const noCommand: CommandType = {
  contract: noContract,
  record: noRecord,
  operation: { name: '', command: '', replies: [], rejections: [] }
}
const noEvent: EventType = { contract: noContract, record: noRecord, topic: '' }
const noExpression: Expression = { source: '', evaluate: () => null }

const typeOf = (named: CommandType | EventType | undefined): Type =>
  named === undefined ? unknownType : shapeOf(named.record)

const nodesOf = (nodes: readonly DraftNode[], indexes: ReadonlyMap<DraftStep, number>): readonly Node[] =>
  nodes.map((node) =>
    node.kind === 'step'
      ? { kind: 'step', index: indexes.get(node)! }
      : { kind: 'parallel', branches: node.branches.map((branch) => nodesOf(branch, indexes)) }
  )

const triggerOf = (
  building: Building,
  event: EventType | undefined,
  key: DraftExpression | undefined
): Definition['start'] => {
  const { record, topic } = event ?? noEvent
  return {
    event: record.name,
    topic,
    ...(record.key !== undefined && { keyField: record.key }),
    key: asKey(
      expressionOf(building, key, { scope: building.scopes.key(typeOf(event)), expected: stringType }),
      key === undefined ? '' : building.findings.whereIs(key)
    )
  }
}

const expressionOf = (
  { findings }: Building,
  draft: DraftExpression | undefined,
  use: { readonly scope: ScopeType; readonly expected: Type }
): Expression => (draft === undefined ? noExpression : compileExpression(draft, { ...use, findings }))

/** The last of all expressions to be compiled: only then is it known which replies are read. */
const stepsWithReads = (building: Building): readonly Step[] => {
  const steps = building.steps.map((step) => stepOf(building, step))
  return steps.map((step) => ({ ...step, keepsReply: building.scopes.read.has(step.name) }))
}

const stepOf = (building: Building, { draft, command, until, index, pivot, retriable }: ResolvedStep): Step => {
  const { scopes } = building
  const scope = scopes.step(draft)
  const { compensate: undo, when } = draft
  return {
    index,
    name: draft.name.value,
    ...callOf(building, draft, { command, scope }),
    ...(when && { when: expressionOf(building, when, { scope, expected: booleanType }) }),
    onUnknown: draft.onUnknown?.value ?? 'retry',
    onRejection: draft.onRejection?.value ?? (retriable ? 'park' : 'compensate'),
    ...(undo && {
      compensate: undoOf(building, undo, { of: `step '${draft.name.value}'`, scope: scopes.undo(draft) })
    }),
    pivot,
    retriable,
    ...(until && { until: until.record.name }),
    keepsReply: false
  }
}

const undoOfStart = (building: Building, { start }: Draft): Pick<Definition['start'], 'compensate'> =>
  start.compensate === undefined
    ? {}
    : { compensate: undoOf(building, start.compensate, { of: 'the start', scope: building.scopes.abort() }) }

const undoOf = (
  building: Building,
  draft: DraftUndo,
  { of, scope }: { readonly of: string; readonly scope: ScopeType }
): Call => {
  const command = resolveCommand(draft.command, building)
  checkUndo(draft, { of, rejections: command?.operation.rejections ?? [] }, building.findings)
  return callOf(building, draft, { command, scope })
}

const callOf = (
  { findings }: Building,
  draft: DraftUndo | DraftStep,
  { command, scope }: { readonly command: CommandType | undefined; readonly scope: ScopeType }
): Call => {
  const { record, contract, operation } = command ?? noCommand
  return {
    command: record.name,
    commandFullName: record.fullName,
    participant: contract.participant,
    inbox: contract.inbox,
    arguments: compileTemplate(draft.with, command && shapeOf(record), { scope, findings }),
    ...keyOf(draft, record, findings),
    replies: operation.replies,
    rejections: operation.rejections,
    timeoutMs: draft.timeoutMs,
    ...(draft.withinMs && { withinMs: draft.withinMs.value }),
    retry: draft.retry
  }
}

/** It cannot be left to a default: that would send what is for many to one. */
const keyOf = (
  draft: DraftUndo | DraftStep,
  { name, key, fields }: RecordType,
  findings: Lookup['findings']
): Pick<Call, 'key'> => {
  if (key === undefined) return {}
  const argument = draft.with?.fields.get(key)
  // Without a default, it is missing like any other.
  if (argument === undefined && fields.some((field) => field.name === key && field.hasDefault)) {
    const text = `${name} needs '${key}', its key, which says whom it is for; add it to 'with'`
    findings.errorWhereNew(draft.with ?? draft, 'PARCOMOLO_SAGA_MISSING_FIELD', text)
  }
  const value = argument?.value
  return { key: { field: key, source: value?.kind === 'expression' ? value.text : '' } }
}

const endsOf = (building: Building, { complete, abort }: Draft): Pick<Definition, 'complete' | 'abort'> => ({
  ...(complete && { complete: emissionOf(building, complete, building.scopes.complete()) }),
  ...(abort && { abort: emissionOf(building, abort, building.scopes.abort()) })
})

const emissionOf = (building: Building, draft: DraftEmission, scope: ScopeType): Emission => {
  const event = resolveEvent(draft.emit, building)
  const { record } = event ?? noEvent
  return {
    event: record.name,
    eventFullName: record.fullName,
    arguments: compileTemplate(draft.with, event && shapeOf(record), { scope, findings: building.findings })
  }
}
