import type { ViewRecord } from './record.ts'
import { appended, type Timeline, type TimelineEntry, without } from './timeline.ts'

/**
 * The sagas projection: one row an instance, folded from `saga-events` alone.
 *
 * G1. `status` is a function of the steps under way (`active`) and of the direction; it never leaves an end.
 * G2. `timeline` has every event of the instance, retries included, up to `timelineEntriesMax`; beyond it the middle is left out and counted in `omitted`.
 */
export type SagaRow = {
  readonly saga: string
  /** The instance's key: the order id, for the saga `order`. */
  readonly key: string
  readonly revision: string
  readonly status: SagaStatus
  /** The step that it is at; null between steps and at the end. */
  readonly step: string | null
  readonly startedAt: number
  /** The record that started it: `OrderPlaced`. */
  readonly startedBy: string
  readonly endedAt: number | null
  readonly failure: { readonly type: string; readonly step: string; readonly message: string } | null
  readonly isCompensating: boolean
  /** Steps and undos under way, the latest last. */
  readonly active: readonly ActiveStep[]
  readonly entryCount: number
  readonly omitted: number
  readonly timeline: Timeline
}

export const sagaStatuses = [
  'running',
  'retrying',
  'waiting',
  'compensating',
  'parked',
  'completed',
  'compensated',
  'aborted'
] as const
export type SagaStatus = (typeof sagaStatuses)[number]

/** What the order's row shows of its saga. */
export type SagaSummary = {
  readonly name: string
  readonly revision: string
  readonly status: SagaStatus
  readonly step: string | null
  readonly ended: boolean
}

export type SagaTimelineEntry = TimelineEntry & {
  readonly step?: string
  readonly undo?: boolean
  readonly attempt?: number
  /** The command, the reply's or rejection's record, the failure or the reason: whatever the event is about. */
  readonly detail?: string
}

export type ActiveStep = {
  readonly step: string
  readonly state: 'running' | 'retrying' | 'waiting' | 'parked'
  readonly undo: boolean
  /** Why it is parked. */
  readonly reason?: string
}

/** The row after a record of `saga-events`; undefined for one that is of no instance that has started. */
export const foldSaga = (before: SagaRow | undefined, record: ViewRecord): SagaRow | undefined => {
  if (record.type === 'SagaStarted') return before ?? started(record)
  if (before === undefined) return undefined
  const row = listed(before, record)
  if (before.endedAt !== null) return row
  const changed = changeByEvent[record.type]?.(row, record) ?? row
  return { ...changed, status: statusOf(changed), step: changed.active.at(-1)?.step ?? null }
}

/** The instance that a record is of; undefined for an event that a saga emits, which stands on the journal under its own type. */
export const instanceOf = ({ fullName, value }: ViewRecord): { saga: string; key: string } | undefined =>
  fullName.startsWith('parcomolo.saga.') ? { saga: String(value['saga']), key: String(value['key']) } : undefined

export const sagaSummary = (row: SagaRow): SagaSummary => {
  const { saga: name, revision, status, step } = row
  return { name, revision, status, step, ended: row.endedAt !== null }
}

const timelineEntriesMax = 400

const started = (record: ViewRecord): SagaRow => {
  const { value } = record
  return {
    saga: String(value['saga']),
    key: String(value['key']),
    revision: String(value['revision']),
    status: 'running',
    step: null,
    startedAt: record.at,
    startedBy: text(value['startType']) ?? '',
    endedAt: null,
    failure: null,
    isCompensating: false,
    active: [],
    entryCount: 1,
    omitted: 0,
    timeline: appended('', record, extrasOf(record))
  }
}

const listed = (row: SagaRow, record: ViewRecord): SagaRow => {
  const timeline = appended(row.timeline, record, extrasOf(record))
  if (row.entryCount < timelineEntriesMax) return { ...row, timeline, entryCount: row.entryCount + 1 }
  return { ...row, timeline: without(timeline, timelineEntriesMax / 2), omitted: row.omitted + 1 }
}

/** The members of `SagaTimelineEntry` that this event has, as JSON. */
const extrasOf = ({ value }: ViewRecord): string => {
  const { step, undo, attempt } = value
  const detail = detailOf(value)
  let extras = ''
  if (typeof step === 'string') extras += `,"step":${JSON.stringify(step)}`
  if (undo === true) extras += ',"undo":true'
  if (typeof attempt === 'number') extras += `,"attempt":${attempt}`
  if (detail !== undefined) extras += `,"detail":${JSON.stringify(detail)}`
  return extras.slice(1)
}

/** The members that say what an event is about; no event has two of them. */
const detailMembers = ['command', 'startType', 'replyType', 'rejectionType', 'reason', 'event'] as const

const detailOf = (value: ViewRecord['value']): string | undefined => {
  for (const member of detailMembers) {
    const found = text(value[member])
    if (found !== undefined) return found
  }
  return failureOf(value)?.type
}

type Change = (row: SagaRow, record: ViewRecord) => SagaRow

const stepIs =
  (state: ActiveStep['state']): Change =>
  (row, { value }) => {
    const step = String(value['step'])
    const reason = state === 'parked' ? { reason: String(value['reason']) } : {}
    const now = { step, state, undo: value['undo'] === true, ...reason }
    return { ...row, active: [...row.active.filter((other) => other.step !== step), now] }
  }

const stepIsOver: Change = (row, record) => {
  const step = String(record.value['step'])
  return { ...row, active: row.active.filter((other) => other.step !== step) }
}

const hasEnded: Change = (row, record) => ({ ...row, endedAt: record.at, active: [] })

const issued: Change = (row, record) =>
  stepIs(Number(record.value['attempt']) > 1 ? 'retrying' : 'running')(row, record)

/** By event. Those that are not here change nothing but the timeline. */
const changeByEvent: Readonly<Record<string, Change>> = {
  CommandIssued: issued,
  RetryScheduled: stepIs('retrying'),
  StepProgressed: stepIs('waiting'),
  StepSucceeded: stepIsOver,
  StepRejected: stepIsOver,
  StepUnknown: stepIsOver,
  StepCompensated: stepIsOver,
  CompensationStarted: (row, { value }) => ({ ...row, isCompensating: true, active: [], failure: failureOf(value) }),
  SagaParked: stepIs('parked'),
  SagaCompleted: hasEnded,
  SagaCompensated: hasEnded,
  SagaAborted: (row, record) => ({ ...hasEnded(row, record), status: 'aborted' })
}

/** Of several at once the first of: parked, compensating, retrying, running, waiting. */
const statusOf = (row: SagaRow): SagaStatus => {
  if (row.endedAt !== null) {
    if (row.status === 'aborted') return 'aborted'
    return row.isCompensating ? 'compensated' : 'completed'
  }
  const has = (state: ActiveStep['state']): boolean => row.active.some((step) => step.state === state)
  if (has('parked')) return 'parked'
  if (row.isCompensating) return 'compensating'
  if (has('retrying')) return 'retrying'
  return has('waiting') && !has('running') ? 'waiting' : 'running'
}

const failureOf = (value: ViewRecord['value']): SagaRow['failure'] => {
  const failure = value['failure']
  if (typeof failure !== 'object' || failure === null) return null
  const { type, step, message } = failure as Record<string, unknown>
  return { type: String(type), step: String(step), message: String(message) }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
