import { ParcomoloError } from '../base/index.ts'
import { type Definition, keysOfSaga, parseCommandId, type Payload } from '../saga/index.ts'
import type { Beginnings, MessageInput, Needed } from '../task/index.ts'
import type { Definitions } from './definitions.ts'
import { type HandedOver, handedOverBy, orchestratorInbox } from './hand-over.ts'
import type { PassedOver } from './passed-over.ts'
import type { Payloads } from './payload.ts'
import { instanceKey, type Reading } from './reading.ts'

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
  first(input: MessageInput): readonly Pick<Reading, 'entity'>[] {
    const handed = handedOverBy(input)
    // What it means has been found out, but its definition may be known here only when it is decided on.
    if (handed !== undefined) return [{ entity: instanceKey(handed.saga, handed.key) }]
    if (input.topic === orchestratorInbox) return none
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

  #find(input: MessageInput): readonly Reading[] {
    const handed = handedOverBy(input)
    if (handed !== undefined) return [this.#handed(handed)]
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
    const handed = handedOverBy(input)
    if (handed !== undefined) return handed.kind === 'start' ? [handed.saga] : none
    let lanes: readonly string[] = none
    // Most messages begin nothing, and this is asked of each.
    for (const { name, start } of this.#definitions.startable()) if (concerns(start, input)) lanes = [...lanes, name]
    return lanes
  }

  inboxesOf(saga: string): ReturnType<Beginnings['inboxesOf']> {
    const definition = this.#definitions.current(saga)
    return definition === undefined ? none : inboxesOf(definition)
  }

  /** The event's own schema, and the revision that it is to begin on, which whoever handed it over has known. */
  needs(input: MessageInput): Needed | undefined {
    const handed = handedOverBy(input)
    if (handed === undefined) return undefined
    const { saga, revision, kind, message } = handed
    const isKnown = kind !== 'start' || this.#definitions.revision(saga, revision) !== undefined
    return { values: [message], ...(!isKnown && { known: () => this.#definitions.caughtUp() }) }
  }

  /** Throws where the revision that it begins on cannot be had: then it is a dead letter, not a saga that never was. */
  #handed({ saga, key, kind, type, message: bytes, ...rest }: HandedOver): Reading {
    const entity = instanceKey(saga, key)
    const message = this.#payloads.passing(type, bytes)
    if (kind === 'answer') return { entity, input: { kind, commandId: rest.causationId, message } }
    if (kind === 'cancel') {
      const expression = { source: rest.cancelKey, evaluate: () => key }
      return { entity, input: { kind, message }, cancel: { event: type, topic: rest.topic, key: expression } }
    }
    const begins = this.#definitions.pinned(saga, rest.revision)
    if (begins instanceof ParcomoloError) throw begins
    return { ...beginning(begins, key, message), ...(rest.cancelledBy !== '' && { cancelledBy: rest.cancelledBy }) }
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
const inboxesOf = (definition: Definition): ReturnType<Beginnings['inboxesOf']> => {
  const known = inboxes.get(definition)
  if (known !== undefined) return known
  const { steps, start } = definition
  const calls = [
    ...steps,
    ...steps.flatMap(({ compensate }) => compensate ?? []),
    ...(start.compensate ? [start.compensate] : [])
  ]
  const isUnderKey = keysOfSaga(definition).isOne
  const found = [...new Set(calls.map(({ inbox }) => inbox))].map((inbox) => ({ inbox, isUnderKey }))
  inboxes.set(definition, found)
  return found
}

const none: readonly never[] = []

const inboxes = new WeakMap<Definition, ReturnType<Beginnings['inboxesOf']>>()

type Teller = Pick<Definition, 'name' | 'revision'>

type Trigger = Definition['start'] | NonNullable<Definition['cancel']>

const concerns = (trigger: Trigger, input: MessageInput): boolean =>
  trigger.event === input.type && trigger.topic === input.topic
