import { type Definition, parseCommandId, type Payload, type SagaInput } from '../saga/index.ts'
import type { MessageInput } from '../task/index.ts'
import type { Definitions } from './definitions.ts'
import type { Payloads } from './payload.ts'

/** An input as one instance sees it. */
export type Reading = { readonly entity: string; readonly input: SagaInput }

/** `<saga>/<key>`: the entity's key, and the correlation id. */
export const instanceKey = (saga: string, key: string): string => `${saga}/${key}`

/** What messages mean, and to which instances. */
export class Readings {
  readonly #definitions: Definitions
  readonly #payloads: Payloads

  constructor(definitions: Definitions, payloads: Payloads) {
    this.#definitions = definitions
    this.#payloads = payloads
  }

  /** An event can answer one instance and start or cancel another, or the same. */
  of(input: MessageInput): Reading[] {
    const message = this.#payloads.arrived(input.type, input.bytes, input.value)
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
    let lanes: readonly string[] = none
    // Most messages begin nothing, and this is asked of each.
    for (const { name, start } of this.#definitions.startable()) if (concerns(start, input)) lanes = [...lanes, name]
    return lanes
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
}

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

const none: readonly never[] = []

const inboxes = new WeakMap<Definition, readonly string[]>()

type Trigger = Definition['start'] | NonNullable<Definition['cancel']>

const concerns = (trigger: Trigger, input: MessageInput): boolean =>
  trigger.event === input.type && trigger.topic === input.topic

const keyOf = (trigger: Trigger, input: MessageInput): string => String(trigger.key.evaluate({ event: input.value }))
