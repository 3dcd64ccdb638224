/**
 * The auditor: reads whole journals, folds them in its own way, and says what of DESIGN §9 does not hold. It shares no
 * code with what it judges, so that an error in the product cannot hide in the judgement as well; it reads any log,
 * whatever wrote it.
 */
import { auditArrivals, auditBacklog, type Window } from './auditor/backlog.ts'
import { auditBeside, auditTold, type PassedOverTold, sagaNameOf } from './auditor/beside.ts'
import { type AuditRecord, type Flow, Journals, type Schemas, type Violation } from './auditor/events.ts'
import { auditLanes } from './auditor/lanes.ts'
import { auditMoney } from './auditor/money.ts'
import { auditEnds, auditOrders } from './auditor/orders.ts'
import { type Acknowledged, auditAcknowledged, auditShown, type Shown } from './auditor/outside.ts'
import { auditProtocol } from './auditor/protocol.ts'
import { auditPublished, type Edited } from './auditor/published.ts'
import { auditSagas, foldSaga, instancesOf } from './auditor/sagas.ts'
import { auditStock } from './auditor/stock.ts'

export type { AuditRecord, Schemas, Violation } from './auditor/events.ts'
export type { Acknowledged, Shown } from './auditor/outside.ts'

export type Audit = {
  /** Everything on the journals and inboxes. */
  readonly records: readonly AuditRecord[]
  readonly schemas: Schemas
  readonly flow: Flow
  /** True when time has been moved on until nothing more happened. */
  readonly isQuiet: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  readonly acknowledged?: Acknowledged
  readonly shown?: Shown
  /** How much may be unread, and unanswered, where a saga starts: of a run whose windows stay as they are. */
  readonly window?: Window | undefined
  /** False where somebody between log and shop hides what participants tell of their reading. */
  readonly isTold?: boolean
  /** True where no request was lost, doubled, or so slow that it was sent again. */
  readonly isReliable?: boolean
  readonly beside?: Beside
}

/** Sagas beside that of the order, which run on contracts that change. */
export type Beside = Edited & { readonly told: PassedOverTold }

/** The shop's steps with an undo. */
const undoable = { order: ['stock', 'payment', 'start'] }

const undoableIn = ({ beside }: Audit): Readonly<Record<string, readonly string[]>> => ({
  ...undoable,
  ...Object.fromEntries((beside?.versions ?? []).map((it) => [sagaNameOf(it.text), it.undoable ?? []]))
})

export const audit = (input: Audit): Violation[] => {
  const journals = new Journals(input.records, input.schemas)
  const { isQuiet } = input
  return [
    ...auditStock(journals),
    ...auditEach(journals, input),
    ...auditProtocol(journals, isQuiet),
    ...(input.isTold === false ? [] : auditBacklog(journals, input.window).violations),
    ...auditLanes(journals),
    ...(input.isReliable === true ? auditArrivals(journals) : []),
    ...auditAcknowledged(journals, input.acknowledged ?? {}),
    ...(input.beside === undefined ? [] : auditAllBeside(journals, input.beside, isQuiet)),
    ...(input.shown === undefined ? [] : auditShown(journals, input.shown))
  ]
}

const auditAllBeside = (journals: Journals, beside: Beside, isQuiet: boolean): Violation[] => [
  ...auditBeside(journals, beside.versions, isQuiet),
  ...auditTold(journals, beside.versions, beside.told),
  ...auditPublished(journals, beside, isQuiet)
]

/** What can be said of some orders without the others, when all records of theirs are given. */
export const auditSome = (input: Audit): Violation[] => auditEach(new Journals(input.records, input.schemas), input)

const auditEach = (journals: Journals, input: Audit): Violation[] => [
  ...auditMoney(journals, input.flow),
  ...auditOrders(journals),
  ...auditSagas(journals, { undoable: undoableIn(input), isQuiet: input.isQuiet, now: input.now }),
  ...(input.isQuiet ? auditAtRest(journals, input.flow) : [])
]

/** Nothing can be said yet about an order whose saga is parked. */
const auditAtRest = (journals: Journals, flow: Flow): Violation[] => {
  const instances = instancesOf(journals)
  return auditEnds(journals, flow, (orderId) => {
    const end = foldSaga(instances.get(`order/${orderId}`) ?? [])
    return end === 'parked'
  })
}

/** All violations as text, for a failing test. */
export const told = (violations: readonly Violation[]): string =>
  violations
    .map(({ rule, message, evidence }) => [`${rule}: ${message}`, ...evidence.map((one) => `    ${one}`)].join('\n'))
    .join('\n')
