import type { Codec, Contract } from '../contract/index.ts'
import type { Census, CensusGroup, Command, Component, Event, Input, MessageInput } from '../task/index.ts'
import { header, parseSource } from '../task/index.ts'
import {
  type Came,
  companionOf,
  decide,
  type Delivery,
  dueAt,
  eventKey,
  evolve,
  isOpen,
  isPatient,
  touches
} from './delivery.ts'
import { callsTopic, courierSource, postsTopic } from './protocol.ts'

/** One call to be made: its outcome is told by the number of this try. */
export type Call = Extract<Delivery, { tries: number }> & { readonly id: string }

export type CourierDeps = {
  /** As it is now; undefined where it is there no more. */
  readonly contract: () => Contract | undefined
  /** This process: no two that ever were have the same. */
  readonly by: string
  /** Partitions of the inbox. */
  readonly partitions: number
  readonly call: (call: Call) => void
  readonly encode: Codec['encode']
}

/** The component that writes the events of a participant that speaks HTTP. */
export const courierComponent = (of: Contract, deps: CourierDeps): Component<Delivery> => {
  const { inbox, participant } = of
  const contract = (): Contract => deps.contract() ?? of
  const posts = postsTopic(participant)
  const came = (input: Input): Came | undefined => {
    if (input.kind === 'timer') return input
    return input.topic === inbox ? commandOf(input, contract()) : postOf(input, contract())
  }
  return {
    name: participant,
    journal: of.events,
    inbox,
    reads: [{ topic: posts, isPartitionedByKey: true }],
    keysOf: (input) => {
      const it = came(input)
      return it === undefined ? [] : keysOf(it)
    },
    decide: (entity, input, now) => {
      const it = came(input)
      if (it === undefined) return []
      const { http, operations } = contract()
      const isAnswer = (command: string, type: string): boolean => {
        const operation = operations.get(command)
        return operation !== undefined && [...operation.replies, ...operation.rejections].includes(type)
      }
      return decide(entity, it, { now, by: deps.by, timeoutMs: http?.timeoutMs ?? 0, isAnswer })
    },
    touches,
    evolve,
    dueAt: (delivery) => dueAt(delivery, deps.by),
    hasEnded: (delivery) => !isOpen(delivery),
    commandsOf: (event) => toldOf(event, deps.encode),
    appended: (event, entity) => {
      const call = callOf(event, entity)
      if (call?.by === deps.by) deps.call(call)
    },
    keeps: (delivery) => (isOpen(delivery) ? [delivery.arguments] : []),
    census: () => censusOf(() => contract().http?.concurrency ?? 1, deps.partitions),
    snapshot: {
      encode: (delivery) => encoder.encode(JSON.stringify(packed(delivery))),
      decode: (bytes) => unpacked(JSON.parse(decoder.decode(bytes)) as Delivery & { arguments?: string })
    }
  }
}

const keysOf = (came: Came): readonly string[] => {
  switch (came.kind) {
    case 'timer':
      return [came.key]
    case 'command':
      return withCompanion(came.id)
    case 'outcome':
      return withCompanion(came.commandId)
    case 'record':
      return [
        ...(came.eventId === undefined ? [] : [eventKey(came.eventId)]),
        ...(came.causationId === undefined ? [] : withCompanion(came.causationId))
      ]
  }
}

const withCompanion = (id: string): readonly string[] => {
  const companion = companionOf(id)
  return companion === undefined ? [id] : [id, companion]
}

const commandOf = (input: MessageInput, { operations }: Contract): Came | undefined => {
  const { id, type, key, correlationId = '', attempt, bytes, headers } = input
  if (!operations.has(type)) return undefined
  const expiry = Date.parse(headers?.[header.expiryTime] ?? '')
  const expiresAt = Number.isNaN(expiry) ? null : expiry
  const cause = causeOf(headers)
  return {
    kind: 'command',
    id,
    command: type,
    key,
    correlationId,
    cause,
    attempt,
    arguments: Uint8Array.from(bytes),
    expiresAt
  }
}

const causeOf = (headers: MessageInput['headers'] = {}): string => {
  const { [header.source]: source = '', [header.sequence]: sequence } = headers
  const place = parseSource(source)
  return place === undefined || sequence === undefined ? '' : `${source.slice(1)} ${Number(sequence) + 1}`
}

const postOf = (input: MessageInput, { records, emits }: Contract): Came | undefined => {
  const { type, value, key, id, causationId, headers } = input
  if (type === 'CallOutcome' && headers?.[header.source] === courierSource)
    return { kind: 'outcome', ...(value as Omit<Extract<Came, { kind: 'outcome' }>, 'kind'>) }
  const record = records.get(type)
  if (record === undefined || !emits.has(type)) return undefined
  const eventId = headers?.[header.source] === courierSource ? undefined : id
  return { kind: 'record', eventId, causationId, key, type, fullName: record.fullName, value }
}

const callOf = ({ type, value }: Event, entity: (key: string) => Delivery | undefined): Call | undefined => {
  if (type !== 'DeliveryBegun' && type !== 'CallBegun') return undefined
  const id = String(value['commandId'])
  const delivery = entity(id)
  return isOpen(delivery) && delivery.status === 'calling' ? { ...delivery, id } : undefined
}

const told: ReadonlySet<string> = new Set(['CallFailed', 'CallAccepted', 'DeliveryStopped'])

/** A copy of what came of a call, which is seen after the event that has led to it. */
const toldOf = ({ key, type, fullName, value }: Event, encode: Codec['encode']): readonly Command[] => {
  if (!told.has(type) || fullName === undefined || value['correlationId'] === '') return []
  const [place, next] = String(value['cause']).split(' ')
  const correlationId = String(value['correlationId'])
  const copy = { inbox: callsTopic, key, id: String(value['commandId']), type, value: encode(fullName, value) }
  return [{ ...copy, attempt: 1, correlationId, ...(next === undefined ? {} : { seen: { [place!]: Number(next) } }) }]
}

/** Commands of a partition that are taken up at a time for each call at a time, and at least. */
const takenPerCall = 4
const takenMin = 8
/** Those that were called often in vain keep no other from being taken up, up to so many. */
const patientMax = 1_000

/**
 * How many commands may be taken up: what nobody can call yet stays in the inbox, where its sender sees that it is not
 * read, so that no attempt is over before its call has begun.
 */
const censusOf = (concurrency: () => number, partitions: number): Census<Delivery> => {
  const [eager, patient] = [new Count(), new Count()]
  const most = (): number => Math.max(takenMin, Math.ceil((takenPerCall * concurrency()) / partitions))
  return {
    moves: true,
    groupOf: (delivery) => (isPatient(delivery) ? patient : eager),
    room: () => Math.max(0, Math.min(most() - eager.count, patientMax - patient.count)),
    close: () => undefined
  }
}

class Count implements CensusGroup {
  count = 0

  add(count: 1 | -1): void {
    this.count += count
  }
}

const packed = (delivery: Delivery): object =>
  isOpen(delivery) ? { ...delivery, arguments: Buffer.from(delivery.arguments).toString('base64') } : delivery

const unpacked = (stored: Delivery & { readonly arguments?: string }): Delivery =>
  stored.arguments === undefined
    ? stored
    : ({ ...stored, arguments: Uint8Array.from(Buffer.from(stored.arguments, 'base64')) } as Delivery)

const encoder = new TextEncoder()
const decoder = new TextDecoder()
