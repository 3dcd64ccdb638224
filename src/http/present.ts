import type { InboxWait } from './deps.ts'
import { type SagaRow, timelineEntries } from '../view/index.ts'

/** The view's rows as users see them: times in RFC 3339, and nothing that only the view needs. */
export const sagaSummaryJson = (row: SagaRow) => {
  const { saga, key, revision, status, step, failure } = row
  const parked = row.active.find((active) => active.state === 'parked')
  return {
    saga,
    key,
    revision,
    status,
    step,
    startedAt: timeText(row.startedAt),
    endedAt: row.endedAt === null ? null : timeText(row.endedAt),
    failure,
    parked: parked === undefined ? null : { step: parked.step, undo: parked.undo, reason: parked.reason ?? '' }
  }
}

export const sagaJson = (row: SagaRow, waits: readonly InboxWait[] = []) => ({
  ...sagaSummaryJson(row),
  waiting: waits.map(waitJson),
  timelineOmitted: row.omitted,
  timeline: timelineEntries(row.timeline).map((entry) => ({ ...entry, at: timeText(entry.at) }))
})

const waitJson = ({ step, undo, inbox, partition, before, isCounted }: InboxWait) => ({
  ...{ step, undo, inbox, partition, before },
  detail: `waits in the inbox, ${isCounted ? '' : 'at least '}${before} before it`
})

export const timeText = (ms: number): string => new Date(ms).toISOString()
