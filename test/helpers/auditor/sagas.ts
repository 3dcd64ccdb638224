import { type AuditEvent, type Journals, type Violation, violation } from './events.ts'

/** An instance's events, by `<saga>/<key>`; what was handed over to it stands in the journal of another. */
export const instancesOf = (journals: Journals): ReadonlyMap<string, readonly AuditEvent[]> => {
  const instances = new Map<string, AuditEvent[]>()
  for (const event of journals.events('saga-events')) {
    const { saga, key } = event.value
    if (typeof saga !== 'string' || typeof key !== 'string' || event.type === 'HandedOver') continue
    const id = `${saga}/${key}`
    const events = instances.get(id)
    if (events === undefined) instances.set(id, [event])
    else events.push(event)
  }
  return instances
}

export type SagaEnd = 'completed' | 'compensated' | 'parked' | 'running'

export const foldSaga = (events: readonly AuditEvent[]): SagaEnd => {
  if (events.some(({ type }) => type === 'SagaCompleted')) return 'completed'
  if (events.some(({ type }) => type === 'SagaCompensated')) return 'compensated'
  return isParked(events) ? 'parked' : 'running'
}

/** A step was parked, and no answer has settled it since. */
const isParked = (events: readonly AuditEvent[]): boolean => {
  const parked = new Set<unknown>()
  for (const { type, value } of events) {
    if (type === 'SagaParked') parked.add(value['step'])
    if (settling.has(type)) parked.delete(value['step'])
  }
  return parked.size > 0
}

const settling = new Set(['StepSucceeded', 'StepRejected', 'StepCompensated', 'SagaResumed'])

export type SagaRules = {
  /** Steps with a compensation, by saga; the start is `start`. */
  readonly undoable: Readonly<Record<string, readonly string[]>>
  readonly isQuiet: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * Rules 9.4 and 9.5: every instance ends or will be moved by a timer; compensations run in reverse order, each once.
 */
export const auditSagas = (journals: Journals, rules: SagaRules): Violation[] => {
  const found: Violation[] = []
  for (const [id, all] of instancesOf(journals)) {
    const events = all.filter((event) => !isOfSender(event, all))
    found.push(...auditLife(id, events), ...auditProgress(id, events, rules), ...auditUndo(id, events, rules))
  }
  return found
}

/** A task that hands a start on has remembered the cancel that came before it. */
const isOfSender = ({ type, partition }: AuditEvent, events: readonly AuditEvent[]): boolean =>
  type === 'CancelCameEarly' && events.some((it) => it.type === 'SagaStarted' && it.partition !== partition)

const auditLife = (id: string, events: readonly AuditEvent[]): Violation[] => {
  const found: Violation[] = []
  const started = events.filter(({ type }) => type === 'SagaStarted')
  const early = events.filter(({ type }) => type === 'CancelCameEarly')
  const home = started[0]?.partition
  const strangers = events.filter(({ partition }) => home !== undefined && partition !== home)
  if (started.length > 1 || strangers.length > 0)
    found.push(violation('9.9 one instance', `saga '${id}' is more than one instance`, ...started, ...strangers))
  if (started.length !== 1 || events[early.length] !== started[0])
    found.push(violation('9.4 progress', `saga '${id}' was not started once and first`, ...started, events[0]!))
  const sent = events.filter(({ type, value }) => type === 'CommandIssued' && value['undo'] === false)
  if (early.length > 0 && sent.length > 0)
    found.push(violation('9.4 progress', `saga '${id}' sent what was cancelled before it started`, early[0]!, ...sent))
  const end = events.findIndex(({ type }) => type === 'SagaCompleted' || type === 'SagaCompensated')
  const after = end < 0 ? [] : events.slice(end + 1).filter(({ type }) => !lateNotes.has(type))
  if (after.length > 0)
    found.push(violation('9.4 progress', `saga '${id}' went on after its end`, events[end]!, ...after))
  return found
}

/** What may still be recorded of an instance that has ended. */
const lateNotes = new Set(['ReplyCameLate', 'CancelRequested', 'CancelRefused'])

/** Commands and pauses that wait for their time, by step. */
const auditProgress = (id: string, events: readonly AuditEvent[], { isQuiet, now }: SagaRules): Violation[] => {
  const end = foldSaga(events)
  if (end !== 'running') return []
  if (isQuiet)
    return [violation('9.4 progress', `saga '${id}' has not ended, and nothing more happens`, events.at(-1)!)]
  const waiting = new Map<unknown, AuditEvent>()
  for (const event of events) {
    if (event.type === 'CompensationStarted') waiting.clear()
    if (event.value['step'] === undefined) continue
    if (event.type in waits) waiting.set(event.value['step'], event)
    else waiting.delete(event.value['step'])
  }
  const isAlive = [...waiting.values()].some(
    (event) => event.type === 'StepProgressed' || Number(event.value['dueAt']) >= now - graceMs
  )
  return isAlive
    ? []
    : [violation('9.4 progress', `saga '${id}' waits for nothing`, events.at(-1)!, ...waiting.values())]
}

const waits = { CommandIssued: true, RetryScheduled: true, StepProgressed: true }
/** A timer that is due fires within this time. */
const graceMs = 60_000

const auditUndo = (id: string, events: readonly AuditEvent[], { undoable }: SagaRules): Violation[] => {
  const found: Violation[] = []
  const report = (message: string, ...evidence: AuditEvent[]): void =>
    void found.push(violation('9.5 compensation', message, ...evidence))
  const turned = events.find(({ type }) => type === 'CompensationStarted')
  const pivot = events.find(({ type }) => type === 'PivotReached')
  const undos = events.filter(({ type, value }) => type === 'CommandIssued' && value['undo'] === true)
  if (turned === undefined) {
    if (undos.length > 0) report(`saga '${id}' undoes a step without having turned back`, undos[0]!)
    return found
  }
  if (pivot !== undefined) report(`saga '${id}' turned back after its pivot`, pivot, turned)
  const owed = owedUndos(events, turned, undoable[String(events[0]!.value['saga'])] ?? [])
  const made = [...new Map(undos.toReversed().map((event) => [event.value['step'], event])).values()].sort(
    (a, b) => a.offset - b.offset
  )
  const names = made.map(({ value }) => String(value['step']))
  if (names.some((name, i) => owed[i] !== name))
    report(`saga '${id}' undoes ${names.join(', ')}; the reverse order of completion is ${owed.join(', ')}`, ...made)
  else if (foldSaga(events) === 'compensated' && names.length < owed.length)
    report(`saga '${id}' ended without undoing ${owed.slice(names.length).join(', ')}`, events.at(-1)!)
  auditConfirmations(id, events, made, report)
  return found
}

/** What had been sent and was not refused, the last to be completed first; the start last. */
const owedUndos = (events: readonly AuditEvent[], turned: AuditEvent, undoable: readonly string[]): string[] => {
  const ranks = new Map<string, number>()
  for (const event of events) {
    if (event.offset >= turned.offset) break
    const step = String(event.value['step'])
    if (event.type === 'CommandIssued') ranks.set(step, Infinity)
    if (event.type === 'StepSucceeded') ranks.set(step, event.offset)
    if (event.type === 'StepRejected') ranks.delete(step)
  }
  const steps = [...ranks].filter(([step]) => undoable.includes(step)).sort((a, b) => b[1] - a[1])
  return [...steps.map(([step]) => step), ...undoable.filter((step) => step === 'start')]
}

/** Each undo is confirmed before the next is sent, and confirmed once. */
const auditConfirmations = (
  id: string,
  events: readonly AuditEvent[],
  made: readonly AuditEvent[],
  report: (message: string, ...evidence: AuditEvent[]) => void
): void => {
  made.forEach((undo, i) => {
    const confirmed = events.filter(
      (event) => event.type === 'StepCompensated' && event.value['step'] === undo.value['step']
    )
    const next = made[i + 1]
    if (confirmed.length > 1) report(`saga '${id}' undid '${String(undo.value['step'])}' twice`, ...confirmed)
    if (next !== undefined && (confirmed[0] === undefined || confirmed[0].offset > next.offset))
      report(`saga '${id}' sent the next undo before '${String(undo.value['step'])}' was undone`, undo, next)
  })
}
