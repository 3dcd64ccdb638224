import { type AuditEvent, at, type Journals, type Value, type Violation, violation } from './events.ts'
import { foldSaga, instancesOf, type SagaEnd } from './sagas.ts'
import { positionsIn } from './loads.ts'

/** A saga as it stands in its file, and what it makes of events, found out otherwise than the shop does. */
export type SagaVersion = {
  readonly text: string
  /** The key that it gives to an event that starts it; undefined where it cannot tell any. */
  readonly start: (event: Value) => string | undefined
  readonly cancel: (event: Value) => string | undefined
  /** How an instance ends that this event has started; undefined where cancels decide that. */
  readonly end?: (event: Value) => SagaEnd
  /** Its steps with an undo. */
  readonly undoable?: readonly string[]
  /** What a contract has to say to be taken while this version is in force. */
  readonly needs?: readonly RegExp[]
}

/** Of which saga a text is. */
export const sagaNameOf = (text: string): string => /^metadata: \{ name: ([a-z]+) \}$/m.exec(text)?.[1] ?? ''

const rule = '3.7 passed over'

/**
 * DESIGN §3.7: an event that one saga cannot use is that saga's affair alone. Sagas start with OrderPlaced and are
 * cancelled by OrderCancelled; each stands on the journals in the partition of its event.
 *
 * K1. An instance begins under the key that its own revision gives to the event, once.
 * K2. No event is lost for a saga that can tell its key: where all its versions can, one instance has begun, and where
 *     none can, none.
 * K3. An instance is cancelled by the key of its own revision, and by no other.
 * K4. It comes to the end that its version says.
 * K5. What was passed over is told with saga, revision and place, once in each process, and counted.
 */
export const auditBeside = (journals: Journals, versions: readonly SagaVersion[], isQuiet: boolean): Violation[] => {
  const begun = begunIn(journals, versions)
  return [
    ...begun.flatMap(auditKey),
    ...(isQuiet ? [...auditStarts(journals, versions, begun), ...begun.flatMap(auditEnd)] : []),
    ...auditCancels(journals, begun, isQuiet)
  ]
}

/** What processes have told of what was passed over, and counted by saga. */
export type PassedOverTold = {
  readonly messages: readonly { readonly process: string; readonly message: string }[]
  /** Undefined where some processes have ended before they could be asked. */
  readonly counts: ReadonlyMap<string, number> | undefined
  /** True where what was read may have been lost since, with what a machine has not brought to its disk. */
  readonly mayBeLost: boolean
}

export const auditTold = (journals: Journals, versions: readonly SagaVersion[], told: PassedOverTold): Violation[] => {
  const events = new Map(
    journals.events('order-events').map((event) => [`${event.topic}/${event.partition}/${event.offset}`, event])
  )
  const revisions = revisionsIn(journals, versions)
  const isSo = (message: string): boolean => {
    const parts = /^saga '(.+)' at revision '(.+)' passes over '(.+)' at (\S+),/.exec(message)
    const [, saga, revision, type, place = ''] = parts ?? []
    const version = revisions.get(`${saga}@${revision}`)
    if (version === undefined) return false
    const event = events.get(place)
    if (event?.type !== type) return told.mayBeLost
    const meaning = type === 'OrderPlaced' ? version.start : version.cancel
    return meaning(event!.value) === undefined || told.mayBeLost
  }
  const found = told.messages
    .filter(({ message }) => !isSo(message))
    .map(({ process, message }) => ({ rule, message: `${process} tells what is not so: ${message}`, evidence: [] }))
  return [...found, ...toldTwice(told), ...tooFew(journals, versions, told)]
}

type Begun = {
  readonly id: string
  readonly saga: string
  readonly key: string
  readonly version: SagaVersion
  readonly started: AuditEvent
  /** The value of the event that has started it. */
  readonly by: Value
  readonly events: readonly AuditEvent[]
}

/** By `<saga>@<revision>`. */
const revisionsIn = (journals: Journals, versions: readonly SagaVersion[]): ReadonlyMap<string, SagaVersion> => {
  const published = journals.events('saga-definitions').filter(({ type }) => type === 'DefinitionPublished')
  return new Map(
    published.flatMap(({ value }) => {
      const version = versions.find(({ text }) => text === value['yaml'])
      return version === undefined ? [] : [[`${String(value['saga'])}@${String(value['revision'])}`, version]]
    })
  )
}

const begunIn = (journals: Journals, versions: readonly SagaVersion[]): readonly Begun[] => {
  const revisions = revisionsIn(journals, versions)
  return [...instancesOf(journals)].flatMap(([id, events]) => {
    const started = events.find(({ type }) => type === 'SagaStarted')
    const { saga, key, revision, start } = started?.value ?? {}
    const version = revisions.get(`${String(saga)}@${String(revision)}`)
    if (started === undefined || version === undefined) return []
    const by = journals.decode(started, start as Uint8Array).value
    return [{ id, saga: String(saga), key: String(key), version, started, by, events }]
  })
}

const auditKey = ({ id, key, version, started, by }: Begun): Violation[] => {
  const expected = version.start(by)
  if (expected === key) return []
  const own = expected === undefined ? 'cannot tell any key of its event' : `gives its event the key '${expected}'`
  return [violation(rule, `saga '${id}' has begun, but its revision ${own}`, started)]
}

const auditStarts = (journals: Journals, versions: readonly SagaVersion[], begun: readonly Begun[]): Violation[] => {
  const bySaga = Map.groupBy(versions, ({ text }) => sagaNameOf(text))
  const placed = journals.events('order-events').filter(({ type }) => type === 'OrderPlaced')
  return [...bySaga].flatMap(([saga, own]) => {
    if (!isAlwaysInForce(journals, saga)) return []
    const byOrder = Map.groupBy(
      begun.filter((one) => one.saga === saga),
      ({ by }) => by['orderId']
    )
    return placed.flatMap((event) => {
      const instances = byOrder.get(event.value['orderId']) ?? []
      const keys = own.map(({ start }) => start(event.value))
      const say = `'${String(event.value['orderId'])}' has begun ${instances.length} instances of '${saga}'`
      const evidence = [event, ...instances.map(({ started }) => started)]
      if (instances.length > 1) return [violation(rule, `${say}, one event one`, ...evidence)]
      const isUsed = begun.some((one) => one.saga === saga && keys.includes(one.key))
      if (instances.length === 0 && !keys.includes(undefined) && !isUsed)
        return [violation(rule, `${say}, though each version can tell its key`, ...evidence)]
      return []
    })
  })
}

/** A saga that names what is not in force any more begins nothing. */
const isAlwaysInForce = (journals: Journals, saga: string): boolean => {
  let [text, contract] = ['', '']
  for (const { type, value } of journals.events('saga-definitions')) {
    if (type === 'ParticipantPublished') contract = String(value['yaml'])
    if (type === 'DefinitionPublished' && value['saga'] === saga) text = String(value['yaml'])
    if (contract !== '' && !hasCommandsOf(contract, text)) return false
  }
  return true
}

/** Whether a contract has all commands that a saga names. */
export const hasCommandsOf = (contract: string, text: string): boolean =>
  [...text.matchAll(/command: (\w+)/g)].every(([, command]) => contract.includes(`record ${command} `))

const auditEnd = ({ id, version, by, events }: Begun): Violation[] => {
  const end = foldSaga(events)
  const expected = version.end?.(by) ?? end
  return end === expected
    ? []
    : [violation(rule, `saga '${id}' has ended ${end}, and should have ended ${expected}`, events[0]!, events.at(-1)!)]
}

const auditCancels = (journals: Journals, begun: readonly Begun[], isQuiet: boolean): Violation[] => {
  const orders = journals.events('order-events')
  const cancels = orders.filter(({ type }) => type === 'OrderCancelled')
  const placed = new Map(orders.flatMap((it) => (it.type === 'OrderPlaced' ? [[it.value['orderId'], it]] : [])))
  const reading = new ReadTo(journals)
  const handedOver = cancelsHandedOver(journals)
  return begun.flatMap(({ id, saga, key, version, started, by, events }) => {
    const own = cancels.filter(({ value }) => version.cancel(value) === key)
    const [requested] = events.filter(({ type }) => type === 'CancelRequested' || type === 'CancelCameEarly')
    if (requested !== undefined && own.length === 0)
      return [violation(rule, `saga '${id}' was cancelled, but by no key of its revision`, started, requested)]
    const end = events.find(({ type }) => ends.has(type))?.offset ?? Infinity
    const start = placed.get(by['orderId'])
    // What is in two partitions has no order; where it was handed over, it has another place.
    const isAtHome = ({ partition, offset }: AuditEvent): boolean =>
      partition === started.partition && start?.partition === partition && offset > start.offset
    const handed = handedOver.filter(isMeant({ saga, key, version }))
    const lost = own.find((cancel) => isLate(cancel, started) && !handed.some(isOf(cancel)))
    if (lost !== undefined && isQuiet)
      return [violation(rule, `the cancel of saga '${id}' was not handed over`, lost, started)]
    const missed =
      own.find((cancel) => isAtHome(cancel) && reading.isRead(cancel, 0, end)) ??
      handed.find((cancel) => reading.isRead(cancel, started.offset, end))
    if (requested === undefined && missed !== undefined)
      return [violation(rule, `saga '${id}' has not heard of its cancel`, missed, started)]
    return []
  })
}

/** Each as it has come first: what comes again is a repeat. */
const cancelsHandedOver = (journals: Journals): readonly AuditEvent[] => {
  const cancels = journals.events('orchestrator-commands').filter(({ value }) => value['kind'] === 'cancel')
  const sent = ({ headers }: AuditEvent): string => `${headers['ce_source']} ${headers['ce_sequence']}`
  return [...Map.groupBy(cancels, sent).values()].map(([first]) => first!)
}

type Place = Pick<AuditEvent, 'topic' | 'partition' | 'offset'>

/** By the way of being cancelled that its revision has: others that run have others. */
const isMeant =
  ({ saga, key, version }: Pick<Begun, 'saga' | 'key' | 'version'>) =>
  ({ value }: AuditEvent): boolean =>
    value['saga'] === saga &&
    value['key'] === key &&
    version.text.includes(`on: OrderCancelled, key: "${String(value['cancelKey'])}" }`)

const isOf =
  (cancel: AuditEvent) =>
  ({ value }: AuditEvent): boolean =>
    at(value as Place) === at(cancel)

/** A cancel in another partition, when all processes must have known the revision for long. */
const isLate = (cancel: AuditEvent, started: AuditEvent): boolean =>
  cancel.partition !== started.partition && cancel.timestamp > started.timestamp + 10_000

const ends = new Set(['SagaCompleted', 'SagaCompensated', 'CompensationStarted'])

/** How far what it has in its own partition was read, by each partition of `saga-events` that says so. */
class ReadTo {
  readonly #moves: ReadonlyMap<string, readonly { readonly offset: number; readonly next: number }[]>

  constructor(journals: Journals) {
    const records = journals.records.filter(({ topic }) => topic === 'saga-events')
    const moves = records.flatMap(({ partition, offset, headers }) =>
      positionsIn(headers).flatMap(([place, next]) =>
        place.endsWith(`/${partition}`) && !place.startsWith('from:') ? [{ place, offset, next }] : []
      )
    )
    this.#moves = Map.groupBy(moves, ({ place }) => place)
  }

  /** Whether an event was read for certain between these offsets: the batch that covers it is not the last but one. */
  isRead({ topic, partition, offset: own }: AuditEvent, after: number, before: number): boolean {
    const moves = this.#moves.get(`${topic}/${partition}`) ?? []
    const covering = moves.findIndex(({ next }) => next > own)
    const later = moves[covering + 2]
    return covering >= 0 && moves[covering]!.offset > after && later !== undefined && later.offset < before
  }
}

const toldTwice = ({ messages }: PassedOverTold): Violation[] => {
  const known = new Set<string>()
  return messages.flatMap(({ process, message }) => {
    const told = `${process} ${message.split(' at ', 2).join(' at ')}`
    if (!known.has(told)) return known.add(told) && []
    return [{ rule, message: `${process} tells it again: ${message}`, evidence: [] }]
  })
}

/** Each event that has begun nothing was passed over, once at least: whoever reads it anew counts it anew. */
const tooFew = (journals: Journals, versions: readonly SagaVersion[], { counts }: PassedOverTold): Violation[] => {
  const begun = begunIn(journals, versions)
  const placed = journals.events('order-events').filter(({ type }) => type === 'OrderPlaced')
  return [...new Set(versions.map(({ text }) => sagaNameOf(text)))].flatMap((saga) => {
    if (!isAlwaysInForce(journals, saga)) return []
    const own = begun.filter((one) => one.saga === saga)
    const starts = versions.filter(({ text }) => sagaNameOf(text) === saga).map(({ start }) => start)
    const has = ({ value }: AuditEvent): boolean =>
      own.some(({ key, by }) => by['orderId'] === value['orderId'] || starts.some((start) => start(value) === key))
    const passed = placed.filter((event) => !has(event)).length
    const counted = counts?.get(saga) ?? (counts === undefined ? Infinity : 0)
    return counted >= passed
      ? []
      : [{ rule, message: `'${saga}' has passed over ${passed} events, and counted ${counted}`, evidence: [] }]
  })
}
