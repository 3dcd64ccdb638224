/**
 * DESIGN §3a: what waits in an inbox is not lost, so it is not sent again. All of it is told by the records alone.
 *
 * A *load* is what one partition of `saga-events` has sent to one partition of an inbox. The participant's own journal
 * says how far it has read of a load (`from:` among its positions). Who decides at an offset has seen no more than was
 * written by then, and no less than its positions cover there. So what is reported here is wrong for certain; what was
 * done too early by less than the way from journal to reader is let pass.
 *
 * B1. A command is sent again only after a decision to do so, made when its answer was overdue: its time has passed
 *     since its inbox was read so far, or it is of no use any more.
 * B2. Or it is the probe of its load: while nothing was read no other is, unless the probe waits for no answer any
 *     more, or another owner has come, who knows nothing of it. And nothing was read for as long as the probe has.
 *     Of a participant that keeps no journal, only the order of its answers tells what it has read, in an order that
 *     each reader sees for itself; so when its commands are sent again is judged by B1's attempts and pauses alone.
 * B3. Where windows are known, no saga starts while a load of its partition has as much unread, or unanswered, as that.
 */
import { type AuditEvent, type AuditRecord, type Journals, type Violation, violation } from './events.ts'
import { Loads, positionsIn, type Sign } from './loads.ts'

const rule = '3a backlog'

export type Window = { readonly unread: number; readonly unanswered: number }

/** Why a command was sent again: it was read and its answer is overdue, its time is over, or it is a probe. */
export type Resend = { readonly event: AuditEvent; readonly why: 'read' | 'over' | 'probe' }

export type BacklogAudit = { readonly violations: readonly Violation[]; readonly resends: readonly Resend[] }

export const auditBacklog = (journals: Journals, window?: Window): BacklogAudit => {
  const [loads, inboxes] = [new Loads(journals), inboxesIn(journals)]
  const events = new Map(journals.events('saga-events').map((event) => [`${event.partition}/${event.offset}`, event]))
  const records = journals.records.filter(({ topic }) => topic === 'saga-events')
  const watches = [...Map.groupBy(records, ({ partition }) => partition).values()].map((own) => {
    const watch = new Watch(loads, inboxes, window)
    for (const record of own) watch.take(record, events.get(`${record.partition}/${record.offset}`))
    return watch
  })
  return {
    violations: watches.flatMap(({ violations }) => violations),
    resends: watches.flatMap(({ resends }) => resends)
  }
}

/**
 * B5. Where the network loses and doubles nothing, a command is in its inbox once, and once more at most for each owner
 *     that has come since, who cannot know whether the one before has sent it.
 */
export const auditArrivals = (journals: Journals): Violation[] => {
  const fences = journals.records.filter(({ headers }) => headers['parcomolo-fence'] !== undefined)
  const sent = journals.records.filter(isForwarded)
  const place = ({ topic, partition, headers }: AuditRecord): string =>
    `${headers['ce_source']}/${headers['ce_sequence']} in ${topic}/${partition}`
  return [...Map.groupBy(sent, place)].flatMap(([what, records]) => {
    const { ce_source: source = '', ce_sequence: sequence } = records[0]!.headers
    const owners = fences.filter((fence) => `/${fence.topic}/${fence.partition}` === source)
    const later = owners.filter(({ offset }) => offset > Number(sequence)).length
    return records.length <= 1 + later
      ? []
      : [violation(rule, `${what} has arrived ${records.length} times`, ...records)]
  })
}

const isForwarded = ({ topic, value, headers }: AuditRecord): boolean =>
  topic.endsWith('-commands') && value !== null && headers['ce_source']?.startsWith('/saga-events/') === true

const isUntold = (load: string): boolean => load.includes('@loyalty-commands/')

/** A command that waits for its answer, or for the next attempt. */
type Open = {
  readonly event: AuditEvent
  readonly load: string
  readonly timeoutMs: number
  /** The decision to send it again. */
  again: AuditEvent | undefined
}

type Probe = {
  readonly command: string
  readonly event: AuditEvent
  /** How far its owner had read the participants' journals. */
  readonly seen: ReadonlyMap<string, number>
}

/** One partition of `saga-events`, from its start to its end. */
/** To which each saga has ever sent something. */
type Inboxes = ReadonlyMap<unknown, ReadonlySet<unknown>>

const inboxesIn = (journals: Journals): Inboxes => {
  const inboxes = new Map<unknown, Set<unknown>>()
  for (const { type, value } of journals.events('saga-events')) {
    if (type !== 'CommandIssued') continue
    const own = inboxes.get(value['saga']) ?? new Set()
    inboxes.set(value['saga'], own.add(value['inbox']))
  }
  return inboxes
}

class Watch {
  readonly violations: Violation[] = []
  readonly resends: Resend[] = []
  readonly #loads: Loads
  readonly #inboxes: Inboxes
  readonly #window: Window | undefined
  /** By instance and step. */
  readonly #open = new Map<string, Open>()
  /** Given up, and perhaps asked for again. */
  readonly #unknown = new Map<string, Open>()
  /** By load, of the owner at work. */
  readonly #probes = new Map<string, Probe>()
  /** By load: that owner has seen something read at this time, or later. */
  readonly #movedAt = new Map<string, number>()
  #seen: ReadonlyMap<string, number> = new Map()
  /** By load, how many of its signs are covered: they come in the order of the one journal that they are in. */
  readonly #signsSeen = new Map<string, number>()
  /** Of the record before. */
  #at = 0
  /** What was written before, an owner who has just come may not have seen. */
  #seesFrom = 0

  constructor(loads: Loads, inboxes: Inboxes, window: Window | undefined) {
    this.#loads = loads
    this.#inboxes = inboxes
    this.#window = window
  }

  take(record: AuditRecord, event: AuditEvent | undefined): void {
    this.#see(record)
    if (record.headers['parcomolo-fence'] !== undefined) {
      this.#probes.clear()
      this.#movedAt.clear()
      this.#seesFrom = record.timestamp
    }
    if (event !== undefined) this.#fold(event)
    this.#at = record.timestamp
  }

  /**
   * What its positions cover beyond those before, its owner has seen since the record before. The first ones of an
   * owner may be those of a snapshot, and of what they cover he has seen what was written since he came.
   */
  #see(record: AuditRecord): void {
    const covered = positionsIn(record.headers)
    if (covered.length === 0) return
    this.#seen = new Map([...this.#seen, ...covered])
    for (const [load, signs] of this.#loads.all) {
      let count = this.#signsSeen.get(load) ?? 0
      for (; count < signs.length && isSeen(signs[count]!, this.#seen); count++)
        if (signs[count]!.to !== undefined && signs[count]!.at >= this.#seesFrom)
          this.#movedAt.set(load, Math.max(signs[count]!.at, this.#at))
      this.#signsSeen.set(load, count)
    }
    this.#seesFrom = 0
  }

  #fold(event: AuditEvent): void {
    const { type, value } = event
    const instance = `${String(value['saga'])}/${String(value['key'])}`
    const command = `${instance} ${String(value['step'])}${value['undo'] === true ? ' undo' : ''}`
    if (type === 'SagaStarted') this.#start(event)
    else if (type === 'CommandIssued') this.#issue(command, event)
    else if (type === 'RetryScheduled') this.#sendAgain(command, event)
    else if (type === 'StepUnknown') this.#giveUp(command, event)
    else if (endsAll.has(type)) this.#endAll(`${instance} `)
    else if (!remarks.has(type)) this.#settle(command)
  }

  /** An answer does not say whether it is one to an undo. */
  #settle(command: string): void {
    this.#open.delete(command)
    this.#open.delete(`${command} undo`)
  }

  #endAll(instance: string): void {
    for (const command of this.#open.keys()) if (command.startsWith(instance)) this.#open.delete(command)
  }

  #issue(command: string, event: AuditEvent): void {
    const { dueAt, attempt } = event.value
    const before = this.#open.get(command)
    if (Number(attempt) > 1 && !(Number(before?.again?.value['dueAt']) <= event.timestamp))
      this.#report(`'${command}' was sent again before it was time to`, event, before?.again)
    if (before !== undefined && Number(attempt) !== Number(before.event.value['attempt']) + 1)
      this.#report(`'${command}' was sent twice as attempt ${String(attempt)}`, before.event, event)
    const load = this.#loads.of(event)
    if (load === undefined) this.#open.delete(command)
    else this.#open.set(command, { event, load, timeoutMs: Number(dueAt) - event.timestamp, again: undefined })
  }

  #sendAgain(command: string, event: AuditEvent): void {
    const unknown = this.#unknown.get(command)
    const open = this.#open.get(command) ?? unknown
    if (open === undefined) return
    open.again = event
    this.#open.set(command, open)
    this.#unknown.delete(command)
    if (open === unknown || isUntold(open.load)) return
    const why = this.#why(open, event)
    this.resends.push({ event, why })
    if (why === 'probe') this.#probe(command, open, event)
  }

  #giveUp(command: string, event: AuditEvent): void {
    const open = this.#open.get(command)
    if (open === undefined) return
    this.#open.delete(command)
    this.#unknown.set(command, open)
    if (isUntold(open.load)) return
    const why = this.#why(open, event)
    if (why === 'probe') this.#report(`'${command}' is given up, though it may not have been read`, open.event, event)
    else this.resends.push({ event, why })
  }

  #why({ event: { offset, value }, load, timeoutMs }: Open, again: AuditEvent): Resend['why'] {
    const read = this.#loads.signs(load).find(({ to = 0 }) => to > offset)
    if (read !== undefined && read.at + timeoutMs <= again.timestamp) return 'read'
    const expiresAt = value['expiresAt']
    return typeof expiresAt === 'number' && expiresAt <= again.timestamp ? 'over' : 'probe'
  }

  #probe(command: string, { event, load, timeoutMs }: Open, again: AuditEvent): void {
    const other = this.#probes.get(load)
    const since = Math.max(event.timestamp, this.#movedAt.get(load) ?? 0)
    if (since + timeoutMs > again.timestamp)
      this.#report(`'${command}' is sent again unread, and too soon`, event, again)
    if (other !== undefined && other.command !== command && this.#isProbe(other, load, again))
      this.#report(`'${command}' is sent again though nobody has read it, nor the probe`, event, again, other.event)
    this.#probes.set(load, { command, event: again, seen: this.#seen })
  }

  /** It still waits, and its owner has seen nothing read since. */
  #isProbe({ command, seen }: Probe, load: string, { timestamp }: AuditEvent): boolean {
    if (this.#open.get(command)?.load !== load) return false
    return !this.#loads.signs(load).some((sign) => sign.at <= timestamp && !isSeen(sign, seen))
  }

  #start(event: AuditEvent): void {
    if (this.#window === undefined) return
    const { unread, unanswered } = this.#window
    const sent = this.#inboxes.get(event.value['saga']) ?? new Set()
    for (const [load, open] of Map.groupBy(this.#open.values(), ({ load }) => load)) {
      if (!sent.has(load.slice(load.indexOf('@') + 1, load.lastIndexOf('/')))) continue
      const told = this.#told(load, event.timestamp)
      const waiting = open.filter(({ event: { offset } }) => offset >= told)
      // Of an answer it is not told here what stood before its command, and so was read as well.
      if ((waiting.length >= unread && !isUntold(load)) || open.length >= unanswered)
        this.#report(`a saga starts behind ${waiting.length} unread and ${open.length} unanswered in ${load}`, event)
    }
  }

  /** Up to which sequence it was read by then. */
  #told(load: string, by: number): number {
    return this.#loads.signs(load).findLast(({ to, at }) => to !== undefined && at <= by)?.to ?? 0
  }

  #report(message: string, ...evidence: (AuditEvent | undefined)[]): void {
    this.violations.push(violation(rule, message, ...evidence.filter((one) => one !== undefined)))
  }
}

const isSeen = ({ place, offset }: Sign, seen: ReadonlyMap<string, number>): boolean => offset < (seen.get(place) ?? 0)

/** After these an instance waits for nothing that it has sent. */
const endsAll = new Set(['CompensationStarted', 'SagaCompleted', 'SagaCompensated'])

/** These change nothing of what a step waits for. */
const remarks = new Set(['ReplyCameLate', 'PivotReached'])
