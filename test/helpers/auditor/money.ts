import { type AuditEvent, type Flow, type Journals, type Violation, violation } from './events.ts'

const rule = '9.2 money'

/**
 * Rule 9.2: an order's money is captured at most once, and what is given back is what was captured. (Whether it had to
 * be given back, the order tells: orders.ts.)
 */
export const auditMoney = (journals: Journals, flow: Flow): Violation[] => {
  const totals = new Map(
    journals
      .events('order-events')
      .filter(({ type }) => type === 'OrderPlaced')
      .map((event) => [event.value['orderId'], event])
  )
  return [...journals.by('payment-events', 'orderId')].flatMap(([orderId, events]) =>
    auditPayment({ orderId, events, placed: totals.get(orderId), flow })
  )
}

type Report = (message: string, ...evidence: AuditEvent[]) => void

type Payment = {
  readonly orderId: string
  readonly events: readonly AuditEvent[]
  readonly placed: AuditEvent | undefined
  readonly flow: Flow
}

const auditPayment = ({ orderId, events, placed, flow }: Payment): Violation[] => {
  const found: Violation[] = []
  const report: Report = (message, ...evidence) => found.push(violation(rule, message, ...evidence))
  const captures = events.filter(({ type }) => type === 'PaymentSucceeded')
  const refunds = events.filter(({ type }) => type === 'PaymentRefunded')
  auditCaptures({ orderId, captures, refunded: refunds[0], flow }, report)
  const captured = captures[0]
  const due = captured?.value['amountCents'] ?? 0
  for (const event of refunds) {
    if (event.value['amountCents'] !== due)
      report(`order '${orderId}' got back ${Number(event.value['amountCents'])} of ${Number(due)}`, ...captures, event)
  }
  if (captured === undefined) return found
  if (placed !== undefined && due !== placed.value['totalCents'])
    report(`order '${orderId}' was charged ${Number(due)}, not its total`, placed, captured)
  const failed = events.find(({ type }) => type === 'PaymentFailed')
  if (failed !== undefined && refunds.length === 0)
    report(`the payment of order '${orderId}' both failed and succeeded`, failed, captured)
  return found
}

type Captures = {
  readonly orderId: string
  readonly captures: readonly AuditEvent[]
  readonly refunded: AuditEvent | undefined
  readonly flow: Flow
}

/** In choreography nobody asks again, so that no answer is given again: whatever is captured there, is. */
const auditCaptures = ({ orderId, captures, refunded, flow }: Captures, report: Report): void => {
  for (const event of captures) {
    const isAnother = flow === 'choreography' ? event !== captures[0] : !isRepeat(captures[0]!, event)
    if (isAnother) report(`order '${orderId}' was captured twice`, captures[0]!, event)
    if (refunded !== undefined && event.offset > refunded.offset)
      report(`order '${orderId}' was captured after its refund`, refunded, event)
  }
}

/** The same answer again: to the same command, about the same payment. */
const isRepeat = (first: AuditEvent, event: AuditEvent): boolean =>
  event.cause === first.cause &&
  event.value['paymentId'] === first.value['paymentId'] &&
  event.value['amountCents'] === first.value['amountCents']

export type PaymentState = 'none' | 'captured' | 'failed' | 'refunded'

export const foldPayment = (events: readonly AuditEvent[]): PaymentState => {
  const types = new Set(events.map(({ type }) => type))
  if (types.has('PaymentRefunded')) return types.has('PaymentSucceeded') ? 'refunded' : 'none'
  if (types.has('PaymentSucceeded')) return 'captured'
  return types.has('PaymentFailed') ? 'failed' : 'none'
}
