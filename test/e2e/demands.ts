import { type AuditEvent, Journals } from '../helpers/auditor/events.ts'
import type { AuditRecord, Schemas } from '../helpers/auditor.ts'
import type { Batches, Demand } from './stalls.ts'

const services = [
  ['order-events', 'order-commands'],
  ['stock-events', 'inventory-commands'],
  ['payment-events', 'payment-commands'],
  ['shipping-events', 'shipping-commands']
] as const
const saga = 'saga-events'

/**
 * What each partition of each component was asked and when it answered, as the journals tell. Events and commands have
 * the time of their decision, so the way of a batch to the brokers counts where it asks, not where it answers. A
 * command that was decided but not sent, as its sender stood still, came no earlier than what stands before it in its
 * inbox.
 */
export const demandsOf = (
  records: readonly AuditRecord[],
  schemas: Schemas
): { readonly demands: Demand[]; readonly batches: Batches } => {
  const journals = new Journals(records, schemas)
  const events = [...services.map(([journal]) => journal), saga].flatMap((topic) => journals.events(topic))
  const batches = Map.groupBy(events, placeOf)
  return {
    demands: [...services.flatMap(([journal, inbox]) => ofService(journals, journal, inbox)), ...ofSagas(journals)],
    batches: new Map([...batches].map(([place, own]) => [place, [...new Set(own.map(({ timestamp }) => timestamp))]]))
  }
}

/** Each command, from the first time that it came to the first event that answers it. */
const ofService = (journals: Journals, journal: string, inbox: string): Demand[] => {
  const commands = firstBy(arrivals(journals.events(inbox)), ({ headers }) => headers['ce_id'])
  const answers = firstBy(journals.events(journal), ({ cause }) => cause)
  return [...answers].flatMap(([id, answer]) => {
    const command = commands.get(id)
    return command === undefined || isUnanswered.has(command.value['token']) ? [] : [demand(command, answer)]
  })
}

/** With the time of the newest up to there, by partition; they come in the order of their places. */
const arrivals = (commands: readonly AuditEvent[]): AuditEvent[] => {
  const newest = new Map<number, number>()
  return commands.map((command) => {
    const timestamp = Math.max(command.timestamp, newest.get(command.partition) ?? 0)
    newest.set(command.partition, timestamp)
    return { ...command, timestamp }
  })
}

/** The bank says nothing to these at first, which is no stall. */
const isUnanswered = new Set<unknown>(['tok_flaky', 'tok_silent'])

/** Each start of a saga, and each reply, to what the saga has made of it. */
const ofSagas = (journals: Journals): Demand[] => {
  const replies = Map.groupBy(
    services.flatMap(([journal]) => journals.events(journal)),
    ({ cause }) => cause
  )
  const placed = firstBy(journals.events('order-events').filter(isPlaced), ({ value }) => String(value['orderId']))
  const commands = new Map<string, string>()
  return journals.events(saga).flatMap((event) => {
    const { type, value } = event
    if (type === 'CommandIssued') commands.set(stepOf(value, value['undo']), String(value['commandId']))
    if (type === 'SagaStarted') return pair(placed.get(String(value['key'])), event)
    if (!takesReply.has(type)) return []
    const own = replies.get(commands.get(stepOf(value, type === 'StepCompensated'))) ?? []
    const reply = value['replyType'] ?? value['rejectionType']
    return pair(
      own.find(({ type: own }) => reply === undefined || own === reply),
      event
    )
  })
}

const takesReply = new Set(['StepProgressed', 'StepSucceeded', 'StepRejected', 'ReplyCameLate', 'StepCompensated'])

const isPlaced = ({ type }: AuditEvent): boolean => type === 'OrderPlaced'

const stepOf = ({ key, step }: AuditEvent['value'], undo: unknown): string => JSON.stringify([key, step, undo])

const pair = (question: AuditEvent | undefined, answer: AuditEvent): Demand[] =>
  question === undefined ? [] : [demand(question, answer)]

const demand = (question: AuditEvent, answer: AuditEvent): Demand => ({
  place: placeOf(answer),
  askedAt: question.timestamp,
  answeredAt: answer.timestamp
})

const placeOf = ({ topic, partition }: AuditEvent): string => `${topic}/${partition}`

const firstBy = (
  events: readonly AuditEvent[],
  nameOf: (event: AuditEvent) => string | undefined
): Map<string, AuditEvent> => {
  const first = new Map<string, AuditEvent>()
  for (const event of events) {
    const name = nameOf(event)
    if (name !== undefined && !first.has(name)) first.set(name, event)
  }
  return first
}
