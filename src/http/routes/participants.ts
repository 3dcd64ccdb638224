import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Contract, readJson, type RecordType } from '../../contract/index.ts'
import type { ParticipantsPort, RouteDeps } from '../deps.ts'
import { quoted, sendProblem, type Violation } from '../problem.ts'
import { json, writeProblems } from '../route-docs.ts'
import { anyId, pathParameters } from '../schemas.ts'

/** `/participants`: what participants tell that speak HTTP. */
export const participantRoutes = (http: FastifyInstance, deps: RouteDeps): void => {
  const { participants } = deps
  if (participants === undefined) return
  http.post(
    '/participants/:name/events',
    {
      schema: {
        tags: ['Participants'],
        summary: 'Tell an event or a late answer of a participant that speaks HTTP',
        description:
          'A CloudEvent in binary mode: its attributes are headers, the body is the record as JSON. The same ce-id ' +
          'under the same ce-subject again is no second event.',
        params: pathParameters({ name: anyId }),
        headers: eventHeaders,
        body: { type: 'object' },
        response: { 202: json('It is in the log', taken) }
      },
      config: { docs: { problems: ['PARCOMOLO_HTTP_NOT_FOUND', 'PARCOMOLO_HTTP_CONFLICT', ...writeProblems] } }
    },
    (request, reply) => takeEvent(deps, participants, request, reply)
  )
}

const attribute = { type: 'string', minLength: 1, maxLength: 1024 }

const eventHeaders = {
  type: 'object',
  required: ['ce-id', 'ce-type'],
  properties: {
    'ce-id': { ...attribute, description: 'The id of the event, the same when it is sent again' },
    'ce-type': { ...attribute, description: 'The record, such as Subscribed' },
    'ce-subject': {
      ...attribute,
      description: "The key: what the event is about, or the ce-subject of an answer's command"
    },
    'ce-causationid': { ...attribute, description: 'Of an answer: the ce-id of its command' },
    'ce-specversion': { type: 'string', const: '1.0' }
  }
}

const taken = {
  type: 'object',
  required: ['id', 'type', 'subject'],
  properties: { id: { type: 'string' }, type: { type: 'string' }, subject: { type: 'string' } }
}

const takeEvent = async (
  deps: RouteDeps,
  participants: ParticipantsPort,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<FastifyReply> => {
  const contract = contractAsked(participants, request, reply)
  if (contract === undefined) return reply
  const event = eventOf(request)
  if ('violations' in event) return invalid(reply, event.violations)
  const record = recordNamed(contract, event.type)
  if (record === undefined) return invalid(reply, [{ path: 'ce-type', message: noSuchType(contract, event.type) }])
  const read = readJson(record, request.body, true)
  if ('misfits' in read) return invalid(reply, read.misfits)
  const key = keyOf(event, record, read.value)
  if (typeof key === 'object') return invalid(reply, [key])
  const { id, causationId } = event
  const inbox = participants.postsTopic(contract.participant)
  await deps.commands.send({ inbox, key, id, type: record.fullName, value: read.value, ...causationId })
  return reply.code(202).send({ id, type: record.name, subject: key })
}

/** Undefined where the answer is sent. */
const contractAsked = (
  participants: ParticipantsPort,
  request: FastifyRequest,
  reply: FastifyReply
): Contract | undefined => {
  const { name } = request.params as { name: string }
  const asked = participants.find(name)
  if ('problem' in asked) {
    sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', asked.problem)
    return undefined
  }
  if (participants.isHttp(asked.found)) return asked.found
  const detail =
    `participant ${quoted(name)} writes its events topic '${asked.found.events}' itself; expected one whose contract ` +
    "has 'spec.http'"
  sendProblem(reply, 'PARCOMOLO_HTTP_CONFLICT', detail)
  return undefined
}

/** An answer goes where its command is; an event to what it is about. */
const keyOf = (
  { subject, causationId }: PostedEvent,
  { name, key: field }: RecordType,
  value: Readonly<Record<string, unknown>>
): string | Violation => {
  const named = field === undefined ? '' : String(value[field])
  const path = 'ce-subject'
  if (causationId.causationId !== undefined)
    return subject ?? { path, message: "is missing; expected that of the answer's command" }
  if (field !== undefined && named === '')
    return { path: field, message: `is empty; expected the key of this ${quoted(name)}: what it is about` }
  if (named === '')
    return subject ?? { path, message: `is missing; expected what this ${quoted(name)} is about: its key` }
  if (subject === undefined || subject === named) return named
  return {
    path,
    message: `is ${quoted(subject)}; expected ${quoted(named)}, as in ${quoted(field)}, or no such header`
  }
}

type PostedEvent = {
  readonly id: string
  readonly type: string
  readonly subject: string | undefined
  readonly causationId: { readonly causationId?: string }
}

/** As the CloudEvents binding for HTTP has it, what a header cannot hold is percent-encoded. */
const eventOf = ({ headers }: FastifyRequest): PostedEvent | { readonly violations: readonly Violation[] } => {
  const violations: Violation[] = []
  const attributeOf = (name: string): string => {
    try {
      return decodeURIComponent(String(headers[name]))
    } catch {
      violations.push({ path: name, message: `${quoted(headers[name])} is not percent-encoded as CloudEvents ask` })
      return ''
    }
  }
  const [id, type] = [attributeOf('ce-id'), attributeOf('ce-type')]
  const subject = headers['ce-subject'] === undefined ? undefined : attributeOf('ce-subject')
  const causationId = headers['ce-causationid'] === undefined ? {} : { causationId: attributeOf('ce-causationid') }
  return violations.length > 0 ? { violations } : { id, type, subject, causationId }
}

const recordNamed = ({ records, emits }: Contract, named: string): RecordType | undefined =>
  [...emits].map((name) => records.get(name)!).find(({ name, fullName }) => name === named || fullName === named)

const shownMax = 20

const noSuchType = ({ participant, emits }: Contract, type: string): string => {
  const names = [...emits].map((name) => `'${name}'`)
  const listed = names.length > shownMax ? `${names.slice(0, shownMax).join(', ')}, …` : names.join(', ')
  return `${quoted(type)} is no event or answer of ${quoted(participant)}; expected one of ${listed}`
}

const invalid = (reply: FastifyReply, errors: readonly Violation[]): FastifyReply => {
  const detail =
    errors.length === 1
      ? '1 thing is wrong with the request; errors lists it'
      : `${errors.length} things are wrong with the request; errors lists them`
  return sendProblem(reply, 'PARCOMOLO_HTTP_INVALID_REQUEST', detail, { errors })
}
