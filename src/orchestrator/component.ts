import type { Codec } from '../contract/index.ts'
import {
  decide,
  type Definition,
  dueAt,
  evolve,
  hasEnded,
  type Instance,
  parseCommandId,
  type SagaInput
} from '../saga/index.ts'
import type { Command, Component, Event, Input, JournalRead, MessageInput } from '../task/index.ts'
import { fromRecord, toRecord } from './convert.ts'
import type { Definitions } from './definitions.ts'
import { decodeTracked, encodeTracked, type Tracked } from './instance-bytes.ts'
import { Payloads } from './payload.ts'
import { sagaProtocol } from './saga-events.ts'

/** An input as one instance sees it. */
type Reading = { readonly entity: string; readonly input: SagaInput }

/** `<saga>/<key>`: the entity's key, and the correlation id. */
export const instanceKey = (saga: string, key: string): string => `${saga}/${key}`

/**
 * The generic orchestrator: hosts the pure engine of src/saga on a task. `reads`: the events topics of all
 * participants, as they are when a task begins.
 */
export const orchestratorComponent = (
  definitions: Definitions,
  codec: Codec,
  reads: () => readonly JournalRead[]
): Component<Tracked> => {
  const host = new Host(definitions, codec)
  return {
    name: 'orchestrator',
    journal: 'saga-events',
    get reads() {
      return reads()
    },
    keysOf: (input) => (input.kind === 'timer' ? [input.key] : host.read(input).map(({ entity }) => entity)),
    decide: (entity, input, now) => host.decide(entity, input, now),
    touches: (event) => (isSagaEvent(event) ? [entityOf(event)] : []),
    evolve: (tracked, event) => host.evolve(tracked, event),
    dueAt: ({ instance }) => dueAt(instance),
    hasEnded: ({ instance }) => hasEnded(instance),
    commandsOf: (event) => (event.type === 'CommandIssued' && isSagaEvent(event) ? [commandOf(event)] : []),
    keeps: ({ instance }) => payloadsOf(instance),
    snapshot: { encode: encodeTracked, decode: (bytes) => host.decode(bytes) },
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
    const message = this.#payloads.arrived(input.type, input.bytes, input.value)
    const readings: Reading[] = []
    const command = input.causationId === undefined ? undefined : parseCommandId(input.causationId)
    if (command !== undefined) {
      const entity = instanceKey(command.saga, command.key)
      readings.push({ entity, input: { kind: 'answer', commandId: input.causationId!, message } })
    }
    for (const { name, start } of this.#definitions.startable()) {
      if (!concerns(start, input)) continue
      const key = keyOf(start, input)
      readings.push({ entity: instanceKey(name, key), input: { kind: 'start', key, message } })
    }
    for (const entity of this.#cancelled(input)) readings.push({ entity, input: { kind: 'cancel', message } })
    return readings
  }

  /** Running instances may be on any revision, so the cancel events of all of them are looked at. */
  #cancelled(input: MessageInput): Set<string> {
    const entities = new Set<string>()
    for (const { name, cancel } of this.#definitions.cancellable()) {
      if (concerns(cancel, input)) entities.add(instanceKey(name, keyOf(cancel, input)))
    }
    return entities
  }

  decide(entity: (key: string) => Tracked | undefined, input: Input, now: number): Event[] {
    const readings =
      input.kind === 'timer' ? [{ entity: input.key, input: { kind: 'timer' as const } }] : this.read(input)
    const arrivedUnder = input.kind === 'timer' ? '' : input.key
    const decided = new Map<string, Tracked | undefined>()
    const events: Event[] = []
    for (const reading of readings) {
      const before = decided.get(reading.entity) ?? entity(reading.entity)
      const own = this.#decideOne(before, reading, now, arrivedUnder)
      events.push(...own)
      // The same instance may be meant twice: the second reading must see what the first has come to.
      if (readings.length > 1) {
        decided.set(
          reading.entity,
          own.reduce((tracked, event) => this.#folded(tracked, event, now), before)
        )
      }
    }
    return events
  }

  evolve(tracked: Tracked | undefined, event: Event): Tracked | undefined {
    const sagaEvent = fromRecord(event.type, event.value, this.#payloads)
    const instance = evolve(tracked?.instance, sagaEvent, event.at ?? 0)
    return instance === undefined ? undefined : { instance, recordKey: tracked?.recordKey ?? event.key }
  }

  decode(bytes: Uint8Array): Tracked {
    return decodeTracked(bytes, (type, payload) => this.#payloads.kept(type, payload))
  }

  #folded(tracked: Tracked | undefined, event: Event, at: number): Tracked | undefined {
    return isSagaEvent(event) ? this.evolve(tracked, { ...event, at }) : tracked
  }

  #decideOne(before: Tracked | undefined, { entity, input }: Reading, now: number, arrivedUnder: string): Event[] {
    const definition = this.#definitionFor(before?.instance, entity, input)
    if (definition === undefined) return []
    if (input.kind === 'cancel' && definition.cancel?.event !== input.message.type) return []
    const saga = definition.name
    const key = entity.slice(saga.length + 1)
    const recordKey = before?.recordKey ?? arrivedUnder
    return decide(definition, before?.instance, input, now).map((event) => {
      if (event.type === 'Emitted') {
        const { event: type, eventFullName: fullName, arguments: value } = event.value
        return { key: recordKey, type, fullName, value }
      }
      return { key: recordKey, type: event.type, value: toRecord(event, saga, key, this.#codec) }
    })
  }

  /** A running instance keeps its own; only a start may take the newest. */
  #definitionFor(instance: Instance | undefined, entity: string, input: SagaInput): Definition | undefined {
    if (instance !== undefined) return this.#definitions.pinned(instance.saga, instance.revision)
    return input.kind === 'start' ? this.#definitions.current(entity.slice(0, entity.indexOf('/'))) : undefined
  }
}

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
