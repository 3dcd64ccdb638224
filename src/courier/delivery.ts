import { commandId, parseCommandId } from '../saga/index.ts'
import type { Event } from '../task/index.ts'

/**
 * A command on its way to a participant that speaks HTTP.
 *
 *   (none) ──command──▶ calling ──failed──▶ waiting ──its time has come──▶ calling
 *                         │ │                  │
 *              answer, or │ │ 202              │ expired, given up, undone
 *      it comes by an event │                  ▼
 *                         ▼ └──▶ accepted   stopped
 *                      answered
 *
 * C1. A command is called until it is answered, accepted, undone or expired, or until nobody has asked for it for
 *     `keptMs`. Who sends it again asks for it: that begins no call beside the one under way, and after the end of all
 *     calls it begins a new one. So the courier's pauses alone say how often a participant is called.
 * C2. What was decided is in the journal before it is called. A call that an earlier owner has begun is begun again.
 * C3. A command is answered once. What comes later is no answer; what is no answer of this command is passed on.
 * C4. An undo waits for the call of its command that is under way, and ends its repeats. A command that comes after its
 *     undo is not called.
 */
export type Delivery = Open | Closed | Taken

type Open = {
  readonly status: 'calling' | 'waiting'
  readonly command: string
  readonly key: string
  readonly correlationId: string
  /** The place of the event that has sent it, in a journal, and the next offset there; empty where that is not told. */
  readonly cause: string
  /** Of its sender. */
  readonly attempt: number
  /** In the wire format. */
  readonly arguments: Uint8Array
  readonly expiresAt: number | null
  /** When it was last asked for. */
  readonly askedAt: number
  /** Calls so far, the one under way among them. */
  readonly tries: number
  /** Whose call it is; a process that is no more has none. */
  readonly by: string
  /** While it waits. */
  readonly nextTryAt: number
  readonly isUndone: boolean
}

type Closed = {
  readonly status: 'accepted' | 'answered' | 'stopped'
  readonly command: string
  readonly attempt: number
}

/** An event that the participant has posted, by its id. */
type Taken = { readonly status: 'taken' }

export type CommandCame = Pick<
  Open,
  'command' | 'key' | 'correlationId' | 'cause' | 'attempt' | 'arguments' | 'expiresAt'
> & {
  readonly kind: 'command'
  readonly id: string
}

/** A record of the contract: the answer to a call, or what the participant has posted under an id. */
export type RecordCame = {
  readonly kind: 'record'
  readonly eventId: string | undefined
  readonly causationId: string | undefined
  readonly key: string
  readonly type: string
  readonly fullName: string
  readonly value: Event['value']
}

export type OutcomeCame = {
  readonly kind: 'outcome'
  readonly commandId: string
  readonly tries: number
  readonly accepted: boolean
  readonly reason: string
  readonly detail: string
  readonly retryAfterMs: number
  /** Chance, from 0 to 1. */
  readonly jitter: number
}

export type Came = CommandCame | RecordCame | OutcomeCame | { readonly kind: 'timer'; readonly key: string }

export type Circumstances = {
  readonly now: number
  /** This process. */
  readonly by: string
  /** Of one call. */
  readonly timeoutMs: number
  /** Whether a record is a reply or an error of a command. */
  readonly isAnswer: (command: string, type: string) => boolean
}

type Find = (key: string) => Delivery | undefined

/** Longer than a sender's pause between two attempts, unless its timeout is. */
const keptMs = 900_000
const pause = { firstMs: 200, factor: 2, mostMs: 30_000, askedForMostMs: 300_000 }
/** After so many calls in vain it waits patiently: others are taken up beside it. */
const patientFrom = 5

export const eventKey = (eventId: string): string => `event ${eventId}`

/** The undo of a command, or the command of an undo; undefined for an id that is not of a saga. */
export const companionOf = (id: string): string | undefined => {
  const address = parseCommandId(id)
  return address && commandId(address.saga, address.step, address.key, !address.undo)
}

const isUndo = (id: string): boolean => parseCommandId(id)?.undo === true

/** Those of a command that nothing more is to be done for, until somebody asks. */
export const isOpen = (delivery: Delivery | undefined): delivery is Open =>
  delivery?.status === 'calling' || delivery?.status === 'waiting'

export const isPatient = (delivery: Delivery): boolean => isOpen(delivery) && delivery.tries > patientFrom

export const decide = (find: Find, came: Came, given: Circumstances): readonly Event[] => {
  switch (came.kind) {
    case 'command':
      return decideCommand(find, came, given)
    case 'record':
      return decideRecord(find, came, given)
    case 'outcome':
      return decideOutcome(find, came, given)
    case 'timer':
      return decideTimer(find(came.key), came.key, given)
  }
}

const decideCommand = (find: Find, came: CommandCame, given: Circumstances): readonly Event[] => {
  const { id, attempt } = came
  const known = find(id)
  if (known !== undefined && (known.status === 'taken' || attempt <= known.attempt)) return []
  const reason = uselessBecause(find, came, given)
  if (reason !== undefined) return [stopped(came, id, reason)]
  if (isOpen(known)) return [record(came.key, 'DeliveryAskedAgain', { commandId: id, attempt })]
  const companion = isUndo(id) ? companionOf(id)! : ''
  const undone = find(companion)
  return isOpen(undone) ? beginUndo(came, undone, companion, given) : [begun(came, null, given.by)]
}

const uselessBecause = (find: Find, { id, expiresAt }: CommandCame, { now }: Circumstances): string | undefined => {
  const undo = isUndo(id) ? undefined : companionOf(id)
  if (undo !== undefined && find(undo) !== undefined) return 'undone'
  return expiresAt !== null && expiresAt <= now ? 'expired' : undefined
}

/** Behind the call of its command, if one is under way. */
const beginUndo = (undo: CommandCame, of: Open, id: string, { now, by, timeoutMs }: Circumstances): readonly Event[] =>
  of.status === 'waiting' ? [stopped(of, id, 'undone'), begun(undo, null, by)] : [begun(undo, now + timeoutMs, by)]

const begun = (came: CommandCame, heldUntil: number | null, by: string): Event => {
  const { id, command, correlationId, cause, attempt, arguments: bytes, expiresAt } = came
  const sent = { commandId: id, command, correlationId, cause, attempt, arguments: bytes, expiresAt }
  const value = { ...sent, heldUntil, by }
  return record(came.key, 'DeliveryBegun', value)
}

const stopped = (of: StoppedOf, id: string, reason: string): Event =>
  record(of.key, 'DeliveryStopped', { ...told(of, id), attempt: of.attempt, reason })

/** What whoever shows it to people has to know. */
const told = ({ correlationId, cause }: Pick<Open, 'correlationId' | 'cause'>, id: string): Event['value'] => {
  const { step = '', undo = false } = parseCommandId(id) ?? {}
  return { commandId: id, correlationId, step, undo, cause }
}

type StoppedOf = Pick<Open, 'key' | 'correlationId' | 'cause' | 'attempt'>

const record = (key: string, type: string, value: Event['value']): Event => ({
  ...{ key, type, value },
  fullName: `parcomolo.courier.${type}`
})

const decideRecord = (find: Find, came: RecordCame, given: Circumstances): readonly Event[] => {
  const { eventId, causationId } = came
  if (eventId === undefined) return decideAnswer(find, came, given)
  if (find(eventKey(eventId)) !== undefined) return []
  const { key, type, fullName, value } = came
  const events = causationId === undefined ? [{ key, type, fullName, value }] : decideAnswer(find, came, given)
  return [...events, record(key, 'EventTaken', { eventId })]
}

const decideAnswer = (find: Find, came: RecordCame, given: Circumstances): readonly Event[] => {
  const { type, fullName, value } = came
  const id = came.causationId!
  const delivery = find(id)
  const answer = { key: isOpen(delivery) ? delivery.key : came.key, type, fullName, value, causationId: id }
  if (delivery === undefined || delivery.status === 'taken' || !given.isAnswer(delivery.command, type)) return [answer]
  if (delivery.status === 'answered') return []
  const answered = record(answer.key, 'DeliveryAnswered', { commandId: id, answer: type })
  return [answer, answered, ...releasedBy(find, id, delivery, given)]
}

const decideOutcome = (find: Find, came: OutcomeCame, given: Circumstances): readonly Event[] => {
  const delivery = find(came.commandId)
  // Of a call that another owner has begun anew meanwhile, or that was answered by an event.
  if (!isOpen(delivery) || delivery.status !== 'calling' || delivery.tries !== came.tries) return []
  const { commandId: id } = came
  const { key } = delivery
  const released = releasedBy(find, id, delivery, given)
  if (delivery.isUndone) return [stopped(delivery, id, 'undone'), ...released]
  if (came.accepted) return [record(key, 'CallAccepted', told(delivery, id)), ...released]
  const { tries, reason, detail } = came
  const nextTryAt = given.now + pauseAfter(came)
  return [record(key, 'CallFailed', { ...told(delivery, id), tries, reason, detail, nextTryAt }), ...released]
}

/** The undo that waits for this call. */
const releasedBy = (find: Find, id: string, delivery: Delivery, { by }: Circumstances): readonly Event[] => {
  if (!isOpen(delivery) || !delivery.isUndone) return []
  const undoId = companionOf(id)!
  const undo = find(undoId)
  return isOpen(undo) && undo.tries === 0 ? [record(undo.key, 'CallBegun', { commandId: undoId, by })] : []
}

const pauseAfter = ({ tries, retryAfterMs, jitter }: OutcomeCame): number => {
  const full = Math.min(pause.mostMs, pause.firstMs * pause.factor ** Math.min(tries - 1, 20))
  return Math.round(Math.max(full * (0.5 + jitter / 2), Math.min(retryAfterMs, pause.askedForMostMs)))
}

const decideTimer = (delivery: Delivery | undefined, id: string, { now, by }: Circumstances): readonly Event[] => {
  if (!isOpen(delivery)) return []
  if (delivery.isUndone) return [stopped(delivery, id, 'undone')]
  if (delivery.expiresAt !== null && delivery.expiresAt <= now) return [stopped(delivery, id, 'expired')]
  if (delivery.askedAt + keptMs <= now) return [stopped(delivery, id, 'given up')]
  return [record(delivery.key, 'CallBegun', { commandId: id, by })]
}

/** A call that is this process's own ends by its outcome. */
export const dueAt = (delivery: Delivery, by: string): number | undefined => {
  if (!isOpen(delivery)) return undefined
  if (delivery.status === 'calling') return delivery.by === by ? undefined : delivery.askedAt
  return Math.min(delivery.nextTryAt, delivery.expiresAt ?? Infinity, delivery.askedAt + keptMs)
}

export const touches = ({ type, fullName, value }: Event): readonly string[] => {
  if (fullName !== undefined && !fullName.startsWith('parcomolo.courier.')) return []
  if (type === 'EventTaken') return [eventKey(String(value['eventId']))]
  const id = value['commandId']
  if (typeof id !== 'string') return []
  return type === 'DeliveryBegun' && isUndo(id) ? [id, companionOf(id)!] : [id]
}

export const evolve = (delivery: Delivery | undefined, event: Event, key: string): Delivery | undefined => {
  const { type, value } = event
  if (type === 'EventTaken') return { status: 'taken' }
  if (type === 'DeliveryBegun') return evolveBegun(delivery, event, key)
  if (type === 'DeliveryStopped' && delivery === undefined)
    return { status: 'stopped', command: '', attempt: value['attempt'] as number }
  if (delivery === undefined || delivery.status === 'taken') return delivery
  return isOpen(delivery) ? evolveOpen(delivery, event) : evolveClosed(delivery, event)
}

const evolveBegun = (delivery: Delivery | undefined, event: Event, key: string): Delivery | undefined => {
  const value = event.value as Begun
  if (value.commandId !== key) return isOpen(delivery) ? { ...delivery, isUndone: true } : delivery
  const { command, correlationId, cause, attempt, arguments: bytes, expiresAt, heldUntil, by } = value
  const at = event.at ?? 0
  return {
    ...{ status: heldUntil === null ? 'calling' : 'waiting', command, key: event.key, correlationId, cause, attempt },
    ...{ arguments: bytes, expiresAt, askedAt: at, tries: heldUntil === null ? 1 : 0, by },
    ...{ nextTryAt: heldUntil ?? 0, isUndone: false }
  }
}

type Begun = Pick<Open, 'command' | 'correlationId' | 'cause' | 'attempt' | 'arguments' | 'expiresAt' | 'by'> & {
  readonly commandId: string
  readonly heldUntil: number | null
}

const evolveOpen = (open: Open, { type, value, at = 0 }: Event): Delivery => {
  const { command, attempt } = open
  switch (type) {
    case 'DeliveryAskedAgain':
      return { ...open, attempt: value['attempt'] as number, askedAt: at }
    case 'CallBegun':
      return { ...open, status: 'calling', tries: open.tries + 1, by: String(value['by']) }
    case 'CallFailed':
      return { ...open, status: 'waiting', nextTryAt: value['nextTryAt'] as number }
    case 'CallAccepted':
      return { status: 'accepted', command, attempt }
    case 'DeliveryAnswered':
      return { status: 'answered', command, attempt }
    case 'DeliveryStopped':
      return { status: 'stopped', command, attempt: value['attempt'] as number }
    default:
      return open
  }
}

const evolveClosed = (closed: Closed, { type, value }: Event): Delivery => {
  if (type === 'DeliveryAnswered') return { ...closed, status: 'answered' }
  return type === 'DeliveryStopped' ? { ...closed, attempt: value['attempt'] as number } : closed
}
