import { type Contract, type Contracts, contractSet } from '../contract/index.ts'
import { type Call, type Definition, loadSaga } from '../saga/index.ts'
import type { DefinitionPublished } from './definition-events.ts'

/** The contracts that a saga needs, as a text that goes with its revision; `all`: those that it fits now. */
export const contractsText = (yaml: string, all: Contracts): string => {
  const definition = loadSaga({ path: 'saga', text: yaml }, all)
  const participants = new Set(callsOf(definition).map(({ participant }) => participant))
  const topics = new Set(heardBy(definition).map(({ topic }) => topic))
  const emitted = new Set(emittedBy(definition))
  const isUsed = ({ participant, events, records }: Contract): boolean =>
    participants.has(participant) ||
    topics.has(events) ||
    [...records.values()].some(({ fullName }) => emitted.has(fullName))
  return textOf(all.all.filter(isUsed))
}

export const textOf = (contracts: readonly Contract[]): string => JSON.stringify(contracts.map(plain))

export const contractsOfText = (text: string): Contracts => contractSet((JSON.parse(text) as Plain[]).map(revived))

/**
 * A revision as these contracts make it. Its published name is what instances are pinned to, even where this version of
 * the software would compute another.
 */
export const loadPublished = (
  { revision, source, yaml }: Pick<DefinitionPublished, 'revision' | 'source' | 'yaml'>,
  contracts: Contracts
): Definition => ({ ...loadSaga({ path: source, text: yaml }, contracts, { isPublished: true }), revision })

/**
 * Whether contracts have the records and topics of a definition that was made with others: then what it sends can be
 * written, and what it hears is read.
 */
export const carries = (definition: Definition, contracts: Contracts): boolean => {
  const isSent = ({ commandFullName, inbox }: Call): boolean => {
    const known = contracts.command(commandFullName)
    return 'found' in known && known.found.contract.inbox === inbox
  }
  const isHeard = ({ topic, event }: Definition['start']): boolean =>
    contracts.ofTopic(topic)?.emits.has(event) === true
  const isEmitted = (fullName: string): boolean => 'found' in contracts.event(fullName)
  return (
    callsOf(definition).every(isSent) && heardBy(definition).every(isHeard) && emittedBy(definition).every(isEmitted)
  )
}

const callsOf = ({ steps, start }: Definition): readonly Call[] =>
  [...steps, start].flatMap((one) => [...('command' in one ? [one] : []), ...(one.compensate ? [one.compensate] : [])])

const heardBy = ({ start, cancel }: Definition): readonly Definition['start'][] =>
  cancel === undefined ? [start] : [start, cancel]

const emittedBy = ({ complete, abort }: Definition): readonly string[] =>
  [complete, abort].flatMap((emission) => emission?.eventFullName ?? [])

type Plain = Omit<Contract, 'operations' | 'records' | 'emits'> & {
  readonly operations: readonly (readonly [string, NonNullable<ReturnType<Contract['operations']['get']>>])[]
  readonly records: readonly (readonly [string, NonNullable<ReturnType<Contract['records']['get']>>])[]
  readonly emits: readonly string[]
}

const plain = ({ operations, records, emits, ...rest }: Contract): Plain => ({
  ...rest,
  operations: [...operations],
  records: [...records],
  emits: [...emits]
})

const revived = ({ operations, records, emits, ...rest }: Plain): Contract => ({
  ...rest,
  operations: new Map(operations),
  records: new Map(records),
  emits: new Set(emits)
})
