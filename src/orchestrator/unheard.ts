import { type Definition, parseCommandId } from '../saga/index.ts'
import type { Component, Input, MessageInput } from '../task/index.ts'
import type { ParticipantFacts } from './component.ts'
import type { Definitions } from './definitions.ts'
import { eventOf } from './hand-over.ts'
import { instanceKey } from './reading.ts'
import type { Tracked } from './tracked.ts'

/**
 * Why an answer of a participant meant nothing. `header-case`: it has no causation id, and headers that nobody reads,
 * for their letters' case. `not-awaited`: it is right, and nobody waits for it any more.
 */
export type UnheardReason = 'no-causation-id' | 'header-case' | 'unknown-id' | 'wrong-type' | 'not-awaited'

export type UnheardCount = { readonly topic: string; readonly reason: UnheardReason; count: number }

/** One answer; `at`: `<topic>/<partition>/<offset>`. */
export type UnheardAnswer = {
  readonly at: string
  readonly reason: UnheardReason
  readonly type: string
  readonly key: string
  readonly causationId: string | undefined
  /** The header whose name is to be in small letters. */
  readonly header?: string
}

/**
 * The answers of foreign participants that the orchestrator has passed over since the start. Whoever writes a
 * participant would else see no more of a mistake than that its commands come again.
 */
export class Unheard {
  readonly #onUnheard: (answer: UnheardAnswer) => void
  readonly #counts = new Map<string, UnheardCount>()

  constructor(onUnheard: (answer: UnheardAnswer) => void) {
    this.#onUnheard = onUnheard
  }

  counts(): Iterable<UnheardCount> {
    return this.#counts.values()
  }

  note(input: MessageInput, reason: UnheardReason): void {
    const { topic, partition, offset, type, key, causationId } = input
    const id = `${reason} ${topic}`
    const known = this.#counts.get(id)
    if (known === undefined) this.#counts.set(id, { topic, reason, count: 1 })
    else known.count++
    const oddHeader = reason === 'header-case' ? oddOf(input) : undefined
    const header = oddHeader === undefined ? undefined : { header: oddHeader }
    this.#onUnheard({ at: `${topic}/${partition}/${offset}`, reason, type, key, causationId, ...header })
  }
}

type Facts = { readonly definitions: Definitions; readonly participants: ParticipantFacts; readonly unheard: Unheard }

/** The same component, which tells of the answers that it passes over; all that it does stays as it is. */
export const tellingUnheard = (component: Component<Tracked>, facts: Facts): Component<Tracked> => {
  const { definitions, participants, unheard } = facts
  const known = knownOf(definitions, participants)
  const isForeign = (input: Input): input is MessageInput =>
    input.kind === 'message' && input.lane === undefined && known().foreign.has(input.topic)
  return {
    ...component,
    get reads() {
      return component.reads
    },
    keysOf: (input) => {
      const keys = component.keysOf(input)
      if (keys.length > 0 || !isForeign(input)) return keys
      if (known().answers.has(`${input.topic} ${input.type}`)) unheard.note(input, nobodysReason(input))
      return keys
    },
    decide: (entity, input, now, attemptsOf) => {
      const events = component.decide(entity, input, now, attemptsOf)
      if (events.length > 0 || input.kind === 'timer') return events
      const said = eventOf(input)
      if (!isForeign(said) || said.causationId === undefined) return events
      const reason = reasonOf(said, definitions, entity)
      if (reason !== undefined) unheard.note(said, reason)
      return events
    }
  }
}

const nobodysReason = (input: MessageInput): UnheardReason => {
  if (input.causationId !== undefined) return 'unknown-id'
  return oddOf(input) === undefined ? 'no-causation-id' : 'header-case'
}

/**
 * A header of CloudEvents that nobody reads, of a client that sends `CE_ID`: Kafka tells the names of headers apart by
 * their letters' case.
 */
const oddOf = ({ headers = {} }: MessageInput): string | undefined =>
  Object.keys(headers).find((name) => /^ce_/i.test(name) && name !== name.toLowerCase())

type Known = {
  /** The events topics of participants that run elsewhere. */
  readonly foreign: ReadonlySet<string>
  /** `<topic> <record>` of all that only answers a command. */
  readonly answers: ReadonlySet<string>
}

/** For the contracts in force; made anew only when these are others, as it is asked for each message. */
const knownOf = (definitions: Definitions, participants: ParticipantFacts): (() => Known) => {
  let contracts: Definitions['contracts'] | undefined
  let known: Known = { foreign: new Set(), answers: new Set() }
  return () => {
    if (contracts === definitions.contracts) return known
    contracts = definitions.contracts
    const answers = contracts.all.flatMap(({ events, operations }) =>
      [...operations.values()].flatMap(({ replies, rejections }) =>
        [...replies, ...rejections].map((name) => `${events} ${name}`)
      )
    )
    const foreign = participants.reads().filter(({ isForeign }) => isForeign)
    known = { foreign: new Set(foreign.map(({ topic }) => topic)), answers: new Set(answers) }
    return known
  }
}

/** Undefined where it was no answer, but something else that led to nothing. */
const reasonOf = (
  input: MessageInput,
  definitions: Definitions,
  entity: (key: string) => Tracked | undefined
): UnheardReason | undefined => {
  const command = parseCommandId(input.causationId!)
  if (command === undefined) return undefined
  const instance = entity(instanceKey(command.saga, command.key))?.instance
  if (instance === undefined) return 'unknown-id'
  const definition = definitions.pinned(instance.saga, instance.revision)
  if (definition === undefined || !('steps' in definition)) return undefined
  const awaited = awaitedBy(definition, command)
  if (awaited === undefined) return 'unknown-id'
  return awaited.includes(input.type) ? 'not-awaited' : 'wrong-type'
}

/** What may answer the command; undefined where the saga has none with this id. */
const awaitedBy = (
  { steps, start }: Definition,
  { step: name, undo }: { readonly step: string; readonly undo: boolean }
): readonly string[] | undefined => {
  const step = steps.find((other) => other.name === name)
  const call = undo ? (step === undefined ? start.compensate : step.compensate) : step
  if (call === undefined) return undefined
  return [...call.replies, ...call.rejections, ...(step?.until === undefined ? [] : [step.until])]
}
