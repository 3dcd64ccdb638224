import { showDuration } from '../../base/index.ts'
import { type EventType } from '../../contract/index.ts'
import { type Draft, type DraftUndo, type Findings } from '../source/index.ts'
import { type ResolvedStep } from './resolve.ts'

/** The rules of the language that are neither form, names nor types. */
export const checkRules = (draft: Draft, steps: readonly ResolvedStep[], findings: Findings): void => {
  checkNames(steps, findings)
  checkPivots(draft, steps, findings)
  const hasPivot = steps.some((step) => step.pivot)
  for (const step of steps) {
    if (step.pivot) checkPivot(step, findings)
    else if (step.retriable) checkRetriable(step, findings)
    else checkCompensatable(step, hasPivot, findings)
    checkWithin(step, findings)
    if (!step.retriable) checkTiming(step, draft.deadlineMs?.value, findings)
  }
}

const checkNames = (steps: readonly ResolvedStep[], findings: Findings): void => {
  const seen = new Set<string>()
  for (const { draft } of steps) {
    const { value } = draft.name
    if (value !== '' && seen.has(value)) {
      findings.error(
        draft.name,
        'PARCOMOLO_SAGA_DUPLICATE_NAME',
        `a second step is called '${value}'; a name stands for one step`
      )
    }
    seen.add(value)
  }
}

const checkPivots = (draft: Draft, steps: readonly ResolvedStep[], findings: Findings): void => {
  const pivots = steps.filter((step) => step.draft.pivot?.value === true)
  for (const second of pivots.slice(1)) {
    const text = `a second pivot; ${nameOf(pivots[0]!)} is the point of no return already, and there is at most one`
    findings.error(second.draft.pivot!, 'PARCOMOLO_SAGA_PIVOT', text)
  }
  const outside = draft.body.filter((node) => node.kind === 'step')
  for (const pivot of pivots) {
    if (outside.includes(pivot.draft)) continue
    const text =
      "the pivot stands inside 'parallel', where another branch can still be rejected after it has succeeded; move it before or behind the parallel node"
    findings.error(pivot.draft.pivot!, 'PARCOMOLO_SAGA_PIVOT', text)
  }
}

const nameOf = ({ draft }: ResolvedStep): string =>
  draft.name.value === '' ? 'the step' : `step '${draft.name.value}'`

const checkPivot = (step: ResolvedStep, findings: Findings): void => {
  const { draft } = step
  const refuse = (place: { offset: number; path: string } | undefined, message: string): void => {
    if (place !== undefined) findings.error(place, 'PARCOMOLO_SAGA_PIVOT', message)
  }
  refuseUndo(
    step,
    findings,
    'the pivot is never compensated, for it is the point of no return; leave its compensation out'
  )
  refuse(
    draft.when,
    "the pivot has a 'when'; a point of no return that may be skipped is none, so put the condition on another step"
  )
  refuse(
    draft.until,
    "the pivot has an 'until'; it is reached with its reply, so put what takes longer into the next step"
  )
  if (draft.onUnknown?.value === 'compensate') {
    refuse(
      draft.onUnknown,
      "the pivot cannot compensate when its outcome is unknown, since it may have succeeded; use 'retry' or 'park'"
    )
  }
}

const checkRetriable = (step: ResolvedStep, findings: Findings): void => {
  const { draft, command } = step
  refuseUndo(
    step,
    findings,
    `${nameOf(step)} runs after the pivot, from where nothing is compensated; leave its compensation out, or move it before the pivot`
  )
  if (draft.onUnknown?.value === 'compensate') {
    findings.error(
      draft.onUnknown,
      'PARCOMOLO_SAGA_PIVOT',
      "a step after the pivot cannot compensate; use 'retry' or 'park'"
    )
  }
  if (draft.onRejection?.value === 'compensate') {
    findings.error(draft.onRejection, 'PARCOMOLO_SAGA_PIVOT', "a step after the pivot cannot compensate; use 'park'")
  }
  const rejections = command?.operation.rejections ?? []
  if (rejections.length > 0 && draft.onRejection === undefined) {
    findings.error(
      draft.command!,
      'PARCOMOLO_SAGA_PIVOT',
      `${nameOf(step)} runs after the pivot, but ${command!.operation.command} may be rejected with ${rejections.join(', ')}; add 'onRejection: park', or move it before the pivot`
    )
  }
}

const refuseUndo = ({ draft }: ResolvedStep, findings: Findings, message: string): void => {
  if (draft.compensate !== undefined) findings.error(draft.compensate, 'PARCOMOLO_SAGA_PIVOT', message)
}

const checkCompensatable = (step: ResolvedStep, hasPivot: boolean, findings: Findings): void => {
  if (step.draft.saysCompensate) return
  const where = hasPivot ? 'before the pivot' : 'in a saga without a pivot'
  findings.error(
    step.draft,
    'PARCOMOLO_SAGA_COMPENSATION',
    `${nameOf(step)} does not say how it is undone, as every step ${where} must; add 'compensate: { command: …, with: {…} }', or 'compensate: none' where it has no effect`
  )
}

/** Of a step or of the start. An undo has no way further back, so where it is refused a person must decide. */
export const checkUndo = (
  { command, onRejection }: DraftUndo,
  { of, rejections }: { readonly of: string; readonly rejections: readonly string[] },
  findings: Findings
): void => {
  if (command === undefined || rejections.length === 0 || onRejection !== undefined) return
  findings.errorWhereNew(
    command,
    'PARCOMOLO_SAGA_COMPENSATION',
    `the undo of ${of} may be refused: ${command.value} may be rejected with ${rejections.join(', ')}; ` +
      "add 'onRejection: park' to its 'compensate', so that an operator decides then, or undo it by a command without rejections"
  )
}

const checkTiming = (step: ResolvedStep, deadlineMs: number | undefined, findings: Findings): void => {
  const { timeoutMs, timeoutPlace, withinMs, onUnknown, retry } = step.draft
  if (deadlineMs === undefined) return
  if (timeoutMs >= deadlineMs) {
    const isDefault = timeoutPlace.path === step.draft.path ? ', the default,' : ''
    findings.error(
      timeoutPlace,
      'PARCOMOLO_SAGA_TIMING',
      `the timeout of ${showDuration(timeoutMs)}${isDefault} is not below the saga's deadline of ${showDuration(deadlineMs)}; lower it, or raise the deadline`
    )
    return
  }
  if (withinMs !== undefined && withinMs.value >= deadlineMs) {
    const [own, whole] = [showDuration(withinMs.value), showDuration(deadlineMs)]
    const remedy = 'which holds anyway; lower it, or leave it out'
    const text = `'within' of ${own} is not below the saga's deadline of ${whole}, ${remedy}`
    findings.error(withinMs, 'PARCOMOLO_SAGA_TIMING', text)
    return
  }
  const patienceMs = patienceOf(timeoutMs, retry)
  if (patienceMs <= deadlineMs || onUnknown === undefined || onUnknown.value === 'retry') return
  findings.warn(
    onUnknown,
    'PARCOMOLO_SAGA_TIMING',
    `'${onUnknown.value}' is never decided: ${retry.attempts} attempts take up to ${showDuration(Math.ceil(patienceMs / 1000) * 1000)}, and the deadline of ${showDuration(deadlineMs)} comes first; lower the attempts, or raise the deadline`
  )
}

/** A command whose time is over before its first attempt is, would never be given an attempt's whole time. */
const checkWithin = ({ draft }: ResolvedStep, findings: Findings): void => {
  for (const { withinMs, timeoutMs } of [draft, ...(draft.compensate === undefined ? [] : [draft.compensate])]) {
    if (withinMs === undefined || withinMs.value >= timeoutMs) continue
    const [all, one] = [showDuration(withinMs.value), showDuration(timeoutMs)]
    const text = `'within' of ${all} is below the timeout of ${one}, which it includes; raise it, or lower the timeout`
    findings.error(withinMs, 'PARCOMOLO_SAGA_TIMING', text)
  }
}

/** How long all attempts of a step may take, without jitter. */
const patienceOf = (
  timeoutMs: number,
  { attempts, backoffMs, factor, capMs }: ResolvedStep['draft']['retry']
): number => {
  let patienceMs = attempts * timeoutMs
  for (let attempt = 1; attempt < attempts; attempt++) {
    patienceMs += Math.min(capMs, backoffMs * factor ** (attempt - 1))
  }
  return patienceMs
}

/** By what the two names stand for: one event has several. */
export const checkCancel = (
  { cancel }: Draft,
  starts: EventType | undefined,
  cancels: EventType | undefined,
  findings: Findings
): void => {
  if (cancel?.on === undefined || cancels === undefined || cancels.record.fullName !== starts?.record.fullName) return
  const text = `'${cancel.on.value}' starts the saga and cannot cancel it too; name another event`
  findings.error(cancel.on, 'PARCOMOLO_SAGA_WRONG_VALUE', text)
}
