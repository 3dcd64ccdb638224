import { type CommandType, type Contracts, type EventType, type LookUp } from '../../contract/index.ts'
import { type Field, recordOf, type RecordShape, sameType, type Type, unknownType } from '../expression/index.ts'
import { type Draft, type DraftStep, type Findings, type Located, stepsOf } from '../source/index.ts'

/** A step with what its names stand for; undefined where one is unknown, which is then among the findings. */
export type ResolvedStep = {
  readonly draft: DraftStep
  readonly index: number
  readonly command: CommandType | undefined
  readonly until: EventType | undefined
  /** Of what other expressions see of the step. */
  readonly reply: Type
  readonly pivot: boolean
  readonly retriable: boolean
}

export type Lookup = { readonly contracts: Contracts; readonly findings: Findings }

export const resolveSteps = (draft: Draft, lookup: Lookup): readonly ResolvedStep[] => {
  const drafts = stepsOf(draft.body)
  const pivot = drafts.findIndex((step) => step.pivot?.value === true)
  return drafts.map((step, index) => {
    const command = resolveCommand(step.command, lookup)
    return {
      draft: step,
      index,
      command,
      ...resolveReply(step, command, lookup),
      pivot: index === pivot,
      retriable: pivot !== -1 && index > pivot
    }
  })
}

export const resolveCommand = (name: Located<string> | undefined, lookup: Lookup): CommandType | undefined =>
  name && found(name, lookup.contracts.command(name.value), lookup.findings)

export const resolveEvent = (name: Located<string> | undefined, lookup: Lookup): EventType | undefined =>
  name && found(name, lookup.contracts.event(name.value), lookup.findings)

/** A record of a contract as a type of expressions. */
export const shapeOf = (record: { readonly name: string; readonly fields: readonly Field[] }): RecordShape => ({
  kind: 'record',
  name: record.name,
  fields: record.fields
})

const found = <T>(name: Located<string>, result: LookUp<T>, findings: Findings): T | undefined => {
  if ('found' in result) return result.found
  findings.error(name, 'PARCOMOLO_SAGA_UNKNOWN_NAME', result.problem)
  return undefined
}

/**
 * What others see of a step: the event of `until` if it has one, else the reply; of several possible replies what all
 * have.
 */
const resolveReply = (
  { until, command: name }: DraftStep,
  command: CommandType | undefined,
  lookup: Lookup
): Pick<ResolvedStep, 'until' | 'reply'> => {
  if (until !== undefined) {
    const event = command && name && resolveUntil(until, command, lookup)
    return { until: event, reply: event === undefined ? unknownType : shapeOf(event.record) }
  }
  if (command === undefined) return { until: undefined, reply: unknownType }
  const { contract, operation } = command
  return {
    until: undefined,
    reply: commonShape(operation.replies.map((reply) => shapeOf(contract.records.get(reply)!)))
  }
}

const resolveUntil = (until: Located<string>, command: CommandType, lookup: Lookup): EventType | undefined => {
  const event = resolveEvent(until, lookup)
  if (event === undefined) return undefined
  const { contract, operation } = command
  const refuse = (message: string): void => lookup.findings.error(until, 'PARCOMOLO_SAGA_WRONG_VALUE', message)
  const { name } = event.record
  if (event.contract !== contract) {
    refuse(
      `'${name}' comes from participant '${event.contract.participant}'; 'until' waits for an event of '${contract.participant}', which has the command`
    )
  } else if (operation.replies.includes(name)) {
    refuse(
      `'${name}' is the reply of ${operation.command}, which ends the step anyway; leave 'until' out, or name a later event`
    )
  } else if (operation.rejections.includes(name)) {
    refuse(`'${name}' is a rejection of ${operation.command}; 'until' names the event that tells of success`)
  }
  return event
}

const commonShape = (replies: readonly RecordShape[]): RecordShape => {
  const [first, ...others] = replies as readonly [RecordShape, ...RecordShape[]]
  if (others.length === 0) return first
  const shared = first.fields.filter((field) =>
    others.every((other) => other.fields.some(({ name, type }) => name === field.name && sameType(type, field.type)))
  )
  return { ...recordOf(replies.map(({ name }) => name).join(' or '), {}), fields: shared }
}
