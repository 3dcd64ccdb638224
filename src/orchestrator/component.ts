import { ParcomoloError } from '../base/index.ts'
import type { Codec } from '../contract/index.ts'
import {
  type AttemptOf,
  decide,
  type Definition,
  dueAt,
  evolve,
  goOn,
  hasEnded,
  type Instance,
  type SagaEvent,
  standStill
} from '../saga/index.ts'
import type { Command, Component, Event, Home, Input, JournalRead, MessageInput } from '../task/index.ts'
import { fromRecord, toRecord } from './convert.ts'
import type { Definitions } from './definitions.ts'
import { eventOf, handedOver, handOverCommand, isHandedOver, isHome, isOf, orchestratorInbox } from './hand-over.ts'
import { Payloads } from './payload.ts'
import type { PassedOver } from './passed-over.ts'
import { instanceKey, type Reading } from './reading.ts'
import { Readings } from './readings.ts'
import { censusOf } from './running.ts'
import { sagaJournal, sagaProtocol } from './saga-events.ts'
import { decodeTracked, encodeTracked, payloadsOf, type Tracked } from './tracked.ts'

/** When it is decided, and where, and how the attempts of each instance stand then. */
type Moment = {
  readonly now: number
  readonly attemptsOf: ((entity: string) => AttemptOf | undefined) | undefined
  readonly home: Home | undefined
}

/** What is to be known of all participants, as they are when it is asked for. */
export type ParticipantFacts = {
  /** Their events topics; `isForeign`: what stands there is said by who runs elsewhere. */
  reads(): readonly (JournalRead & { readonly isForeign: boolean })[]
  /** Whether the participant of this inbox journals how far it has read it. */
  tellsReading(inbox: string): boolean
  /** The consumer group by which it reads, where its contract names one. */
  groupOf(inbox: string): string | undefined
}

/** The generic orchestrator: hosts the pure engine of src/saga on a task. */
export const orchestratorComponent = (
  definitions: Definitions,
  codec: Codec,
  participants: ParticipantFacts,
  passedOver: PassedOver
): Component<Tracked> => {
  const host = new Host(definitions, codec, passedOver)
  return {
    name: 'orchestrator',
    journal: sagaJournal,
    inbox: orchestratorInbox,
    get reads() {
      return participants.reads()
    },
    keysOf: (input) => (input.kind === 'timer' ? [input.key] : host.readings.first(input).map(({ entity }) => entity)),
    decide: (entity, input, now, attemptsOf) => host.decide(entity, input, { now, attemptsOf, home: input.home }),
    touches: (event) => (isSagaEvent(event) ? [entityOf(event)] : []),
    evolve: (tracked, event) => host.evolve(tracked, event),
    dueAt: ({ instance }, attemptOf) => instance && host.dueAt(instance, attemptOf),
    // Until its start comes, an early cancel is asked for by its key alone.
    hasEnded: ({ instance }) => instance === undefined || hasEnded(instance),
    commandsOf: (event) => {
      if (event.type === 'CommandIssued' && isSagaEvent(event)) return [commandOf(event)]
      return isHandedOver(event) ? [handOverCommand(event, codec)] : []
    },
    waits: {
      of: ({ instance }) => instance?.timers ?? none,
      keyOf: ({ recordKey }) => recordKey,
      tellsReading: (inbox) => participants.tellsReading(inbox),
      groupOf: (inbox) => participants.groupOf(inbox)
    },
    beginnings: host.readings,
    needs: (input) => host.readings.needs(input),
    census: () => censusOf(definitions),
    keeps: payloadsOf,
    snapshot: { encode: encodeTracked, decode: (bytes) => host.decode(bytes) },
    caughtUp: () => definitions.caughtUp()
  }
}

class Host {
  readonly readings: Readings
  readonly #definitions: Definitions
  readonly #codec: Codec
  readonly #payloads: Payloads
  readonly #passedOver: PassedOver

  constructor(definitions: Definitions, codec: Codec, passedOver: PassedOver) {
    this.#definitions = definitions
    this.#codec = codec
    this.#payloads = new Payloads(codec)
    this.#passedOver = passedOver
    this.readings = new Readings(definitions, this.#payloads, passedOver)
  }

  decide(entity: (key: string) => Tracked | undefined, input: Input, moment: Moment): Event[] {
    const isTimer = input.kind === 'timer'
    const readings = isTimer ? [{ entity: input.key, input: { kind: 'timer' as const } }] : this.readings.of(input)
    const arrived = isTimer ? nothing : eventOf(input)
    const decided = new Map<string, Tracked | undefined>()
    const events: Event[] = []
    for (const reading of readings) {
      const before = decided.get(reading.entity) ?? entity(reading.entity)
      const own = this.#decideOne(before, reading, moment, arrived)
      events.push(...own)
      // The same instance may be meant twice: the second reading must see what the first has come to.
      if (readings.length > 1) {
        decided.set(
          reading.entity,
          own.reduce((tracked, event) => this.#folded(tracked, event, moment.now), before)
        )
      }
    }
    return events
  }

  evolve(tracked: Tracked | undefined, event: Event): Tracked | undefined {
    if (event.type === earlyCancel)
      return tracked ?? { recordKey: event.key, cancelledBy: String(event.value['event']) }
    const recordKey = tracked?.instance === undefined ? event.key : tracked.recordKey
    const sagaEvent = fromRecord(event.type, event.value, this.#payloads)
    const instance = evolve(tracked?.instance, sagaEvent, event.at ?? 0)
    return instance === undefined ? tracked : { instance, recordKey }
  }

  /** One that stands still wants to go on as soon as its definition can be had. */
  dueAt(instance: Instance, attemptOf: AttemptOf | undefined): number | undefined {
    if (instance.standsStill !== true) return dueAt(instance, attemptOf)
    const pinned = this.#definitions.pinned(instance.saga, instance.revision)
    return pinned instanceof ParcomoloError ? undefined : instance.startedAt
  }

  decode(bytes: Uint8Array): Tracked {
    return decodeTracked(bytes, (type, payload) => this.#payloads.kept(type, payload))
  }

  #folded(tracked: Tracked | undefined, event: Event, at: number): Tracked | undefined {
    return isSagaEvent(event) ? this.evolve(tracked, { ...event, at }) : tracked
  }

  #decideOne(before: Tracked | undefined, reading: Reading, moment: Moment, arrived: Arrived): Event[] {
    if (before?.instance === undefined) return this.#decideToBegin(before, reading, moment, arrived)
    if (reading.input.kind === 'start') this.#noteUsed(before.instance, arrived)
    return this.#decideOnPinned(before, before.instance, reading, moment)
  }

  #decideToBegin(before: Early | undefined, reading: Reading, moment: Moment, arrived: Arrived): Event[] {
    const { entity, input, begins } = reading
    if (arrived.kind === 'message' && !isHome(keyIn(entity), arrived)) return this.#handOn(before, reading, arrived)
    if (input.kind === 'cancel' && before === undefined) return this.#cancelEarly(reading, arrived)
    if (input.kind !== 'start' || begins === undefined) return []
    const start = { entity, input: { ...input, cancelledBy: before?.cancelledBy ?? reading.cancelledBy } }
    return this.#decideOn(begins, { recordKey: input.key }, start, moment)
  }

  /**
   * To the partition of its key. A start of the same key may be put off here, and its cancel must come after it; or it
   * was handed on before: so the cancel is remembered here, and handed on as well.
   */
  #handOn(before: Early | undefined, reading: Reading, arrived: MessageInput): Event[] {
    if (this.#definitions.newest(sagaIn(reading.entity)) === undefined) return []
    const isEarly = reading.input.kind === 'cancel' && before === undefined
    const early = isEarly ? this.#cancelEarly(reading, arrived) : []
    return [...early, handedOver(reading, arrived, before?.cancelledBy)]
  }

  #cancelEarly(reading: Reading, arrived: Arrived): Event[] {
    const { entity } = reading
    const definition = this.#definitions.current(sagaIn(entity))
    if (definition === undefined || !isMeant(definition, reading)) return []
    return cancelEarly(definition.name, reading, arrived)
  }

  /** A running instance keeps its own revision; what has none yet would take the newest. */
  #decideOnPinned(tracked: Tracked, instance: Instance, reading: Reading, moment: Moment): Event[] {
    // Of what has ended, nobody needs the definition.
    if (hasEnded(instance)) return []
    const definition = this.#definitions.pinned(instance.saga, instance.revision)
    if (!(definition instanceof ParcomoloError))
      return isMeant(definition, reading) ? this.#decideOn(definition, tracked, reading, moment) : []
    const parked = standStill(instance, definition.message)
    return this.#journaled(tracked, reading.entity, parked, moment)
  }

  #decideOn(
    definition: Definition,
    tracked: { readonly instance?: Instance | undefined; readonly recordKey: string },
    { entity, input }: Reading,
    moment: Moment
  ): Event[] {
    const { now, attemptsOf } = moment
    const resumed = tracked.instance === undefined ? none : goOn(tracked.instance)
    const instance = resumed.reduce((it: Instance | undefined, event) => evolve(it, event, now), tracked.instance)
    const decided = decide(definition, instance, input, { now, attemptOf: attemptsOf?.(entity) })
    return this.#journaled(tracked, entity, resumed.length === 0 ? decided : [...resumed, ...decided], moment)
  }

  #journaled(
    { recordKey }: { readonly recordKey: string },
    entity: string,
    events: readonly SagaEvent[],
    { home }: Moment
  ): Event[] {
    const [saga, key] = [sagaIn(entity), keyIn(entity)]
    const whose = { saga, key, keyOf: keyOfCommands(key, recordKey, home) }
    return events.map((event) => {
      if (event.type === 'Emitted') {
        const { event: type, eventFullName: fullName, arguments: value } = event.value
        return { key: recordKey, type, fullName, value }
      }
      return { key: recordKey, type: event.type, value: toRecord(event, whose, this.#codec) }
    })
  }

  #noteUsed({ saga, key, revision }: Instance, input: Arrived): void {
    if (input.kind === 'message') this.#passedOver.used({ name: saga, revision }, key, input)
  }
}

/** The message that is decided on; of a timer there is none. */
type Arrived = MessageInput | typeof nothing

const nothing = { kind: 'timer', key: '', putOff: undefined } as const

const sagaIn = (entity: string): string => entity.slice(0, entity.indexOf('/'))

const keyIn = (entity: string): string => entity.slice(entity.indexOf('/') + 1)

/**
 * An instance of an earlier release may live in the partition of its start event's key: its commands go on under that
 * key, as their answers would not find it under another.
 */
const keyOfCommands =
  (key: string, ofEvents: string, home: Home | undefined) =>
  (wanted: string | null): string => {
    if (wanted === null || wanted === ofEvents) return ''
    return key === ofEvents || isOf(key, home) ? wanted : ''
  }

/** What is there of an instance before its start. */
type Early = Extract<Tracked, { readonly cancelledBy: string }>

const none: readonly never[] = []

const earlyCancel = 'CancelCameEarly'

/** The cancel events of several revisions are read; an instance hears that of its own, by the key of its own. */
const isMeant = ({ cancel: own }: Definition, { cancel: by }: Reading): boolean =>
  by === undefined || (own?.event === by.event && own.topic === by.topic && own.key.source === by.key.source)

/** It is remembered where the start may still be among what was put off; anywhere else there has been none. */
const cancelEarly = (saga: string, { entity, input }: Reading, { putOff }: Arrived): Event[] => {
  if (input.kind !== 'cancel' || putOff?.has(saga) !== true) return []
  const key = keyIn(entity)
  return [{ key, type: earlyCancel, value: { saga, key, event: input.message.type } }]
}

/** An event that a saga has emitted may have the short name of one. */
const isSagaEvent = ({ type, fullName }: Event): boolean => {
  const own = sagaProtocol.records.get(type)
  return own !== undefined && (fullName === undefined || fullName === own.fullName)
}

const entityOf = (event: Event): string => instanceKey(String(event.value['saga']), String(event.value['key']))

const commandOf = ({ key, value }: Event): Command => {
  const issued = value as {
    commandId: string
    command: string
    inbox: string
    arguments: Uint8Array
    attempt: number
    saga: string
    key: string
    expiresAt: number | null
    recordKey?: string
  }
  return {
    inbox: issued.inbox,
    key: issued.recordKey || key,
    id: issued.commandId,
    type: issued.command,
    value: issued.arguments,
    attempt: issued.attempt,
    correlationId: instanceKey(issued.saga, issued.key),
    ...(issued.expiresAt === null ? {} : { expiresAt: issued.expiresAt })
  }
}
