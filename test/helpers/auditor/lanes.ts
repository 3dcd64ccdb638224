import { type AuditEvent, type AuditRecord, type Journals, type Violation, violation } from './events.ts'
import { positionsIn } from './loads.ts'

/**
 * B4. A saga starts when its event is passed: by the position of the event's partition, or where it was put off, by
 *     that of its lane. So each starts once, and those that were put off in the order in which they came.
 */
export const auditLanes = (journals: Journals): Violation[] => {
  const placed = new Map(
    journals.events('order-events').flatMap((event) => (event.type === 'OrderPlaced' ? [[idOf(event), event]] : []))
  )
  const started = journals.events('saga-events').filter(({ type }) => type === 'SagaStarted')
  const records = journals.records.filter(({ topic }) => topic === 'saga-events')
  return [...Map.groupBy(records, ({ partition }) => partition)].flatMap(([partition, own]) => {
    const starts = started.flatMap((event) => {
      const order = event.partition === partition ? placed.get(keyOf(event)) : undefined
      return order === undefined ? [] : [{ event, order }]
    })
    return auditPartition(own, starts)
  })
}

type Start = { readonly event: AuditEvent; readonly order: AuditEvent }

/** What the positions say is true at the end of each batch, which is where the next one begins that has positions. */
const auditPartition = (records: readonly AuditRecord[], starts: readonly Start[]): Violation[] => {
  const read = new Map<string, number>()
  let lanes: ReadonlyMap<string, number> = new Map()
  const found: Violation[] = []
  const check = (end: number): void => {
    for (const { event, order } of starts) {
      const place = `${order.topic}/${order.partition}`
      const passed = Math.min(read.get(place) ?? 0, lanes.get(`order@${place}`) ?? Infinity)
      if (event.offset < end === order.offset < passed) continue
      const what = event.offset < end ? 'has started, but its event was not passed' : 'was passed, but has not started'
      found.push(violation('3a backlog', `saga '${keyOf(event)}' ${what} before ${end}`, order, event))
    }
  }
  for (const { headers, offset } of records) {
    if (headers['parcomolo-positions'] === undefined && headers['parcomolo-lanes'] === undefined) continue
    check(offset)
    for (const [place, next] of positionsIn(headers)) read.set(place, next)
    if (headers['parcomolo-lanes'] !== undefined) lanes = new Map(positionsIn(headers, 'lanes'))
  }
  // A journal that was written by hand may say nothing of what it has read.
  if (read.size > 0) check((records.at(-1)?.offset ?? 0) + 1)
  return found.slice(0, reportedMax)
}

/** One that is wrong is so at every batch from there on. */
const reportedMax = 5

const idOf = ({ value }: AuditEvent): string => String(value['orderId'])

const keyOf = ({ value }: AuditEvent): string => String(value['key'])
