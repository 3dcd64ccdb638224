import { isParcomoloError, ParcomoloError } from '../base/index.ts'
import { idOf, makeCodec } from './codec.ts'
import { type Codec, type Contract, type RecordType } from './contract.ts'
import { recordOfSchema } from './record-of-schema.ts'

type Schema = Readonly<Record<string, unknown>>

/** As much of the registry's port as is needed here. */
export type SchemaRegistry = {
  check(subject: string, schema: Schema): Promise<void>
  register(subject: string, schema: Schema): Promise<number>
  versions(subject: string): Promise<readonly { readonly id: number; readonly schema: Schema }[]>
  schema(id: number): Promise<Schema>
}

/** Records that appear on a topic beside those of the contracts: the orchestrator's own. */
export type TopicRecords = { readonly topic: string; readonly records: readonly RecordType[] }

/**
 * Registers every record under TopicRecordName (`<topic>-<fullName>`): commands on the inbox, events on the events
 * topic. Gives the codec of them all, which also reads what earlier versions of these records wrote.
 * Nothing is registered where one of them is refused.
 */
export const registerContracts = async (
  registry: SchemaRegistry,
  contracts: readonly Contract[],
  extra: readonly TopicRecords[] = []
): Promise<Codec> => {
  const codec = makeCodec([])
  await registerTopics(registry, codec, [...contracts.flatMap(topicsOf), ...extra])
  return codec
}

/** The same for one contract more, or several, with a codec that there is; resolves when the codec has it all. */
export const adoptContract = (
  registry: SchemaRegistry,
  codec: Codec,
  ...contracts: readonly Contract[]
): Promise<void> => registerTopics(registry, codec, contracts.flatMap(topicsOf))

export type Agreed = {
  readonly codec: Codec
  /** Those in force: of a contract that is refused what the registry has, and nothing where that is nothing. */
  readonly contracts: readonly Contract[]
  readonly refused: readonly { readonly contract: Contract; readonly error: ParcomoloError }[]
}

/**
 * As `registerContracts`, where a contract that the registry refuses concerns nobody else: what it has of that
 * participant stays in force.
 */
export const registerAgreed = async (
  registry: SchemaRegistry,
  contracts: readonly Contract[],
  extra: readonly TopicRecords[]
): Promise<Agreed> => {
  const codec = makeCodec([])
  const refused: Agreed['refused'][number][] = []
  const agreed = await Promise.all(
    contracts.map(async (contract) => {
      const error = await objectionTo(registry, topicsOf(contract))
      if (error === undefined) return [contract]
      refused.push({ contract, error })
      return registeredContract(registry, contract)
    })
  )
  const inForce = agreed.flat()
  await registerTopics(registry, codec, [...inForce.flatMap(topicsOf), ...extra])
  return { codec, contracts: inForce, refused }
}

/** What a participant said when its records were registered last, as far as the registry can tell. */
const registeredContract = async (registry: SchemaRegistry, contract: Contract): Promise<Contract[]> => {
  const latest = new Map<string, RecordType>()
  await Promise.all(
    subjectsOf(topicsOf(contract)).map(async ({ subject, record }) => {
      const registered = (await registry.versions(subject)).at(-1)
      const found = registered === undefined ? undefined : recordOfSchema(registered.schema)
      if (found !== undefined) latest.set(record.name, found)
    })
  )
  const known = (name: string): boolean => latest.has(name)
  const operations = [...contract.operations.values()]
    .map((operation) => ({
      ...operation,
      replies: operation.replies.filter(known),
      rejections: operation.rejections.filter(known)
    }))
    .filter(({ command, replies }) => known(command) && replies.length > 0)
  const emits = new Set([...contract.emits].filter(known))
  if (operations.length === 0 && emits.size === 0) return []
  return [
    {
      ...contract,
      ...{ operations: new Map(operations.map((operation) => [operation.command, operation])), emits },
      records: new Map([...contract.records, ...latest])
    }
  ]
}

const subjectsOf = (topics: readonly TopicRecords[]): { record: RecordType; subject: string }[] =>
  topics.flatMap(({ topic, records }) => records.map((record) => ({ record, subject: `${topic}-${record.fullName}` })))

const registerTopics = async (
  registry: SchemaRegistry,
  codec: Codec,
  topics: readonly TopicRecords[]
): Promise<void> => {
  const objection = await objectionTo(registry, topics)
  if (objection !== undefined) throw objection
  const subjects = subjectsOf(topics)
  const ids = await Promise.all(subjects.map(({ subject, record }) => registry.register(subject, record.schema)))
  const versions = await Promise.all(subjects.map(({ subject }) => registry.versions(subject)))
  codec.adopt(subjects.map(({ record }, i) => ({ ...record, id: ids[i]! })))
  for (const { id, schema } of versions.flat()) learnIfReadable(codec, id, schema)
}

/** All that is refused, in one error; rejects where the registry cannot be asked. */
const objectionTo = async (
  registry: SchemaRegistry,
  topics: readonly TopicRecords[]
): Promise<ParcomoloError | undefined> => {
  const checks = subjectsOf(topics).map(({ subject, record }) => registry.check(subject, record.schema))
  const refusals: ParcomoloError[] = []
  for (const outcome of await Promise.allSettled(checks)) {
    if (outcome.status === 'fulfilled') continue
    const { reason } = outcome as { reason: unknown }
    if (!isRefusal(reason)) throw reason
    refusals.push(reason)
  }
  const [first, ...more] = refusals
  if (first === undefined || more.length === 0) return first
  const message = refusals.map((refusal) => refusal.message).join('\n')
  return new ParcomoloError(first.code, message, { details: { ...first.details }, cause: first })
}

const isRefusal = (error: unknown): error is ParcomoloError =>
  isParcomoloError(error, 'PARCOMOLO_REGISTRY_INCOMPATIBLE') ||
  isParcomoloError(error, 'PARCOMOLO_REGISTRY_INVALID_SCHEMA')

/** An old version that today's record cannot read is an error only when a record written with it turns up. */
const learnIfReadable = (codec: Codec, id: number, schema: Schema): void => {
  try {
    codec.learn(id, schema)
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED')) throw error
  }
}

/**
 * Fetches the schemas of those values that the codec does not know yet. Undefined where it knows them all, so that
 * nobody awaits for nothing. A schema that there is not, or that cannot be used, is left for `decode` to refuse.
 * Rejects where one could not be asked for, when all others are learnt.
 */
export const learnSchemas = (
  codec: Codec,
  registry: Pick<SchemaRegistry, 'schema'>,
  values: Iterable<Uint8Array | null>
): Promise<void> | undefined => {
  const ids = new Set<number>()
  for (const value of values)
    if (value !== null && value[0] === 0 && value.length > 4 && !codec.knows(value)) ids.add(idOf(value))
  return ids.size === 0 ? undefined : learnIds(codec, registry, [...ids])
}

const topicsOf = ({ operations, emits, records, inbox, events }: Contract): TopicRecords[] => [
  { topic: inbox, records: [...operations.keys()].map((name) => records.get(name)!) },
  { topic: events, records: [...emits].map((name) => records.get(name)!) }
]

const learnIds = async (
  codec: Codec,
  registry: Pick<SchemaRegistry, 'schema'>,
  ids: readonly number[]
): Promise<void> => {
  const learn = async (id: number): Promise<void> => {
    try {
      codec.learn(id, await registry.schema(id))
    } catch (error) {
      if (isOfRegistry(error)) codec.refuse(id, error)
      else if (!isParcomoloError(error, 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED')) throw error
    }
  }
  const outcomes = await Promise.allSettled(ids.map(learn))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** The record is to blame, or whoever registered its schema: to ask again is no use. */
const isOfRegistry = (error: unknown): error is ParcomoloError =>
  isParcomoloError(error, 'PARCOMOLO_REGISTRY_UNKNOWN_ID') ||
  isParcomoloError(error, 'PARCOMOLO_REGISTRY_INVALID_SCHEMA')
