import type { OrderRow, TimelineEntry } from '../orders.ts'
import type { SagaRow, SagaTimelineEntry } from '../sagas.ts'
import type { StockRow } from '../stock.ts'

/** Rows as JSON. Timelines are most of a row, so their entries are arrays: type, time, topic, partition, offset, and for a saga what else there is. */
export const encodeOrder = (row: OrderRow): string => JSON.stringify({ ...row, timeline: row.timeline.map(placeOf) })

export const decodeOrder = (body: string): OrderRow => {
  const row = JSON.parse(body) as Omit<OrderRow, 'timeline'> & { timeline: PlaceJson[] }
  return { ...row, timeline: row.timeline.map(entryAt) }
}

export const encodeSaga = (row: SagaRow): string =>
  JSON.stringify({
    ...row,
    timeline: row.timeline.map((entry) => [
      ...placeOf(entry),
      entry.step ?? 0,
      entry.undo ?? 0,
      entry.attempt ?? 0,
      entry.detail ?? 0
    ])
  })

export const decodeSaga = (body: string): SagaRow => {
  const row = JSON.parse(body) as Omit<SagaRow, 'timeline'> & { timeline: SagaEntryJson[] }
  return { ...row, timeline: row.timeline.map(sagaEntry) }
}

export const encodeStock = (row: StockRow): string => JSON.stringify(row)
export const decodeStock = (body: string): StockRow => JSON.parse(body) as StockRow

type PlaceJson = [type: string, at: number, topic: string, partition: number, offset: number]
type SagaEntryJson = [...PlaceJson, step: string | 0, undo: boolean | 0, attempt: number, detail: string | 0]

const placeOf = ({ type, at, topic, partition, offset }: TimelineEntry): PlaceJson => [
  type,
  at,
  topic,
  partition,
  offset
]
const entryAt = ([type, at, topic, partition, offset]: PlaceJson): TimelineEntry => ({
  type,
  at,
  topic,
  partition,
  offset
})

const sagaEntry = ([
  type,
  at,
  topic,
  partition,
  offset,
  step,
  undo,
  attempt,
  detail
]: SagaEntryJson): SagaTimelineEntry => ({
  ...entryAt([type, at, topic, partition, offset]),
  ...(step === 0 ? {} : { step }),
  ...(undo === 0 ? {} : { undo }),
  ...(attempt === 0 ? {} : { attempt }),
  ...(detail === 0 ? {} : { detail })
})
