import { Budget, partitionOf } from '../base/index.ts'
import { placeName, type TopicPartition } from '../log/index.ts'
import type { Attempt, AttemptOf, Awaited, Beginnings } from './component.ts'
import { type Entry, InboxLoad } from './inbox-load.ts'
import type { WindowLimits } from './window.ts'

export type UnansweredDeps = {
  /** Throws for a topic that nobody has declared. */
  readonly partitionCount: (topic: string) => number
  /** True where it is heard from the participant's journal how far an inbox partition was read. */
  readonly tellsReading: (inbox: string, partition: number) => boolean
  /** The clock of one of its attempts runs now, after its timer had fired in vain. */
  readonly onClock: (entity: string) => void
  readonly limits: UnansweredLimits
  /** Of the process, for what lives; without it, only `limits` bound what is known of commands. */
  readonly living?: Budget | undefined
  /** What was sent before says nothing of how long nobody has read it. */
  readonly startedAt: number
}

export type UnansweredLimits = {
  /** Of what may lie unread in an inbox partition whose participant tells how far it has read. */
  readonly window: WindowLimits
  /** Where only its answers tell that: who answers late seems to read late. */
  readonly windowUntold: WindowLimits
  /** What may be unanswered in one inbox partition, read or not. */
  readonly unansweredMax: number
}

/** Where an entity's change stands in the journal, when it was decided, and whether an answer has led to it. */
export type Change = {
  readonly offset: number
  readonly now: number
  readonly isAnswer: boolean
  /** It comes from a snapshot: what is awaited was sent by then, nobody knows when. */
  readonly isRestored?: boolean
}

/** Between two attempts a command is known, but in no inbox that it could be read from. */
type Paused = Pick<Entry, 'load' | 'entity' | 'index' | 'firstSequence'> & {
  readonly sentAt?: undefined
  /** It was sent in vain, for all that is known. */
  readonly isUnread: boolean
}

/**
 * The commands of one journal partition that were not answered yet: what of them was read, and so which clocks run.
 *
 * U1. A command counts as read when its participant's journal says that it has read its inbox so far (the position of
 *     this journal as a source, `sequencePosition`), or when one behind it in the same inbox partition was answered.
 *     All of this is memory: after a take-over it is found out anew.
 * U2. Of what is unread in an inbox partition only one is sent again, the probe, and only after nothing was read for as
 *     long as its attempt has. So a trace of reading that was lost holds nothing up for ever, and an inbox that nobody
 *     reads does not grow.
 * U3. What begins anew is put off while an inbox partition that it will send to has as much unread as its window, or
 *     too much unanswered. What has begun is never held back.
 */
export class Unanswered {
  readonly #deps: UnansweredDeps
  readonly #loads = new Map<string, InboxLoad>()
  readonly #known = new Map<string, readonly (Entry | Paused)[]>()
  readonly #living: Budget
  #ownFrom = 0

  constructor(deps: UnansweredDeps) {
    this.#deps = deps
    this.#living = deps.living ?? new Budget(Infinity)
  }

  /** What is sent from this offset on is sent by this owner, who hears all that is told of it. */
  sendsFrom(offset: number): void {
    this.#ownFrom = offset
  }

  /** Holds nothing any more. */
  close(): void {
    for (const { account } of this.#loads.values()) account.clear()
  }

  /** By inbox partition, for metrics. */
  get loads(): ReadonlyMap<string, Pick<InboxLoad, 'count' | 'unreadCount' | 'window' | 'isTold'>> {
    return this.#loads
  }

  /** What an entity, whose commands have this key, waits for from now on. */
  change(entity: string, key: string, awaited: readonly Awaited[], change: Change): void {
    const before = this.#known.get(entity) ?? none
    const after = awaited.flatMap((one) => {
      const known = before.find(({ index }) => index === one.index)
      if (known !== undefined && known.sentAt === one.sentAt) return [known]
      const load = this.#loadOf(one, key, change.now)
      if (load === undefined) return []
      return [one.sentAt === undefined ? pause(load, entity, one, known) : send({ load, entity }, one, known, change)]
    })
    if (after.length > 0) this.#known.set(entity, after)
    else if (before.length > 0) this.#known.delete(entity)
    for (const known of before) if (!awaited.some(({ index }) => index === known.index)) this.#over(known, change)
  }

  /** The inbox partitions in which something lies unread. */
  unreadPlaces(): TopicPartition[] {
    return [...this.#loads.values()].flatMap(({ unreadCount, place }) => (unreadCount > 0 ? [place] : []))
  }

  /** It is told from now on how far this inbox partition is read: what is not told of is not read. */
  isToldOf(place: string): void {
    this.#loads.get(place)?.told()
  }

  /** This inbox partition was read up to this sequence. */
  read(place: string, to: number, now: number): void {
    const load = this.#loads.get(place)
    if (load === undefined) return
    load.told()
    this.#read(load, to, now)
  }

  /** How the attempts of an entity stand now. */
  attemptOf(entity: string, now: number): AttemptOf {
    const known = this.#known.get(entity) ?? none
    return ({ index, dueAt, sentAt }) => {
      const found = known.find((one) => one.index === index && one.sentAt === sentAt)
      if (found === undefined) return undefined
      return isSent(found) ? attemptAt(found) : holdAt(found, dueAt, now)
    }
  }

  /** A timer of this entity has fired before its time: who waits to be read has to be woken then. */
  firedInVain(entity: string): void {
    for (const one of this.#known.get(entity) ?? none) if (isSent(one)) one.isOverdue = one.readAt === undefined
  }

  /** How much may begin that sends to these inboxes under this key, or under any. */
  room(inboxes: ReturnType<Beginnings['inboxesOf']>, key: string): number {
    let room = Infinity
    for (const load of this.#loadsOf(inboxes, key)) {
      const { window, unreadCount, count } = load
      const own = Math.min(window.limit - unreadCount, this.#deps.limits.unansweredMax - count, load.room)
      // Where memory holds it back, how much the participant reads says nothing of its pace.
      if (own <= 0 && load.room > 0) load.window.full()
      room = Math.min(room, own)
    }
    return Math.max(0, room)
  }

  /** It is not waited for any more, by an answer or otherwise. */
  #over(known: Entry | Paused, { now, isAnswer }: Change): void {
    const { load, entity, index, firstSequence } = known
    const wasProbe = isSent(known) ? load.isProbe(known) : load.probe?.entity === entity && load.probe.index === index
    settle(known)
    load.retries.forget(idOf(entity, index))
    if (wasProbe) load.probe = undefined
    if (isAnswer) {
      // Of what was sent before, an earlier owner may have heard that it was read.
      if (firstSequence >= this.#ownFrom) load.answered()
      this.#read(load, firstSequence + 1, now)
    } else if (wasProbe) this.#wakeProbe(load)
  }

  #read(load: InboxLoad, to: number, now: number): void {
    load.read(to, now, (entry) => this.#wake(entry))
    this.#wakeProbe(load)
  }

  #wakeProbe({ probe, first }: InboxLoad): void {
    if (probe === undefined && first !== undefined) this.#wake(first)
  }

  #wake(entry: Entry): void {
    if (!entry.isOverdue) return
    entry.isOverdue = false
    this.#deps.onClock(entry.entity)
  }

  *#loadsOf(inboxes: ReturnType<Beginnings['inboxesOf']>, key: string): Iterable<InboxLoad> {
    for (const { inbox, isUnderKey } of inboxes) {
      const place = isUnderKey ? this.#placeOf(inbox, key) : undefined
      const load = place === undefined ? undefined : this.#loads.get(placeName(place))
      if (load !== undefined) yield load
      if (!isUnderKey) yield* [...this.#loads.values()].filter((one) => one.place.topic === inbox)
    }
  }

  #loadOf({ inbox, key }: Awaited, keyOfEntity: string, now: number): InboxLoad | undefined {
    const place = inbox === undefined ? undefined : this.#placeOf(inbox, key ?? keyOfEntity)
    if (place === undefined) return undefined
    const name = placeName(place)
    const known = this.#loads.get(name)
    if (known !== undefined) return known
    const { tellsReading, limits, startedAt } = this.#deps
    const isTold = tellsReading(place.topic, place.partition)
    const windowLimits = isTold ? limits.window : limits.windowUntold
    const account = this.#living.account('commands')
    const load = new InboxLoad({ place, isTold, windowLimits, account, now: Math.max(now, startedAt) })
    this.#loads.set(name, load)
    return load
  }

  /** Undefined for an inbox that is not there any more. */
  #placeOf(inbox: string, key: string): TopicPartition | undefined {
    if (inbox === '') return undefined
    try {
      return { topic: inbox, partition: partitionOf(key, this.#deps.partitionCount(inbox)) }
    } catch {
      return undefined
    }
  }
}

const none: readonly never[] = []

/** The sequence of an attempt before a take-over: its answer tells nothing of the others. */
const unknown = -1

const idOf = (entity: string, index: number): string => `${index} ${entity}`

const isSent = (known: Entry | Paused): known is Entry => known.sentAt !== undefined

/** Whoever is sent again unread is the probe from then on; after a take-over, the first that is to be sent again. */
const pause = (load: InboxLoad, entity: string, { index }: Awaited, known: Entry | Paused | undefined): Paused => {
  if (known === undefined || !isSent(known)) {
    load.addPaused()
    load.probe ??= { entity, index }
    return { load, entity, index, firstSequence: unknown, isUnread: true }
  }
  load.leave(known)
  const isUnread = known.readAt === undefined
  if (isUnread) load.probe = { entity, index }
  return { load, entity, index, firstSequence: known.firstSequence, isUnread }
}

const settle = (known: Entry | Paused): void => {
  if (isSent(known)) known.load.leave(known)
  known.load.end(isSent(known) ? known.readAt === undefined : known.isUnread)
}

const send = (
  { load, entity }: Pick<Entry, 'load' | 'entity'>,
  { index, sentAt }: Awaited,
  known: Entry | Paused | undefined,
  { offset, now, isRestored }: Change
): Entry => {
  if (known === undefined) load.retries.sentFirst()
  else load.retries.sentAgain(idOf(entity, index))
  if (known !== undefined) settle(known)
  const firstSequence = known?.firstSequence ?? (isRestored === true ? unknown : offset)
  const entry: Entry = {
    ...{ load, entity, index, sequence: offset, firstSequence, sentAt: sentAt! },
    ...{ readAt: undefined, isOver: false, isOverdue: false }
  }
  load.add(entry, now)
  return entry
}

const attemptAt = (entry: Entry): Attempt => {
  const { load, readAt, sentAt } = entry
  if (readAt !== undefined) return { kind: 'read', at: readAt }
  if (!load.isProbe(entry)) return { kind: 'unread' }
  return { kind: 'probe', at: Math.max(sentAt, load.movedAt), isUnread: load.isTold }
}

/** What pauses for longer than that anyway is told when it wants to go on. */
const holdAt = ({ load, entity, index }: Paused, dueAt: number, now: number): Attempt | undefined => {
  const until = dueAt > now ? undefined : load.retries.heldUntil(idOf(entity, index), now)
  return until === undefined || until <= now ? undefined : { kind: 'held', until }
}
