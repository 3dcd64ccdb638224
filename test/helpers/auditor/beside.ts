import { type AuditEvent, type Journals, type Value, type Violation, violation } from './events.ts'
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
    ...auditCancels(journals, begun)
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
      if (instances.length === 0 && !keys.includes(undefined))
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

const auditCancels = (journals: Journals, begun: readonly Begun[]): Violation[] => {
  const orders = journals.events('order-events')
  const cancels = orders.filter(({ type }) => type === 'OrderCancelled')
  const placedAt = new Map(
    orders.flatMap((it) => (it.type === 'OrderPlaced' ? [[it.value['orderId'], it.offset]] : []))
  )
  const reading = new ReadTo(journals)
  return begun.flatMap(({ id, key, version, started, by, events }) => {
    const own = cancels.filter(
      ({ partition, value }) => partition === started.partition && version.cancel(value) === key
    )
    const [requested] = events.filter(({ type }) => type === 'CancelRequested' || type === 'CancelCameEarly')
    if (requested !== undefined && own.length === 0)
      return [violation(rule, `saga '${id}' was cancelled, but by no key of its revision`, started, requested)]
    const end = events.find(({ type }) => ends.has(type))?.offset ?? Infinity
    const from = placedAt.get(by['orderId']) ?? Infinity
    const missed = own.find((cancel) => cancel.offset > from && reading.isRead(cancel, end))
    if (requested === undefined && missed !== undefined)
      return [violation(rule, `saga '${id}' has not heard of its cancel`, missed, started)]
    return []
  })
}

const ends = new Set(['SagaCompleted', 'SagaCompensated', 'CompensationStarted'])

/** How far `order-events` was read, by each partition of `saga-events` that says so. */
class ReadTo {
  readonly #moves: ReadonlyMap<number, readonly { readonly offset: number; readonly next: number }[]>

  constructor(journals: Journals) {
    const records = journals.records.filter(({ topic }) => topic === 'saga-events')
    this.#moves = new Map(
      [...Map.groupBy(records, ({ partition }) => partition)].map(([partition, own]) => [
        partition,
        own.flatMap(({ offset, headers }) =>
          positionsIn(headers).flatMap(([place, next]) =>
            place === `order-events/${partition}` ? [{ offset, next }] : []
          )
        )
      ])
    )
  }

  /** Whether an event was read for certain before this offset: the batch that covers it is not the last but one. */
  isRead(event: AuditEvent, before: number): boolean {
    const moves = this.#moves.get(event.partition) ?? []
    const covering = moves.findIndex(({ next }) => next > event.offset)
    const later = moves[covering + 2]
    return covering >= 0 && later !== undefined && later.offset < before
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
    const passed = placed.length - begun.filter((one) => one.saga === saga).length
    const counted = counts?.get(saga) ?? (counts === undefined ? Infinity : 0)
    return counted >= passed
      ? []
      : [{ rule, message: `'${saga}' has passed over ${passed} events, and counted ${counted}`, evidence: [] }]
  })
}
