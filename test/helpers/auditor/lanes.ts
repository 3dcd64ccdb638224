import { type AuditEvent, type AuditRecord, at, type Journals, type Violation, violation } from './events.ts'
import { positionsIn } from './loads.ts'

/**
 * B4. A saga starts when its event is passed: by the position of the event's partition, or where it was put off, by
 *     that of its lane. So each starts once, and those that were put off in the order in which they came.
 *     Where it was handed over, that is so twice: of the event that was handed on, and of what came by that.
 */
export const auditLanes = (journals: Journals): Violation[] => {
  const placed = new Map(
    journals.events('order-events').flatMap((event) => (event.type === 'OrderPlaced' ? [[idOf(event), event]] : []))
  )
  const records = journals.records.filter(({ topic }) => topic === 'saga-events')
  // What was sent twice has come with the first.
  const handed = new Map(
    journals
      .events('orchestrator-commands')
      .toReversed()
      .flatMap((event) => (isStart(event) ? [[startOf(event, event.value as Place), event]] : []))
  )
  const starts = journals.events('saga-events').flatMap((event) => {
    if (event.type !== 'SagaStarted' && !(event.type === 'HandedOver' && isStart(event))) return []
    const order = placed.get(orderOf(journals, event))
    if (order === undefined) return []
    const isStranger = event.type === 'SagaStarted' && order.partition !== event.partition
    return [{ event, order: isStranger ? (handed.get(startOf(event, order)) ?? order) : order }]
  })
  return [...Map.groupBy(records, ({ partition }) => partition)].flatMap(([partition, own]) => {
    const bySaga = Map.groupBy(
      starts.filter(({ event }) => event.partition === partition),
      ({ event }) => String(event.value['saga'])
    )
    return [...bySaga].flatMap(([saga, of]) => auditPartition(own, saga, of))
  })
}

/** The order that a saga has begun with, whatever its key; a journal that was written by hand may not say. */
const orderOf = (journals: Journals, event: AuditEvent): string => {
  const start = (event.value['start'] ?? event.value['message']) as Uint8Array | undefined
  return start === undefined || start.length === 0 ? keyOf(event) : idOf(journals.decode(event, start))
}

type Start = { readonly event: AuditEvent; readonly order: AuditEvent }

/** What the positions say is true at the end of each batch, which is where the next one begins that has positions. */
const auditPartition = (records: readonly AuditRecord[], saga: string, starts: readonly Start[]): Violation[] => {
  const read = new Map<string, number>()
  let lanes: ReadonlyMap<string, number> = new Map()
  const queues = [...Map.groupBy(starts, ({ order }) => `${order.topic}/${order.partition}`)].map(
    ([place, of]) => [place, new Queue(of)] as const
  )
  const found = queues.flatMap(([, queue]) => queue.outOfTurn())
  const check = (end: number): void => {
    for (const [place, queue] of queues) {
      const passed = Math.min(read.get(place) ?? 0, lanes.get(`${saga}@${place}`) ?? Infinity)
      found.push(...queue.check(end, passed))
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

/** What starts by one partition, in its order: as many have started as were passed, so each once, and in order. */
class Queue {
  readonly #starts: readonly Start[]
  /** Where their events stand, and where those stand that tell of it, both rising. */
  readonly #placed: readonly number[]
  readonly #started: readonly number[]
  #startedCount = 0
  #passedCount = 0

  constructor(starts: readonly Start[]) {
    this.#starts = starts.toSorted((a, b) => a.order.offset - b.order.offset)
    this.#placed = this.#starts.map(({ order }) => order.offset)
    this.#started = starts.map(({ event }) => event.offset).sort((a, b) => a - b)
  }

  /** Where all are in turn, counts say which have started. */
  outOfTurn(): Violation[] {
    return this.#starts.flatMap(({ event, order }, i) => {
      const before = this.#starts[i - 1]
      if (before === undefined || before.event.offset < event.offset) return []
      return [violation('3a backlog', `saga '${keyOf(event)}' has started out of turn`, before.event, event, order)]
    })
  }

  /** What is wrong before this offset of the journal, when so much of the partition was passed. */
  check(end: number, passed: number): Violation[] {
    while (this.#started[this.#startedCount]! < end) this.#startedCount++
    while (this.#placed[this.#passedCount]! < passed) this.#passedCount++
    while (this.#placed[this.#passedCount - 1]! >= passed) this.#passedCount--
    const few = this.#starts[Math.min(this.#startedCount, this.#passedCount)]
    if (few === undefined || this.#startedCount === this.#passedCount) return []
    const isEarly = this.#startedCount > this.#passedCount
    const what = isEarly ? 'has started, but its event was not passed' : 'was passed, but has not started'
    return [violation('3a backlog', `saga '${keyOf(few.event)}' ${what} before ${end}`, few.order, few.event)]
  }
}

/** One that is wrong is so at every batch from there on. */
const reportedMax = 5

const isStart = ({ value }: AuditEvent): boolean => value['kind'] === 'start'

type Place = Pick<AuditEvent, 'topic' | 'partition' | 'offset'>

/** Which saga has begun by the event at a place. */
const startOf = ({ value }: AuditEvent, place: Place): string => `${String(value['saga'])} ${at(place)}`

const idOf = ({ value }: AuditEvent): string => String(value['orderId'])

const keyOf = ({ value }: AuditEvent): string => String(value['key'])
