import { type Definition, parseCommandId, type Payload, type SagaInput } from '../saga/index.ts'
import type { MessageInput } from '../task/index.ts'
import type { Definitions } from './definitions.ts'
import type { PassedOver } from './passed-over.ts'
import type { Payloads } from './payload.ts'
import type { Cancellable } from './revisions.ts'

/** An input as one instance sees it; `cancel`: the way of being cancelled by which it is meant. */
export type Reading = {
  readonly entity: string
  readonly input: SagaInput
  /** The definition by which its key was told, and that the instance begins on: the key of another may be another. */
  readonly begins?: Definition
  readonly cancel?: Cancellable['cancel']
}

/** `<saga>/<key>`: the entity's key, and the correlation id. */
export const instanceKey = (saga: string, key: string): string => `${saga}/${key}`

/**
 * What messages mean, and to which instances. A saga whose key cannot be told of an event passes that event over, and
 * nobody else does.
 */
export class Readings {
  readonly #definitions: Definitions
  readonly #payloads: Payloads
  readonly #passedOver: PassedOver

  constructor(definitions: Definitions, payloads: Payloads, passedOver: PassedOver) {
    this.#definitions = definitions
    this.#payloads = payloads
    this.#passedOver = passedOver
  }

  /**
   * An event can answer one instance and start or cancel another, or the same. What it means is found out once, when it
   * is asked whom it concerns, and what is passed over is told then: a definition that changes before it is decided on
   * must not have it mean somebody else, who was not fetched.
   */
  first(input: MessageInput): readonly Reading[] {
    const readings = this.#find(input)
    input.memo = readings
    return readings
  }

  /** What it means, to all but those that begin with it and are put off. */
  of(input: MessageInput): readonly Reading[] {
    const { putOff } = input
    const readings = (input.memo as readonly Reading[] | undefined) ?? this.#find(input)
    if (putOff === undefined) return readings
    return readings.filter(({ begins }) => begins === undefined || !putOff.has(begins.name))
  }

  #find(input: MessageInput): Reading[] {
    const message = this.#payloads.arrived(input.type, input.bytes, input.value)
    if (input.lane !== undefined) return this.#started(input.lane, input, message)
    const readings: Reading[] = []
    const command = input.causationId === undefined ? undefined : parseCommandId(input.causationId)
    if (command !== undefined) {
      const entity = instanceKey(command.saga, command.key)
      readings.push({ entity, input: { kind: 'answer', commandId: input.causationId!, message } })
    }
    this.#addStarted(readings, input, message)
    this.#addCancelled(readings, input, message)
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
    const definition = this.#definitions.current(saga)
    if (definition === undefined || !concerns(definition.start, input)) return []
    const key = this.#keyOf(definition.start, input, message, undefined)
    return key === undefined ? [] : [beginning(definition, key, message)]
  }

  #addStarted(readings: Reading[], input: MessageInput, message: Payload): void {
    for (const definition of this.#definitions.startable()) {
      const { name, start } = definition
      if (!concerns(start, input) || input.putOff?.has(name) === true) continue
      const key = this.#keyOf(start, input, message, definition)
      if (key !== undefined) readings.push(beginning(definition, key, message))
    }
  }

  /**
   * By each way in which an instance may be cancelled: the current one, as what it begins may come in the same round,
   * and those of revisions that instances run on.
   */
  #addCancelled(readings: Reading[], input: MessageInput, message: Payload): void {
    for (const cancellable of this.#definitions.cancellable()) {
      const { name, cancel } = cancellable
      if (!concerns(cancel, input)) continue
      const isTold = this.#definitions.isRunning(cancellable)
      const key = this.#keyOf(cancel, input, message, isTold ? cancellable : undefined)
      if (key === undefined) continue
      readings.push({ entity: instanceKey(name, key), input: { kind: 'cancel', message }, cancel })
    }
  }

  /** `told`: of whom it is told that there is none. */
  #keyOf(trigger: Trigger, input: MessageInput, { value }: Payload, told: Teller | undefined): string | undefined {
    try {
      const key = String(trigger.key.evaluate({ event: value }))
      if (key !== '') return key
      if (told !== undefined) this.#passedOver.empty(told, trigger.key, input)
    } catch (error) {
      if (told !== undefined) this.#passedOver.failed(told, trigger.key, input, error)
    }
    return undefined
  }
}

const beginning = (begins: Definition, key: string, message: Payload): Reading => ({
  entity: instanceKey(begins.name, key),
  input: { kind: 'start', key, message },
  begins
})

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

type Teller = Pick<Definition, 'name' | 'revision'>

type Trigger = Definition['start'] | NonNullable<Definition['cancel']>

const concerns = (trigger: Trigger, input: MessageInput): boolean =>
  trigger.event === input.type && trigger.topic === input.topic
