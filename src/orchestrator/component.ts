import { deserialize, serialize } from 'node:v8'

import type { Codec } from '../contract/index.ts'
import {
  type AttemptOf,
  decide,
  decodeInstance,
  type Definition,
  dueAt,
  encodeInstance,
  evolve,
  hasEnded,
  type Instance,
  parseCommandId,
  type Payload,
  type SagaInput
} from '../saga/index.ts'
import type { Command, Component, Event, Input, JournalRead, MessageInput } from '../task/index.ts'
import { fromRecord, toRecord } from './convert.ts'
import type { Definitions } from './definitions.ts'
import { Payloads } from './payload.ts'
import { sagaProtocol } from './saga-events.ts'

/**
 * An instance, and the key that its start event had on the log: its commands carry it, so that all answers come to the
 * task that it lives in. Where its start is put off and its cancel has come before: only that.
 */
type Tracked = { readonly recordKey: string } & (
  { readonly instance: Instance } | { readonly instance?: undefined; readonly cancelledBy: string }
)

/** An input as one instance sees it. */
type Reading = { readonly entity: string; readonly input: SagaInput }

/** When it is decided, and how the attempts of each instance stand then. */
type Moment = { readonly now: number; readonly attemptsOf: ((entity: string) => AttemptOf | undefined) | undefined }

/** `<saga>/<key>`: the entity's key, and the correlation id. */
export const instanceKey = (saga: string, key: string): string => `${saga}/${key}`

/** What is to be known of all participants, as they are when it is asked for. */
export type ParticipantFacts = {
  /** Their events topics. */
  reads(): readonly JournalRead[]
  /** Whether the participant of this inbox journals how far it has read it. */
  tellsReading(inbox: string): boolean
}

/** The generic orchestrator: hosts the pure engine of src/saga on a task. */
export const orchestratorComponent = (
  definitions: Definitions,
  codec: Codec,
  participants: ParticipantFacts
): Component<Tracked> => {
  const host = new Host(definitions, codec)
  return {
    name: 'orchestrator',
    journal: 'saga-events',
    get reads() {
      return participants.reads()
    },
    keysOf: (input) => (input.kind === 'timer' ? [input.key] : host.read(input).map(({ entity }) => entity)),
    decide: (entity, input, now, attemptsOf) => host.decide(entity, input, { now, attemptsOf }),
    touches: (event) => (isSagaEvent(event) ? [entityOf(event)] : []),
    evolve: (tracked, event) => host.evolve(tracked, event),
    dueAt: ({ instance }, attemptOf) => instance && dueAt(instance, attemptOf),
    // Until its start comes, an early cancel is asked for by its key alone.
    hasEnded: ({ instance }) => instance === undefined || hasEnded(instance),
    commandsOf: (event) => (event.type === 'CommandIssued' && isSagaEvent(event) ? [commandOf(event)] : []),
    waits: {
      of: ({ instance }) => instance?.timers ?? none,
      keyOf: ({ recordKey }) => recordKey,
      tellsReading: (inbox) => participants.tellsReading(inbox)
    },
    beginnings: { lanesOf: (input) => host.lanesOf(input), inboxesOf: (saga) => host.inboxesOf(saga) },
    keeps: ({ instance }) => (instance === undefined ? none : payloadsOf(instance)),
    snapshot: { encode: (tracked) => host.encode(tracked), decode: (bytes) => host.decode(bytes) },
    caughtUp: () => definitions.caughtUp()
  }
}

class Host {
  readonly #definitions: Definitions
  readonly #codec: Codec
  readonly #payloads: Payloads

  constructor(definitions: Definitions, codec: Codec) {
    this.#definitions = definitions
    this.#codec = codec
    this.#payloads = new Payloads(codec)
  }

  /**
   * What a message means, to which instances. An event can answer one instance and start or cancel another, or the
   * same.
   */
  read(input: MessageInput): Reading[] {
    const message = this.#payloads.of(input.type, input.bytes)
    if (input.lane !== undefined) return this.#started(input.lane, input, message)
    const readings: Reading[] = []
    const command = input.causationId === undefined ? undefined : parseCommandId(input.causationId)
    if (command !== undefined) {
      const entity = instanceKey(command.saga, command.key)
      readings.push({ entity, input: { kind: 'answer', commandId: input.causationId!, message } })
    }
    for (const { name, start } of this.#definitions.startable()) {
      if (!concerns(start, input) || input.putOff?.has(name) === true) continue
      const key = keyOf(start, input)
      readings.push({ entity: instanceKey(name, key), input: { kind: 'start', key, message } })
    }
    for (const entity of this.#cancelled(input)) readings.push({ entity, input: { kind: 'cancel', message } })
    return readings
  }

  /** A saga's name is its lane. */
  lanesOf(input: MessageInput): readonly string[] {
    return this.#definitions.startable().flatMap(({ name, start }) => (concerns(start, input) ? [name] : []))
  }

  inboxesOf(saga: string): readonly string[] {
    const definition = this.#definitions.current(saga)
    return definition === undefined ? none : inboxesOf(definition)
  }

  #started(saga: string, input: MessageInput, message: Payload): Reading[] {
    const start = this.#definitions.current(saga)?.start
    if (start === undefined || !concerns(start, input)) return []
    const key = keyOf(start, input)
    return [{ entity: instanceKey(saga, key), input: { kind: 'start', key, message } }]
  }

  /** Running instances may be on any revision, so the cancel events of all of them are looked at. */
  #cancelled(input: MessageInput): Set<string> {
    const entities = new Set<string>()
    for (const { name, cancel } of this.#definitions.cancellable()) {
      if (concerns(cancel, input)) entities.add(instanceKey(name, keyOf(cancel, input)))
    }
    return entities
  }

  decide(entity: (key: string) => Tracked | undefined, input: Input, time: Moment): Event[] {
    const isTimer = input.kind === 'timer'
    const readings = isTimer ? [{ entity: input.key, input: { kind: 'timer' as const } }] : this.read(input)
    const arrived = isTimer ? { under: '', putOff: undefined } : { under: input.key, putOff: input.putOff }
    const decided = new Map<string, Tracked | undefined>()
    const events: Event[] = []
    for (const reading of readings) {
      const before = decided.get(reading.entity) ?? entity(reading.entity)
      const own = this.#decideOne(before, reading, time, arrived)
      events.push(...own)
      // The same instance may be meant twice: the second reading must see what the first has come to.
      if (readings.length > 1) {
        decided.set(
          reading.entity,
          own.reduce((tracked, event) => this.#folded(tracked, event, time.now), before)
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

  encode(tracked: Tracked): Uint8Array {
    const { recordKey, instance } = tracked
    return serialize(instance === undefined ? tracked : { recordKey, instance: encodeInstance(instance) })
  }

  decode(bytes: Uint8Array): Tracked {
    const stored = deserialize(bytes) as Stored
    const { recordKey, instance } = stored
    if (instance === undefined) return { recordKey, cancelledBy: stored.cancelledBy }
    return { recordKey, instance: decodeInstance(instance, (type, payload) => this.#payloads.of(type, payload)) }
  }

  #folded(tracked: Tracked | undefined, event: Event, at: number): Tracked | undefined {
    return isSagaEvent(event) ? this.evolve(tracked, { ...event, at }) : tracked
  }

  #decideOne(before: Tracked | undefined, reading: Reading, moment: Moment, arrived: Arrived): Event[] {
    const { entity, input } = withEarlyCancel(reading, before)
    const definition = this.#definitionFor(before?.instance, entity, input)
    if (definition === undefined) return []
    const saga = definition.name
    const key = entity.slice(saga.length + 1)
    const recordKey = before?.instance === undefined ? arrived.under : before.recordKey
    if (input.kind === 'cancel') {
      if (definition.cancel?.event !== input.message.type) return []
      if (before === undefined) return this.#cancelEarly({ saga, key, event: input.message.type }, arrived)
    }
    const time = { now: moment.now, attemptOf: moment.attemptsOf?.(entity) }
    return decide(definition, before?.instance, input, time).map((event) => {
      if (event.type === 'Emitted') {
        const { event: type, eventFullName: fullName, arguments: value } = event.value
        return { key: recordKey, type, fullName, value }
      }
      return { key: recordKey, type: event.type, value: toRecord(event, saga, key, this.#codec) }
    })
  }

  /** It is remembered where the start may still be among what was put off; anywhere else there has been none. */
  #cancelEarly(
    value: { readonly saga: string; readonly key: string; readonly event: string },
    arrived: Arrived
  ): Event[] {
    return arrived.putOff?.has(value.saga) === true ? [{ key: arrived.under, type: earlyCancel, value }] : []
  }

  /** A running instance keeps its own; what has none yet would take the newest. */
  #definitionFor(instance: Instance | undefined, entity: string, input: SagaInput): Definition | undefined {
    if (instance !== undefined) return this.#definitions.pinned(instance.saga, instance.revision)
    const mayBegin = input.kind === 'start' || input.kind === 'cancel'
    return mayBegin ? this.#definitions.current(entity.slice(0, entity.indexOf('/'))) : undefined
  }
}

/** Under which key a message has come, and the sagas whose starts are put off then. */
type Arrived = { readonly under: string; readonly putOff: ReadonlySet<string> | undefined }

type Stored =
  | { readonly recordKey: string; readonly instance: Parameters<typeof decodeInstance>[0] }
  | { readonly recordKey: string; readonly instance?: undefined; readonly cancelledBy: string }

const earlyCancel = 'CancelCameEarly'

const none: readonly never[] = []

const withEarlyCancel = (reading: Reading, before: Tracked | undefined): Reading =>
  before === undefined || before.instance !== undefined || reading.input.kind !== 'start'
    ? reading
    : { entity: reading.entity, input: { ...reading.input, cancelledBy: before.cancelledBy } }

/** All that an instance of it may send to. */
const inboxesOf = (definition: Definition): readonly string[] => {
  const known = inboxes.get(definition)
  if (known !== undefined) return known
  const { steps, start } = definition
  const calls = [
    ...steps,
    ...steps.flatMap(({ compensate }) => compensate ?? []),
    ...(start.compensate ? [start.compensate] : [])
  ]
  const found = [...new Set(calls.map(({ inbox }) => inbox))]
  inboxes.set(definition, found)
  return found
}

const inboxes = new WeakMap<Definition, readonly string[]>()

const payloadsOf = ({ start, replies }: Instance): Uint8Array[] => [
  start.bytes,
  ...replies.flatMap((reply) => (reply === null ? [] : [reply.bytes]))
]

type Trigger = Definition['start'] | NonNullable<Definition['cancel']>

const concerns = (trigger: Trigger, input: MessageInput): boolean =>
  trigger.event === input.type && trigger.topic === input.topic

const keyOf = (trigger: Trigger, input: MessageInput): string => String(trigger.key.evaluate({ event: input.value }))

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
  }
  return {
    inbox: issued.inbox,
    key,
    id: issued.commandId,
    type: issued.command,
    value: issued.arguments,
    attempt: issued.attempt,
    correlationId: instanceKey(issued.saga, issued.key)
  }
}
