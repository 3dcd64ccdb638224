import { projection } from './projection.ts'
import { callsTopic, isOfEngine, sagaJournal, type ViewRecord } from './record.ts'
import type { Count } from './store.ts'
import { packTimeline, type PackedTimeline, unpackTimeline } from './timeline-pack.ts'
import { appended, entryCount, type Timeline, timelineBytes, withoutEntry } from './timeline.ts'

/**
 * The sagas projection: one row an instance, folded from `saga-events`; what came of calls by
 * HTTP (`http-calls`) stands in its timeline, and changes nothing else.
 *
 * G1. `status` is a function of the steps under way (`active`) and of the direction; it never leaves an end.
 * G2. `timeline` has every event of the instance, retries included, up to `timelineEntriesMax`; beyond it the middle is
 *     left out and counted in `omitted`.
 */
export type SagaRow = {
  readonly saga: string
  /** The instance's key: the id of what it is about. */
  readonly key: string
  readonly revision: string
  readonly status: SagaStatus
  /** The step that it is at; null between steps and at the end. */
  readonly step: string | null
  readonly startedAt: number
  /** The record that started it, by its short name. */
  readonly startedBy: string
  readonly endedAt: number | null
  readonly failure: { readonly type: string; readonly step: string; readonly message: string } | null
  readonly isAborted: boolean
  readonly isCompensating: boolean
  /** Steps and undos under way, the latest last. */
  readonly active: readonly ActiveStep[]
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

/** What another projection's row may show of an instance. */
export type SagaSummary = {
  readonly name: string
  readonly revision: string
  readonly status: SagaStatus
  readonly step: string | null
  readonly ended: boolean
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
  const change = before.endedAt === null ? changeByEvent[record.type] : undefined
  return rowOf(before, change === undefined ? before : change(before, record), record)
}

/** Member by member: this runs some twenty times an instance, and spreading is several times slower. */
const rowOf = (before: SagaRow, state: State, record: ViewRecord): SagaRow => {
  const { endedAt, isAborted, isCompensating, failure, active } = state
  const isFull = entryCount(before.timeline) === timelineEntriesMax
  const timeline = appended(before.timeline, record)
  return {
    saga: before.saga,
    key: before.key,
    revision: before.revision,
    status: statusOf(state),
    step: active.at(-1)?.step ?? null,
    startedAt: before.startedAt,
    startedBy: before.startedBy,
    endedAt,
    failure,
    isAborted,
    isCompensating,
    active,
    omitted: isFull ? before.omitted + 1 : before.omitted,
    timeline: isFull ? withoutEntry(timeline, timelineEntriesMax / 2) : timeline
  }
}

/** The key of an instance's row. */
export const sagaRowKey = (saga: string, key: string): string => `${saga}/${key}`

/** The instance's key, in that of its row: a saga's name has no slash. */
export const instanceKey = (rowKey: string): string => rowKey.slice(rowKey.indexOf('/') + 1)

/** An event that a saga emits stands on the journal under its own type, and is no instance's. */
const rowKeyOf = ({ topic, fullName, value }: ViewRecord): string | undefined => {
  if (topic === callsTopic) return String(value['correlationId'])
  return isOfEngine(fullName) ? sagaRowKey(String(value['saga']), String(value['key'])) : undefined
}

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
    startedBy: String(value['startType']),
    endedAt: null,
    failure: null,
    isAborted: false,
    isCompensating: false,
    active: [],
    omitted: 0,
    timeline: appended([], record)
  }
}

/** What `status` and `step` follow from. */
type State = Pick<SagaRow, 'endedAt' | 'isAborted' | 'isCompensating' | 'failure' | 'active'>
type Change = (state: State, record: ViewRecord) => State

const withActive = (state: State, active: State['active']): State => {
  const { endedAt, isAborted, isCompensating, failure } = state
  return { endedAt, isAborted, isCompensating, failure, active }
}

const stepIs =
  (stepState: ActiveStep['state']): Change =>
  (state, { value }) => {
    const step = String(value['step'])
    const undo = value['undo'] === true
    const now: ActiveStep =
      stepState === 'parked'
        ? { step, state: stepState, undo, reason: String(value['reason']) }
        : { step, state: stepState, undo }
    return withActive(state, [...state.active.filter((other) => other.step !== step), now])
  }

const stepIsOver: Change = (state, { value }) =>
  withActive(
    state,
    state.active.filter(({ step }) => step !== value['step'])
  )

/** A late reply settles what a rejection has left open. */
const succeeded: Change = (state, record) => {
  const over = stepIsOver(state, record)
  const isSettled = state.failure?.step === record.value['step'] && !state.isCompensating
  return isSettled ? { ...over, failure: null } : over
}

const hasEnded: Change = (state, { at }) => ({ ...withActive(state, []), endedAt: at })

const issued: Change = (state, record) =>
  stepIs(Number(record.value['attempt']) > 1 ? 'retrying' : 'running')(state, record)

/** What it turns back for is said when it does; until then, or where the step is parked, it is the latest rejection. */
const rejected: Change = (state, { value }) => {
  if (state.isCompensating) return state
  const [step, type] = [String(value['step']), String(value['rejectionType'])]
  return { ...state, failure: { type, step, message: `step '${step}' was rejected with '${type}'` } }
}

/** By event. Those that are not here change nothing but the timeline. */
const changeByEvent: Readonly<Record<string, Change>> = {
  CommandIssued: issued,
  RetryScheduled: stepIs('retrying'),
  StepProgressed: stepIs('waiting'),
  StepSucceeded: succeeded,
  StepRejected: (state, record) => rejected(stepIsOver(state, record), record),
  StepUnknown: stepIsOver,
  StepCompensated: stepIsOver,
  CompensationStarted: (state, { value }) => ({
    ...withActive(state, []),
    isCompensating: true,
    failure: failureOf(value)
  }),
  SagaParked: stepIs('parked'),
  SagaResumed: stepIsOver,
  SagaCompleted: hasEnded,
  SagaCompensated: hasEnded,
  SagaAborted: (state, { at }) => ({ ...withActive(state, []), endedAt: at, isAborted: true })
}

/** Of several at once the first of: parked, compensating, retrying, running, waiting. */
const statusOf = ({ endedAt, isAborted, isCompensating, active }: State): SagaStatus => {
  if (endedAt !== null) {
    if (isAborted) return 'aborted'
    return isCompensating ? 'compensated' : 'completed'
  }
  const has = (state: ActiveStep['state']): boolean => active.some((step) => step.state === state)
  if (has('parked')) return 'parked'
  if (isCompensating) return 'compensating'
  if (has('retrying')) return 'retrying'
  return has('waiting') && !has('running') ? 'waiting' : 'running'
}

const failureOf = (value: ViewRecord['value']): SagaRow['failure'] => {
  const { type, step, message } = value['failure'] as Record<string, unknown>
  return { type: String(type), step: String(step), message: String(message) }
}

type PackedSaga = readonly [
  step: string | null,
  startedBy: string,
  failure: SagaRow['failure'],
  isAborted: 0 | 1,
  isCompensating: 0 | 1,
  active: readonly ActiveStep[],
  omitted: number,
  timeline: PackedTimeline
]

/** The engine's own read model: the instances of sagas. */
export const sagas = projection({
  name: 'sagas',
  layout: 2,
  reads: [sagaJournal, callsTopic],
  keyOf: rowKeyOf,
  fold: foldSaga,
  bytesOf: ({ key, failure, active, timeline }) =>
    sagaBytes + key.length + (failure?.message.length ?? 0) + active.length * stepBytes + timelineBytes(timeline),
  columns: {
    saga: { type: 'text', of: ({ saga }) => saga },
    key: { type: 'text', of: ({ key }) => key },
    revision: { type: 'text', of: ({ revision }) => revision, isFixed: true },
    status: { type: 'text', of: ({ status }) => status },
    startedAt: { type: 'integer', of: ({ startedAt }) => startedAt, isFixed: true },
    endedAt: { type: 'integer', of: ({ endedAt }) => endedAt }
  },
  key: ['saga', 'key'],
  newestBy: 'startedAt',
  lists: [{ by: ['key'] }, { by: ['saga', 'status'] }, { by: ['saga'] }, { by: ['status'] }, { by: [] }],
  usual: { column: 'status', value: 'completed' },
  counts: { by: ['saga', 'revision'], until: 'endedAt' },
  packing: {
    pack: (row, shapes): PackedSaga => {
      const { step, startedBy, failure, active, omitted } = row
      const [isAborted, isCompensating] = [row.isAborted ? 1 : 0, row.isCompensating ? 1 : 0] as const
      return [step, startedBy, failure, isAborted, isCompensating, active, omitted, packTimeline(row.timeline, shapes)]
    },
    unpack: (packed: PackedSaga, columns, shapes): SagaRow => {
      const [step, startedBy, failure, isAborted, isCompensating, active, omitted, timeline] = packed
      return {
        saga: String(columns['saga']),
        key: String(columns['key']),
        revision: String(columns['revision']),
        status: columns['status'] as SagaStatus,
        step,
        startedAt: Number(columns['startedAt']),
        startedBy,
        endedAt: columns['endedAt'] as number | null,
        failure,
        isAborted: isAborted === 1,
        isCompensating: isCompensating === 1,
        ...{ active, omitted },
        timeline: unpackTimeline(timeline, shapes)
      }
    }
  }
})

const sagaBytes = 400
const stepBytes = 120

export type RunningCount = { readonly saga: string; readonly revision: string; readonly count: number }

/** What is counted of them: those that have not ended, by saga and revision. */
export const runningCounts = (counts: readonly Count[]): readonly RunningCount[] =>
  counts.map(({ of: [saga, revision], count }) => ({ saga: saga!, revision: revision!, count }))
