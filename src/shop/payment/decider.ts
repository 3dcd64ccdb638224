import { sha256Hex } from '../../base/index.ts'
import type {
  PaymentCommand,
  PaymentDue,
  PaymentEvent,
  PaymentPending,
  ProcessPayment,
  RefundPayment
} from './types.generated.ts'
import { ask, askUntilAnswered, type Verdict } from './bank.ts'

/**
 * The payment of one order.
 *
 *   (none) ──ProcessPayment──▶ captured | failed | pending ──its time has come──▶ captured
 *      │                           │        │        │                               │
 *      └───────────────────────────┴────────┴─── RefundPayment ──▶ refunded ◀────────┘
 *
 * Choreography: (none) ──▶ expected (what is to be paid is known) or due (the goods are reserved), whichever is heard
 * of first; with the second the bank is asked, as for ProcessPayment.
 *
 * P1. An order's money is captured at most once, and what is refunded is what was captured.
 * P2. After a refund nothing is captured: one that overtakes its payment, or meets it while it is pending, stops it.
 * P3. A command that was answered is answered with the same event again, and that event changes nothing.
 */
export type Payment =
  | { readonly status: 'expected'; readonly amountCents: number; readonly currency: string; readonly token: string }
  | { readonly status: 'due' }
  | (Money & { readonly status: 'pending'; readonly captureAt: number; readonly commandId: string })
  | (Money & { readonly status: 'captured' })
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'refunded'; readonly amountCents: number }

type Money = { readonly amountCents: number; readonly currency: string }

/** Beside those of the contract there are payment's own, made of other services' events and of its timer. */
export type Command =
  | PaymentCommand
  | { readonly type: 'ExpectPayment'; readonly value: ProcessPayment }
  | { readonly type: 'PayReserved'; readonly value: PaymentDue }
  | { readonly type: 'CapturePending'; readonly value: PaymentDue }

/** With the command that it answers, where that is not the one being decided on. */
type Answer = PaymentEvent & { readonly causationId?: string }

type Tries = { readonly attempt: number; readonly now: number }

export const decide = (payment: Payment | undefined, command: Command, { attempt, now }: Tries): readonly Answer[] => {
  switch (command.type) {
    case 'ProcessPayment':
      return process(payment, command.value, attempt, now)
    case 'RefundPayment':
      return [refund(payment, command.value)]
    case 'ExpectPayment':
      return expect(payment, command.value, now)
    case 'PayReserved':
      return payReserved(payment, command.value, now)
    case 'CapturePending':
      return capture(payment, command.value.orderId)
  }
}

export const evolve = (payment: Payment | undefined, event: Answer): Payment => {
  switch (event.type) {
    case 'PaymentExpected':
      return { status: 'expected', ...money(event.value), token: event.value.token }
    case 'PaymentDue':
      return { status: 'due' }
    case 'PaymentPending':
      return afterPending(payment, event.value, event.causationId)
    case 'PaymentSucceeded':
      return { status: 'captured', ...money(event.value) }
    case 'PaymentFailed':
      return afterFailure(payment, event.value.reason)
    case 'PaymentRefunded':
      return { status: 'refunded', amountCents: event.value.amountCents }
  }
}

export const dueAt = (payment: Payment): number | undefined =>
  payment.status === 'pending' ? payment.captureAt : undefined

export const hasEnded = ({ status }: Payment): boolean =>
  status === 'captured' || status === 'failed' || status === 'refunded'

/** The first command is the one that will be answered; another one hears the outcome when it is repeated. */
const afterPending = (payment: Payment | undefined, value: PaymentPending, commandId = ''): Payment =>
  payment?.status === 'pending'
    ? payment
    : { status: 'pending', ...money(value), captureAt: value.captureAt, commandId }

/** A payment that comes after its refund fails, but what was refunded stays known. */
const afterFailure = (payment: Payment | undefined, reason: string): Payment =>
  payment?.status === 'refunded' ? payment : { status: 'failed', reason }

const process = (payment: Payment | undefined, order: ProcessPayment, attempt: number, now: number): Answer[] => {
  const { orderId } = order
  switch (payment?.status) {
    case 'pending':
      return [pending(orderId, payment, payment.captureAt)]
    case 'captured':
      return [succeeded(orderId, payment)]
    case 'failed':
      return [failed(orderId, payment.reason)]
    case 'refunded':
      return [failed(orderId, 'refunded')]
    default:
      return charge(order, ask(order.token, attempt), now)
  }
}

const refund = (payment: Payment | undefined, { orderId }: RefundPayment): Answer => {
  const amountCents = payment?.status === 'captured' || payment?.status === 'refunded' ? payment.amountCents : 0
  return { type: 'PaymentRefunded', value: { orderId, amountCents } }
}

const expect = (payment: Payment | undefined, order: ProcessPayment, now: number): Answer[] => {
  if (payment === undefined) return [{ type: 'PaymentExpected', value: order }]
  return payment.status === 'due' ? charge(order, askUntilAnswered(order.token), now) : []
}

const payReserved = (payment: Payment | undefined, { orderId }: PaymentDue, now: number): Answer[] => {
  if (payment === undefined) return [{ type: 'PaymentDue', value: { orderId } }]
  return payment.status === 'expected' ? charge({ orderId, ...payment }, askUntilAnswered(payment.token), now) : []
}

const capture = (payment: Payment | undefined, orderId: string): Answer[] =>
  payment?.status === 'pending' ? [{ ...succeeded(orderId, payment), causationId: payment.commandId }] : []

/** A payment that has an outcome never comes here again: so money moves once. The bank's silence leaves no trace. */
const charge = (order: Omit<ProcessPayment, 'token'>, verdict: Verdict, now: number): Answer[] => {
  if (order.amountCents < 0) return [failed(order.orderId, 'negative amount')]
  switch (verdict.kind) {
    case 'captured':
      return [succeeded(order.orderId, order)]
    case 'declined':
      return [failed(order.orderId, verdict.reason)]
    case 'later':
      return [pending(order.orderId, order, now + verdict.afterMs)]
    case 'silent':
      return []
  }
}

const succeeded = (orderId: string, paid: Money): PaymentEvent => ({
  type: 'PaymentSucceeded',
  value: { orderId, paymentId: `pay_${sha256Hex(orderId).slice(0, 16)}`, ...money(paid) }
})

const pending = (orderId: string, paid: Money, captureAt: number): PaymentEvent => ({
  type: 'PaymentPending',
  value: { orderId, ...money(paid), captureAt }
})

const failed = (orderId: string, reason: string): PaymentEvent => ({
  type: 'PaymentFailed',
  value: { orderId, reason }
})

const money = ({ amountCents, currency }: Money): Money => ({ amountCents, currency })
