import { didYouMean, ParcomoloError } from '../base/index.ts'
import { type Contract, type Operation, type RecordType } from './contract.ts'
import { topicIdentity } from './reserved.ts'

/**
 * What a name stands for, or what is wrong with it (to be put behind a position): `unknown command 'RelaseStock'; did
 * you mean 'ReleaseStock'?`.
 */
export type LookUp<T> = { readonly found: T } | { readonly problem: string }

export type CommandType = { readonly contract: Contract; readonly operation: Operation; readonly record: RecordType }

/** A record that appears on a participant's events topic: reply, rejection, or one-way event. */
export type EventType = { readonly contract: Contract; readonly topic: string; readonly record: RecordType }

/**
 * Look-up over all participants. A name is the record's short name, `participant.Name` where two participants have it,
 * or its full name.
 * Lists of names hold the short name, or the qualified one where the short one is ambiguous.
 */
export type Contracts = {
  readonly all: readonly Contract[]
  readonly commandNames: readonly string[]
  readonly eventNames: readonly string[]
  participant(name: string): LookUp<Contract>
  command(name: string): LookUp<CommandType>
  event(name: string): LookUp<EventType>
  /** Whose inbox or events topic this is. */
  ofTopic(topic: string): Contract | undefined
}

/**
 * Throws PARCOMOLO_CONTRACT_CONFLICT where two participants share a name, a namespace, an inbox or an events topic, or
 * have topics that Kafka takes for one.
 */
export const contractSet = (contracts: readonly Contract[]): Contracts => {
  checkConflicts(contracts)
  const participants = new Map(contracts.map((contract) => [contract.participant, contract]))
  const commands = indexOf(
    contracts.flatMap((contract) =>
      [...contract.operations.values()].map((operation) => ({
        contract,
        operation,
        record: contract.records.get(operation.command)!
      }))
    )
  )
  const events = indexOf(
    contracts.flatMap((contract) =>
      [...contract.emits].map((name) => ({ contract, topic: contract.events, record: contract.records.get(name)! }))
    )
  )
  const byTopic = new Map(
    contracts.flatMap((contract) => [[contract.inbox, contract] as const, [contract.events, contract] as const])
  )
  return {
    all: contracts,
    commandNames: commands.names,
    eventNames: events.names,
    participant: (name) => {
      const found = participants.get(name)
      return found === undefined ? unknown('participant', name, [...participants.keys()]) : { found }
    },
    command: (name) => lookUp('command', name, commands),
    event: (name) => lookUp('event', name, events),
    ofTopic: (topic) => byTopic.get(topic)
  }
}

type Entry = { readonly contract: Contract; readonly record: RecordType }
type Index<T> = { readonly byName: ReadonlyMap<string, readonly T[]>; readonly names: readonly string[] }

const qualified = ({ contract, record }: Entry): string => `${contract.participant}.${record.name}`

const indexOf = <T extends Entry>(entries: readonly T[]): Index<T> => {
  const byShort = Map.groupBy(entries, (entry) => entry.record.name)
  const byName = new Map<string, readonly T[]>(byShort)
  for (const entry of entries) {
    byName.set(qualified(entry), [entry])
    byName.set(entry.record.fullName, [entry])
  }
  const names = [...byShort].flatMap(([name, found]) => (found.length === 1 ? [name] : found.map(qualified)))
  return { byName, names }
}

const lookUp = <T extends Entry>(what: string, name: string, { byName, names }: Index<T>): LookUp<T> => {
  const [first, ...more] = byName.get(name) ?? []
  if (first === undefined) return unknown(what, name, [...byName.keys()], names)
  if (more.length === 0) return { found: first }
  const options = [first, ...more].map((entry) => `'${qualified(entry)}'`)
  return { problem: `${what} '${name}' is ambiguous; expected ${options.join(' or ')}` }
}

/** The nearest name, or else the known ones as far as they are worth a line. */
const unknown = (what: string, name: string, known: readonly string[], shown = known): { readonly problem: string } => {
  const listed = shown.slice(0, shownMax).map((other) => `'${other}'`)
  if (shown.length > shownMax) listed.push('…')
  const hint =
    didYouMean(name, known) || (listed.length === 0 ? '; there is none' : `; expected one of ${listed.join(', ')}`)
  return { problem: `unknown ${what} '${name}'${hint}` }
}

const shownMax = 12

const checkConflicts = (contracts: readonly Contract[]): void => {
  const owners = new Map<string, { readonly thing: string; readonly owner: string }>()
  const claim = (thing: string, owner: string, identity = thing): void => {
    const other = owners.get(identity)
    if (other !== undefined) {
      const alike = other.thing === thing ? '' : ` is ${other.thing} to Kafka, which`
      const problem = `${thing}${alike} belongs to ${other.owner} and to ${owner}`
      const message = `${problem}; expected each participant to have its own`
      throw new ParcomoloError('PARCOMOLO_CONTRACT_CONFLICT', message)
    }
    owners.set(identity, { thing, owner })
  }
  const claimTopic = (topic: string, owner: string): void =>
    claim(`topic '${topic}'`, owner, `topic ${topicIdentity(topic)}`)
  for (const { participant, namespace, inbox, events } of contracts) {
    claim(`participant '${participant}'`, `the one in namespace '${namespace}'`)
    claim(`namespace '${namespace}'`, `participant '${participant}'`)
    claimTopic(inbox, `the inbox of participant '${participant}'`)
    claimTopic(events, `the events of participant '${participant}'`)
  }
}
