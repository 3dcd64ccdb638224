import { isParcomoloError } from '../base/index.ts'
import { idOf, makeCodec } from './codec.ts'
import { type Codec, type Contract, type RecordType } from './contract.ts'

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

/** The same for one more contract, with a codec that there is; resolves when the codec has it all. */
export const adoptContract = (registry: SchemaRegistry, codec: Codec, contract: Contract): Promise<void> =>
  registerTopics(registry, codec, topicsOf(contract))

const registerTopics = async (
  registry: SchemaRegistry,
  codec: Codec,
  topics: readonly TopicRecords[]
): Promise<void> => {
  const subjects = topics.flatMap(({ topic, records }) =>
    records.map((record) => ({ record, subject: `${topic}-${record.fullName}` }))
  )
  await Promise.all(subjects.map(({ subject, record }) => registry.check(subject, record.schema)))
  const ids = await Promise.all(subjects.map(({ subject, record }) => registry.register(subject, record.schema)))
  const versions = await Promise.all(subjects.map(({ subject }) => registry.versions(subject)))
  codec.adopt(subjects.map(({ record }, i) => ({ ...record, id: ids[i]! })))
  for (const { id, schema } of versions.flat()) learnIfReadable(codec, id, schema)
}

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
  const outcomes = await Promise.allSettled(ids.map(async (id) => codec.learn(id, await registry.schema(id))))
  for (const outcome of outcomes) if (outcome.status === 'rejected' && !isForGood(outcome.reason)) throw outcome.reason
}

/** The record is to blame, or whoever registered its schema: to ask again is no use. */
const isForGood = (error: unknown): boolean =>
  isParcomoloError(error, 'PARCOMOLO_REGISTRY_UNKNOWN_ID') ||
  isParcomoloError(error, 'PARCOMOLO_REGISTRY_INVALID_SCHEMA') ||
  isParcomoloError(error, 'PARCOMOLO_CONTRACT_SCHEMA_REFUSED')
