import { deserialize, serialize } from 'node:v8'

import type { Codec } from '../contract/index.ts'
import {
  decide,
  decodeInstance,
  type Definition,
  dueAt,
  encodeInstance,
  evolve,
  hasEnded,
  type Instance,
  parseCommandId,
  type SagaEvent,
  type SagaInput
} from '../saga/index.ts'
import type { Command, Component, Event, Input, MessageInput } from '../task/index.ts'
import { fromRecord, toRecord } from './convert.ts'
import type { Definitions } from './definitions.ts'
import { payloadOf } from './payload.ts'
import { sagaProtocol } from './saga-events.ts'

/** An instance, and the key that its start event had on the log: its commands carry it, so that all answers come to the task that it lives in. */
type Tracked = { readonly instance: Instance; readonly recordKey: string }

/** An input as one instance sees it. */
type Reading = { readonly entity: string; readonly input: SagaInput }

/** `<saga>/<key>`: the entity's key, and the correlation id. */
export const instanceKey = (saga: string, key: string): string => `${saga}/${key}`

/** The generic orchestrator: hosts the pure engine of src/saga on a task. `reads`: the events topics of all participants. */
export const orchestratorComponent = (
  definitions: Definitions,
  codec: Codec,
  reads: readonly string[]
): Component<Tracked> => {
  const host = new Host(definitions, codec)
  return {
    name: 'orchestrator',
    journal: 'saga-events',
    reads,
    keysOf: (input) => (input.kind === 'timer' ? [input.key] : host.read(input).map(({ entity }) => entity)),
    decide: (entity, input, now) => host.decide(entity, input, now),
    touches: (event) => (isSagaEvent(event) ? [entityOf(event)] : []),
    evolve: (tracked, event) => host.evolve(tracked, event),
    dueAt: ({ instance }) => dueAt(instance),
    hasEnded: ({ instance }) => hasEnded(instance),
    commandsOf: (event) => (event.type === 'CommandIssued' && isSagaEvent(event) ? [commandOf(event)] : []),
    snapshot: { encode: (tracked) => host.encode(tracked), decode: (bytes) => host.decode(bytes) }
  }
}

class Host {
  readonly #definitions: Definitions
  readonly #codec: Codec
  constructor(definitions: Definitions, codec: Codec) {
    this.#definitions = definitions
    this.#codec = codec
  }

  /** What a message means, to which instances. An event can answer one instance and start or cancel another, or the same. */
  read(input: MessageInput): Reading[] {
    const message = payloadOf(input.type, input.bytes, this.#codec)
    const readings: Reading[] = []
    const command = input.causationId === undefined ? undefined : parseCommandId(input.causationId)
    if (command !== undefined) {
      const entity = instanceKey(command.saga, command.key)
      readings.push({ entity, input: { kind: 'answer', commandId: input.causationId!, message } })
    }
    for (const { name, start, cancel } of this.#definitions.startable()) {
      if (concerns(start, input)) {
        const key = keyOf(start, input)
        readings.push({ entity: instanceKey(name, key), input: { kind: 'start', key, message } })
      }
      if (cancel !== undefined && concerns(cancel, input)) {
        readings.push({ entity: instanceKey(name, keyOf(cancel, input)), input: { kind: 'cancel', message } })
      }
    }
    return readings
  }

  decide(entity: (key: string) => Tracked | undefined, input: Input, now: number): Event[] {
    if (input.kind === 'timer') return this.#decideOne(entity(input.key), input.key, { kind: 'timer' }, now).events
    const decided = new Map<string, Tracked | undefined>()
    const events: Event[] = []
    for (const reading of this.read(input)) {
      const before = decided.has(reading.entity) ? decided.get(reading.entity) : entity(reading.entity)
      const result = this.#decideOne(before, reading.entity, reading.input, now, input.key)
      decided.set(reading.entity, result.after)
      events.push(...result.events)
    }
    return events
  }

  evolve(tracked: Tracked | undefined, event: Event): Tracked | undefined {
    const sagaEvent = fromRecord(event.type, event.value, this.#codec)
    const instance = evolve(tracked?.instance, sagaEvent, event.at ?? 0)
    return instance === undefined ? undefined : { instance, recordKey: tracked?.recordKey ?? event.key }
  }

  encode({ instance, recordKey }: Tracked): Uint8Array {
    return serialize({ recordKey, instance: encodeInstance(instance) })
  }

  decode(bytes: Uint8Array): Tracked {
    const { recordKey, instance } = deserialize(bytes) as {
      recordKey: string
      instance: Parameters<typeof decodeInstance>[0]
    }
    return { recordKey, instance: decodeInstance(instance, (type, payload) => payloadOf(type, payload, this.#codec)) }
  }

  #decideOne(
    before: Tracked | undefined,
    entity: string,
    input: SagaInput,
    now: number,
    arrivedUnder = ''
  ): { events: Event[]; after: Tracked | undefined } {
    const definition = this.#definitionFor(before?.instance, entity, input)
    if (definition === undefined) return { events: [], after: before }
    const key = before?.instance.key ?? entity.slice(definition.name.length + 1)
    const recordKey = before?.recordKey ?? arrivedUnder
    const events = decide(definition, before?.instance, input, now)
    let after = before?.instance
    for (const event of events) after = evolve(after, event, now)
    return {
      events: events.map((event) => this.#toEvent(event, definition.name, key, recordKey)),
      after: after === undefined ? undefined : { instance: after, recordKey }
    }
  }

  /** A running instance keeps its own; only a start may take the newest. */
  #definitionFor(instance: Instance | undefined, entity: string, input: SagaInput): Definition | undefined {
    if (instance !== undefined) return this.#definitions.pinned(instance.saga, instance.revision)
    return input.kind === 'start' ? this.#definitions.current(entity.slice(0, entity.indexOf('/'))) : undefined
  }

  #toEvent(event: SagaEvent, saga: string, key: string, recordKey: string): Event {
    if (event.type === 'Emitted') return { key: recordKey, type: event.value.event, value: event.value.arguments }
    return { key: recordKey, type: event.type, value: toRecord(event, saga, key, this.#codec) }
  }
}

type Trigger = Definition['start'] | NonNullable<Definition['cancel']>

const concerns = (trigger: Trigger, input: MessageInput): boolean =>
  trigger.event === input.type && trigger.topic === input.topic

const keyOf = (trigger: Trigger, input: MessageInput): string => String(trigger.key.evaluate({ event: input.value }))

const isSagaEvent = (event: Event): boolean => sagaProtocol.records.has(event.type)

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
