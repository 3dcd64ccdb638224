import { type Codec, type Contract, type RecordType } from './contract.ts'

/** As much of the registry's port as is needed here. */
export type SchemaRegistry = {
  register(subject: string, schema: Readonly<Record<string, unknown>>): Promise<number>
  schema(id: number): Promise<Readonly<Record<string, unknown>>>
}

/** Records that appear on a topic beside those of the contracts: the orchestrator's own. */
export type TopicRecords = { readonly topic: string; readonly records: readonly RecordType[] }

/** Registers every record under TopicRecordName (`<topic>-<fullName>`): commands on the inbox, events on the events topic. Gives the codec of them all. */
export const registerContracts = async (
  registry: SchemaRegistry,
  contracts: readonly Contract[],
  extra: readonly TopicRecords[] = []
): Promise<Codec> => {
  throw new Error(`not yet: ${typeof registry} ${contracts.length} ${extra.length}`)
}

/** Fetches the schemas of those values that the codec does not know yet. Undefined where it knows them all, so that nobody awaits for nothing. */
export const learnSchemas = (
  codec: Codec,
  registry: SchemaRegistry,
  values: Iterable<Uint8Array | null>
): Promise<void> | undefined => {
  throw new Error(`not yet: ${typeof codec} ${typeof registry} ${typeof values}`)
}
