import { didYouMean } from '../base/index.ts'
import { type Operation } from './contract.ts'
import { type Declared, knownTypes, type Report, reportDuplicates } from './idl-check.ts'
import { type IdlMessage, type IdlName, type IdlProtocol, type IdlType } from './idl.ts'

export type Messages = { readonly operations: ReadonlyMap<string, Operation>; readonly emits: ReadonlySet<string> }

/** A message with a response is an operation, a one-way message is an event. Reports all that is wrong with them. */
export const readMessages = (protocol: IdlProtocol, declared: Declared, report: Report): Messages => {
  const operations = new Map<string, Operation>()
  const emits = new Set<string>()
  reportDuplicates(
    protocol.messages.map((message) => message.name),
    'message',
    report
  )
  for (const message of protocol.messages) {
    const request = readRequest(message, declared, report)
    if (message.oneway) {
      checkEvent(message, report)
      if (request !== undefined) emits.add(request.text)
      continue
    }
    const replies = readReplies(message, declared, report)
    const rejections = message.throws.flatMap((name) => readName(name, errorNeeded, declared, report) ?? [])
    for (const name of [...replies, ...rejections]) emits.add(name)
    if (request === undefined) continue
    const other = operations.get(request.text)
    if (other !== undefined) {
      const problem = `command '${request.text}' belongs to '${other.name}' already`
      report(request.at, `${problem}; expected a record of its own for '${message.name.text}'`)
    }
    operations.set(request.text, { name: message.name.text, command: request.text, replies, rejections })
  }
  return { operations, emits }
}

const checkEvent = (message: IdlMessage, report: Report): void => {
  const { response, name } = message
  if (!isVoid(response)) report(response.at, `one-way message '${name.text}' has a response; expected 'void'`)
  const [error] = message.throws
  if (error !== undefined) report(error.at, `one-way message '${name.text}' has errors; expected none`)
}

const isVoid = (type: IdlType): boolean => type.kind === 'name' && type.name === 'void'

/** The one parameter's record. */
const readRequest = (message: IdlMessage, declared: Declared, report: Report): IdlName | undefined => {
  const [parameter, second] = message.parameters
  if (parameter === undefined || second !== undefined) {
    report(
      message.name.at,
      `message '${message.name.text}' has ${message.parameters.length} parameters; expected one, a record`
    )
    return undefined
  }
  const name = readRecordName(parameter.type, `the parameter of '${message.name.text}'`, declared, report)
  return name === undefined ? undefined : { text: name, at: parameter.type.at }
}

const readReplies = (message: IdlMessage, declared: Declared, report: Report): string[] => {
  const { response, name } = message
  if (isVoid(response)) {
    report(response.at, `operation '${name.text}' has no reply; expected a record, or 'oneway' behind an event`)
    return []
  }
  const branches = response.kind === 'union' ? response.of : [response]
  return branches.flatMap((branch) => readRecordName(branch, `the response of '${name.text}'`, declared, report) ?? [])
}

const readRecordName = (type: IdlType, where: string, declared: Declared, report: Report): string | undefined => {
  if (type.kind === 'name')
    return readName({ text: type.name, at: type.at }, { kind: 'record', where, text: 'a record' }, declared, report)
  report(type.at, `${where} is '${type.kind}'; expected a record`)
  return undefined
}

type Needed = { readonly kind: 'record' | 'error'; readonly text: string; readonly where: string }

const errorNeeded: Needed = { kind: 'error', text: 'an error', where: "what is behind 'throws'" }

/** The short name of a declared record or error. */
const readName = ({ text, at }: IdlName, needed: Needed, declared: Declared, report: Report): string | undefined => {
  const { kind, where } = needed
  const type = declared.get(text)
  if (type?.kind === kind) return type.name.text
  if (type !== undefined) report(at, `${where} is the ${type.kind} '${text}'; expected ${needed.text}`)
  else if (knownTypes(declared).includes(text)) report(at, `${where} is '${text}'; expected ${needed.text}`)
  else report(at, `unknown ${kind} '${text}'${didYouMean(text, namesOf(kind, declared))}`)
  return undefined
}

const namesOf = (kind: 'record' | 'error', declared: Declared): string[] =>
  [...declared].flatMap(([name, type]) => (type.kind === kind ? [name] : []))
